"""The soft actor-critic with a learnt temperature (Haarnoja et al. 2018, arXiv:1812.05905).

Of discrete actions it is that of Christodoulou (2019), arXiv:1910.07207.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from frl.algorithms.actor_q import ActorQ
from frl.algorithms.base import Algorithm
from frl.algorithms.delayed import Losses, begin, improve
from frl.algorithms.ranges import require_ranges
from frl.nn import ExplorationType, functional_call
from frl.objectives import DiscreteSACLoss, SACLoss, td0
from frl.objectives.discrete_sac import usual_entropy
from frl.tensordict import TensorDict

_TWIN = 2


class SACConfig(NamedTuple):
    """Hyperparameters of `sac`; all but `alpha` become leaves of `train["hyper"]`, to be swept or annealed."""

    learning_rate: float = 1e-3
    """Of the critics, the policy and the logarithm of the temperature."""
    anneal_updates: float = 0.0
    """Updates over which the learning rate falls linearly to zero; 0 keeps it constant."""
    gamma: float = 0.99
    alpha: float = 1.0
    """The temperature at the start, above 0."""
    target_entropy: float | None = None
    """The entropy of an action, in nats, that the temperature aims at; None for −|A|, the negative number of an
    action's elements, or 0.98 log n of n discrete actions."""
    policy_period: float = 1
    """Updates of the critics from one update of the policy and the temperature to the next."""
    target_rate: float = 0.005
    """How far the target critics move towards the trained ones; 1 copies them."""
    target_period: float = 1
    """Updates from one move of the target critics to the next."""
    max_grad_norm: float = 10.0
    """Of the critics' gradient, and of the policy's with the temperature's."""


_DEFAULTS = SACConfig()


def sac(networks: ActorQ, config: SACConfig = _DEFAULTS) -> Algorithm:
    """SAC over a stochastic policy and an action-value network, which `stochastic_actor_q` makes for specs.

    It explores by its own policy, and learns from batches [B] of steps, as a replay buffer samples them. Of n-step
    replay it uses ("next", "discount"), of prioritised replay "_weight". Only termination makes the future worth
    nothing: a step that was cut by a time limit counts with the value of its true successor.

    Args: networks: of discrete actions if their value network has a value for each.
    Raises: ValueError for a hyperparameter out of range; TypeError for a policy without a distribution; KeyError, when
        it updates, if the batch lacks an entry.

    Metrics: "loss_actor", "loss_qvalue", "loss_alpha", "alpha", "entropy", "value", "learning_rate", and "td_error"
    [B], the priorities of the batch.
    """
    discrete = networks.action_spec.domain == "discrete"
    actor: Any = networks.actor

    def loss(hyper: TensorDict) -> Losses:
        target, aim = td0(hyper["gamma"]), hyper["target_entropy"]
        if discrete:
            return DiscreteSACLoss(actor, networks.value, networks.action_spec, _TWIN, aim, value_estimator=target)
        return SACLoss(actor, networks.value, _TWIN, aim, value_estimator=target)

    return soft_actor_critic("sac", networks, _TWIN, config._asdict(), loss)


def soft_actor_critic(
    function: str,
    networks: ActorQ,
    num_critics: int,
    settings: Mapping[str, Any],
    loss: Callable[[TensorDict], Losses],
) -> Algorithm:
    """The algorithm, called `function` in messages, that learns by `loss(hyper)`: what `sac` and `redq` share.

    Args: settings: what becomes leaves, with the names of `SACConfig`.

    >>> from frl import envs, random
    >>> from frl.algorithms import stochastic_actor_q
    >>> env = envs.make("Pendulum-v1", batch_size=[3])
    >>> networks = stochastic_actor_q(env.single_observation_spec, env.single_action_spec)
    >>> settings = SACConfig(target_entropy=-2.0)._asdict()
    >>> loss = SACLoss(networks.actor, networks.value)
    >>> algorithm = soft_actor_critic("sac", networks, 2, settings, lambda hyper: loss)
    >>> algorithm.init(random.key(0))["hyper", "target_entropy"].item()
    -2.0
    """
    aim = settings["target_entropy"]
    numbers = {**settings, "target_entropy": _target_entropy(networks.action_spec) if aim is None else float(aim)}
    require_ranges(function, numbers)
    if not hasattr(networks.actor, "get_dist"):
        raise TypeError(
            f"{function}: the actor is a {type(networks.actor).__name__}, which has no distribution; make the networks "
            "by stochastic_actor_q(observation_spec, action_spec)."
        )

    def init(key: Tensor) -> TensorDict:
        params = networks.init_ensemble(num_critics, key).set("log_alpha", torch.tensor(float(numbers["alpha"])).log())
        return begin(params, ("qvalue",), {name: value for name, value in numbers.items() if name != "alpha"})

    def act(train: TensorDict, td: TensorDict, key: Tensor | None = None, explore: bool = True) -> TensorDict:
        how = ExplorationType.RANDOM if explore else ExplorationType.DETERMINISTIC
        acted = functional_call(networks.actor, train["params", "actor"], td, key=key, exploration=how)
        return td.set("action", acted["action"])

    def update(train: TensorDict, batch: TensorDict, key: Tensor) -> tuple[TensorDict, TensorDict]:
        return improve(loss(train["hyper"]), train, batch, key)

    return Algorithm(init, act, update)


def _target_entropy(spec: Any) -> float:
    """The usual one: −|A|, or 0.98 of that of a uniform choice."""
    return usual_entropy(spec.n) if spec.domain == "discrete" else -float(math.prod(spec.shape))
