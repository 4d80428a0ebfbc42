"""What all algorithms have in common that collect by a policy, learn from what it did, and forget it."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from frl import optim, tree
from frl.algorithms.base import Algorithm
from frl.algorithms.gradient import clipped_adam, leaves_of, linear_to_zero
from frl.algorithms.networks import ActorCritic
from frl.tensordict import Key, TensorDict

Learn = Callable[[TensorDict, TensorDict, optim.Optimizer, Tensor], tuple[TensorDict, TensorDict]]
"""`learn(train, batch, optimizer, key) -> (train, metrics)`: new "params" and "opt" from a batch [*B, T]."""

_EPSILON = 1e-5  # of Adam, as in the reference implementations of PPO


def policy_gradient(
    networks: ActorCritic, settings: Mapping[str, float], learn: Learn, keep: Sequence[Key] = ()
) -> Algorithm:
    """The algorithm that acts by `networks` and learns by `learn`.

    Its optimiser is Adam behind a bound on the gradient's norm; of the settings, which become leaves of
    `train["hyper"]`, it reads "learning_rate", "anneal_updates" and "max_grad_norm", and adds "learning_rate" to the
    metrics.

    Args: keep: entries that the actor writes and `learn` reads, besides "action" and "sample_log_prob".

    >>> from frl import random, specs
    >>> from frl.algorithms import actor_critic
    >>> networks = actor_critic(specs.Composite({"observation": specs.Unbounded(3)}), specs.OneHot(2), (4,))
    >>> settings = {"learning_rate": 1e-3, "anneal_updates": 0.0, "max_grad_norm": 0.5}
    >>> algorithm = policy_gradient(networks, settings, lambda train, batch, optimizer, key: (train, TensorDict({})))
    >>> sorted(algorithm.init(random.key(0)))
    ['hyper', 'opt', 'params', 'updates']
    """

    def init(key: Tensor) -> TensorDict:
        params, hyper = networks.init(key), leaves_of(settings)
        opt = clipped_adam(hyper["learning_rate"], hyper["max_grad_norm"], _EPSILON).init(tree.ravel(params)[0])
        return TensorDict({"params": params, "opt": opt, "hyper": hyper, "updates": torch.zeros(())})

    def act(train: TensorDict, td: TensorDict, key: Tensor | None = None, explore: bool = True) -> TensorDict:
        acted = networks.act(train["params", "actor"], td, key, explore, keep)
        return networks.remember(train["params", "critic"], acted) if explore else acted

    def update(train: TensorDict, batch: TensorDict, key: Tensor) -> tuple[TensorDict, TensorDict]:
        hyper = train["hyper"]
        rate = linear_to_zero(hyper["learning_rate"], train["updates"], hyper["anneal_updates"])
        train, metrics = learn(train, batch, clipped_adam(rate, hyper["max_grad_norm"], _EPSILON), key)
        return train.set("updates", train["updates"] + 1), metrics.set("learning_rate", rate)

    return Algorithm(init, act, update)
