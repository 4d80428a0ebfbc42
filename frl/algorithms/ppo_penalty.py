"""Proximal policy optimisation with an adaptive penalty (Schulman et al. 2017, arXiv:1707.06347, section 4)."""

from typing import NamedTuple

import torch
from torch import Tensor

from frl import functional as F
from frl.algorithms.base import Algorithm
from frl.algorithms.networks import ActorCritic
from frl.algorithms.ppo import proximal
from frl.algorithms.ranges import require_ranges
from frl.objectives import KLPENPPOLoss
from frl.tensordict import TensorDict


class PPOPenaltyConfig(NamedTuple):
    """Hyperparameters of `ppo_penalty`; all but the counts and `kl_coefficient` become leaves of `train["hyper"]`."""

    num_epochs: int = 4
    num_minibatches: int = 4
    learning_rate: float = 2.5e-4
    anneal_updates: float = 0.0
    """Updates over which the learning rate falls linearly to zero; 0 keeps it constant."""
    gamma: float = 0.99
    lambda_: float = 0.95
    kl_target: float = 0.01
    """How far an update is to move the policy, in nats."""
    kl_coefficient: float = 1.0
    """What a nat costs in the first update."""
    value_clip: float = 0.2
    """How far a value may move from its old one, in units of return; infinite where returns are far from 1."""
    value_cost: float = 0.5
    entropy_cost: float = 0.01
    max_grad_norm: float = 0.5


_DEFAULTS = PPOPenaltyConfig()


def ppo_penalty(networks: ActorCritic, config: PPOPenaltyConfig = _DEFAULTS) -> Algorithm:
    """PPO with a penalty on the divergence of the new policy from the old one in place of the clip; else as `ppo`.

    The penalty's coefficient, `train["kl_coefficient"]`, is halved after an update that moved the policy by less than
    two thirds of the target, over all steps of the batch, and doubled after one that moved it by half as much again.

    Raises: ValueError for a hyperparameter out of range; KeyError, when it updates, if the batch lacks an entry.

    Metrics: "loss_objective", "loss_critic", "entropy", "kl" after the update, "kl_coefficient" in it, "learning_rate".
    """

    def loss(train: TensorDict) -> KLPENPPOLoss:
        hyper = train["hyper"]
        costs = {"critic_coeff": hyper["value_cost"], "entropy_coeff": hyper["entropy_cost"]}
        penalty = {"clip_value": hyper["value_clip"], "beta": train["kl_coefficient"]}
        return KLPENPPOLoss(networks.actor, networks.critic, normalize_advantage=True, **costs, **penalty)

    require_ranges("ppo_penalty", {"kl_coefficient": config.kl_coefficient})
    settings = {name: value for name, value in config._asdict().items() if name != "kl_coefficient"}
    inner = proximal("ppo_penalty", networks, settings, loss, networks.actor[-1].in_keys)

    def init(key: Tensor) -> TensorDict:
        return inner.init(key).set("kl_coefficient", torch.tensor(float(config.kl_coefficient)))

    def update(train: TensorDict, batch: TensorDict, key: Tensor) -> tuple[TensorDict, TensorDict]:
        coefficient = train["kl_coefficient"]
        train, metrics = inner.update(train, batch, key)
        kl = loss(train).divergence(train["params"], batch).mean()
        train = train.set("kl_coefficient", F.adaptive_kl_coefficient(coefficient, kl, train["hyper", "kl_target"]))
        return train, metrics.update({"kl": kl, "kl_coefficient": coefficient})

    return inner._replace(init=init, update=update)
