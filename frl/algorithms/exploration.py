"""Another exploration for an algorithm: noise that is correlated in time, or any other module that changes actions."""

from typing import Any

from torch import Tensor, nn

from frl import random
from frl.algorithms.base import Algorithm
from frl.nn import ExplorationType, buffers, functional_call
from frl.tensordict import TensorDict


def explored_by(algorithm: Algorithm, module: nn.Module) -> Algorithm:
    """`algorithm`, whose actions `module` changes wherever it explores.

    What the algorithm explores by itself stays. Without a key, and with `explore=False`, it acts as before. The frames
    by which the module fades are the algorithm's updates. A process that goes on from step to step, as that of
    `OrnsteinUhlenbeckProcessModule`, needs an environment that carries it: with the transforms `InitTracker()` and
    `make_tensordict_primer(module)`.

    Raises: TypeError if `module` is no exploration module.

    >>> from frl import envs
    >>> from frl.algorithms import actor_q, ddpg
    >>> from frl.nn import AdditiveGaussianModule
    >>> env = envs.make("Pendulum-v1", batch_size=[3])
    >>> algorithm = ddpg(actor_q(env.single_observation_spec, env.single_action_spec))
    >>> noisier = explored_by(algorithm, AdditiveGaussianModule(env.single_action_spec))
    >>> train, td = algorithm.init(random.key(0)), env.reset(random.key(1))
    >>> acted = noisier.act(train, td, random.key(2))
    >>> bool((acted["action"] != algorithm.act(train, td, random.key(2))["action"]).all())
    True
    """
    if not isinstance(module, nn.Module) or "num_frames" not in buffers(module):
        raise TypeError(
            f"explored_by: module is a {type(module).__name__} but must be an exploration module, such as "
            "OrnsteinUhlenbeckProcessModule(env.single_action_spec)."
        )
    state = buffers(module)

    def act(train: TensorDict, td: TensorDict, key: Tensor | None = None, explore: bool = True) -> TensorDict:
        if not explore or key is None:
            return algorithm.act(train, td, key, explore)
        k_act, k_noise = random.split(key)
        acted = algorithm.act(train, td, k_act, explore)
        now: Any = state.set("num_frames", train["updates"])
        return functional_call(module, now, acted, key=k_noise, exploration=ExplorationType.RANDOM)

    return algorithm._replace(act=act)
