"""Advantage actor-critic (Mnih et al. 2016, arXiv:1602.01783), all environments in step."""

from typing import NamedTuple

from torch import Tensor

from frl import optim
from frl.algorithms.advantages import advantages, rows
from frl.algorithms.base import Algorithm
from frl.algorithms.gradient import learn_once
from frl.algorithms.networks import ActorCritic
from frl.algorithms.policy_gradient import policy_gradient
from frl.algorithms.ranges import require_ranges
from frl.objectives import A2CLoss
from frl.tensordict import TensorDict


class A2CConfig(NamedTuple):
    """Hyperparameters of `a2c`; all become leaves of `train["hyper"]`, to be swept or annealed."""

    learning_rate: float = 1e-3
    anneal_updates: float = 0.0
    """Updates over which the learning rate falls linearly to zero; 0 keeps it constant."""
    gamma: float = 0.99
    lambda_: float = 1.0
    """1 takes the rewards up to the end of the rollout and a value there, as the paper does; less, values before it."""
    value_cost: float = 0.5
    entropy_cost: float = 0.01
    max_grad_norm: float = 0.5


_DEFAULTS = A2CConfig()


def a2c(networks: ActorCritic, config: A2CConfig = _DEFAULTS) -> Algorithm:
    """A2C over a policy and a value network, which `actor_critic(observation_spec, action_spec)` makes for specs.

    One gradient step for each batch, on all of it. An episode cut by a time limit, or by the end of the batch, is
    bootstrapped with the value of its true successor; only termination makes the future worth nothing. It descends by
    Adam where the paper took RMSprop.

    Raises: ValueError for a hyperparameter out of range; KeyError, when it updates, if the batch lacks an entry.

    Metrics: "loss_objective", "loss_critic", "entropy", "learning_rate".
    """
    settings = config._asdict()
    require_ranges("a2c", settings)

    def learn(
        train: TensorDict, batch: TensorDict, optimizer: optim.Optimizer, key: Tensor
    ) -> tuple[TensorDict, TensorDict]:
        hyper = train["hyper"]
        data = rows(networks, advantages(networks, train["params"], batch, hyper["gamma"], hyper["lambda_"]))
        costs = {"critic_coeff": hyper["value_cost"], "entropy_coeff": hyper["entropy_cost"]}
        return learn_once(A2CLoss(networks.actor, networks.critic, **costs), optimizer, train, data)

    return policy_gradient(networks, settings, learn)
