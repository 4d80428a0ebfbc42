"""Randomized ensembled double Q-learning (Chen et al. 2021, arXiv:2101.05982)."""

from typing import Any, NamedTuple

from frl import check
from frl.algorithms.actor_q import ActorQ
from frl.algorithms.base import Algorithm
from frl.algorithms.delayed import Losses
from frl.algorithms.ranges import require_ranges
from frl.algorithms.sac import soft_actor_critic
from frl.objectives import REDQLoss, td0
from frl.tensordict import TensorDict


class REDQConfig(NamedTuple):
    """Hyperparameters of `redq`; all but the counts and `alpha` become leaves of `train["hyper"]`, to be swept."""

    num_critics: int = 10
    num_target_critics: int = 2
    """How many of the critics, drawn anew at each update, make the target."""
    learning_rate: float = 1e-3
    """Of the critics, the policy and the logarithm of the temperature."""
    anneal_updates: float = 0.0
    """Updates over which the learning rate falls linearly to zero; 0 keeps it constant."""
    gamma: float = 0.99
    alpha: float = 1.0
    """The temperature at the start, above 0."""
    target_entropy: float | None = None
    """The entropy of an action, in nats, that the temperature aims at; None for −|A|, the negative number of an
    action's elements."""
    policy_period: float = 20
    """Updates of the critics from one update of the policy and the temperature to the next; in the paper as many as are
    made for each step of the environment."""
    target_rate: float = 0.005
    """How far the target critics move towards the trained ones; 1 copies them."""
    target_period: float = 1
    """Updates from one move of the target critics to the next."""
    max_grad_norm: float = 10.0
    """Of the critics' gradient, and of the policy's with the temperature's."""


_DEFAULTS = REDQConfig()
_COUNTS = ("num_critics", "num_target_critics")


def redq(networks: ActorQ, config: REDQConfig = _DEFAULTS) -> Algorithm:
    """REDQ over a stochastic policy and an action-value network, which `stochastic_actor_q` makes for specs.

    It is SAC with many critics, a few of which make the target, so that it can learn much from each step of the
    environment: let the loop make 20 updates for each. What it explores by, and what it reads of a batch, is as in
    `sac`.

    Raises: ValueError for a hyperparameter out of range; TypeError for discrete actions or a policy without a
        distribution; KeyError, when it updates, if the batch lacks an entry.

    Metrics: those of `sac`.
    """
    settings = {name: value for name, value in config._asdict().items() if name not in _COUNTS}
    require_ranges("redq", {name: getattr(config, name) for name in _COUNTS})
    check.at_most("redq", {"num_target_critics": config.num_target_critics}, config.num_critics)
    if networks.action_spec.domain == "discrete":
        raise TypeError(
            f"redq: the action spec is {type(networks.action_spec).__name__}, of discrete actions; take sac for them."
        )

    actor: Any = networks.actor

    def loss(hyper: TensorDict) -> Losses:
        return REDQLoss(
            actor,
            networks.value,
            config.num_critics,
            hyper["target_entropy"],
            value_estimator=td0(hyper["gamma"]),
            sub_sample_len=config.num_target_critics,
        )

    return soft_actor_critic("redq", networks, config.num_critics, settings, loss)
