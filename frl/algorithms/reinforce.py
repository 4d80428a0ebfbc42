"""REINFORCE (Williams 1992), with a learnt baseline or without one."""

from typing import NamedTuple

from torch import Tensor

from frl import optim
from frl.algorithms.advantages import advantages, returns, rows
from frl.algorithms.base import Algorithm
from frl.algorithms.gradient import learn_once
from frl.algorithms.networks import ActorCritic
from frl.algorithms.policy_gradient import policy_gradient
from frl.algorithms.ranges import require_ranges
from frl.objectives import ReinforceLoss
from frl.tensordict import TensorDict


class ReinforceConfig(NamedTuple):
    """Hyperparameters of `reinforce`; all but `baseline` become leaves of `train["hyper"]`, to be swept or annealed."""

    baseline: bool = True
    """What counts of a return is what it is above the value of its state."""
    learning_rate: float = 1e-3
    anneal_updates: float = 0.0
    """Updates over which the learning rate falls linearly to zero; 0 keeps it constant."""
    gamma: float = 0.99
    value_cost: float = 0.5
    max_grad_norm: float = 0.5


_DEFAULTS = ReinforceConfig()


def reinforce(networks: ActorCritic, config: ReinforceConfig = _DEFAULTS) -> Algorithm:
    """REINFORCE over a policy and, as its baseline, a value network; `actor_critic` makes both for specs.

    One gradient step for each batch, on all of it, in which an action counts by the return that came after it. Where an
    episode is cut, by a time limit or by the end of the batch, the rest of the return is not known: with a baseline it
    is the value of the true successor; without one it counts as 0, so the policy is one for the horizon of the batch.
    To leave such steps out would be no remedy: those of the long episodes would be missed most.

    Raises: ValueError for a hyperparameter out of range; KeyError, when it updates, if the batch lacks an entry.

    Metrics: "loss_actor", "learning_rate" and, with a baseline, "loss_value".
    Source: Williams (1992), "Simple statistical gradient-following algorithms for connectionist reinforcement
        learning", Machine Learning 8.
    """
    settings = {name: value for name, value in config._asdict().items() if name != "baseline"}
    require_ranges("reinforce", settings)

    def learn(
        train: TensorDict, batch: TensorDict, optimizer: optim.Optimizer, key: Tensor
    ) -> tuple[TensorDict, TensorDict]:
        gamma, critic = train["hyper", "gamma"], networks.critic if config.baseline else None
        loss = ReinforceLoss(networks.actor, critic, critic_coeff=train["hyper", "value_cost"])
        data = advantages(networks, train["params"], batch, gamma, 1.0) if config.baseline else returns(batch, gamma)
        return learn_once(loss, optimizer, train, rows(networks, data))

    return policy_gradient(networks, settings, learn)
