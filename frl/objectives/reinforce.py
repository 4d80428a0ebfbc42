"""The loss of REINFORCE (Williams 1992), with or without a baseline."""

import dataclasses
from typing import Any

from torch import Tensor, nn

from frl import check
from frl import functional as F
from frl.nn.params import from_module
from frl.objectives.actor_critic import REMEDY, distribution, joint, require_policy, value_loss
from frl.objectives.dqn import require_entries
from frl.tensordict import TensorDict, scalar


@dataclasses.dataclass(frozen=True)
class ReinforceLoss:
    """The policy's loss −mean(A log π) and, where a baseline is learnt, the error of that.

    `loss(params, batch)` is a pure function of `params`, {"actor"} and, with a critic, {"actor", "critic"}, as `init`
    makes them. It gives

        loss          [], loss_actor + critic_coeff · loss_value
        loss_actor    []
        loss_value    [], ½ (V − value_target)²; not there without a critic

    A batch [*B] holds "action", what the networks read, "advantage" [*B, 1], which is the return or what it is above
    the baseline, and, with a critic, "value_target" [*B, 1], the return. They are no subject of its gradient. Recurrent
    networks read batches [*B, T] as sequences, from the state that the batch holds at their first steps.

    Args: actor: a probabilistic module over TensorDicts, such as `ProbabilisticActor`, whose value is "action". critic:
        a module that writes "state_value" [*B, 1], or None. critic_coeff: how much its error counts.
    Raises: TypeError for an actor without a distribution, ValueError for a number out of range; KeyError, when called,
        for a missing entry.
    Source: Williams (1992), "Simple statistical gradient-following algorithms for connectionist reinforcement
        learning", Machine Learning 8.

    >>> import torch
    >>> from frl.distributions import Categorical
    >>> from frl.nn import ProbabilisticActor, TensorDictModule
    >>> net = TensorDictModule(nn.Linear(4, 2), ["observation"], ["logits"])
    >>> loss = ReinforceLoss(ProbabilisticActor(net, ["logits"], distribution_class=Categorical))
    >>> steps = {"observation": torch.zeros(8, 4), "action": torch.zeros(8, dtype=torch.int64)}
    >>> list(loss(loss.init(), TensorDict({**steps, "advantage": torch.ones(8, 1)}, [8])))
    ['loss', 'loss_actor']
    """

    actor: Any
    critic: nn.Module | None = None
    critic_coeff: float | Tensor = 1.0

    def __post_init__(self) -> None:
        require_policy("ReinforceLoss", self.actor)
        check.at_least("ReinforceLoss", {"critic_coeff": self.critic_coeff}, 0)

    def init(self) -> TensorDict:
        """The networks' own parameters."""
        actor = {"actor": from_module(self.actor)}
        return TensorDict(actor if self.critic is None else {**actor, "critic": from_module(self.critic)})

    def __call__(self, params: Any, batch: TensorDict, key: Tensor | None = None) -> TensorDict:
        """The losses of `batch` [*B]; nothing is drawn."""
        target = () if self.critic is None else ("value_target",)
        require_entries("ReinforceLoss", batch, "action", "advantage", *target, remedy=REMEDY)
        policy = distribution(self.actor, params["actor"], batch)
        log_prob = joint(policy.log_prob(batch["action"]), batch)
        actor = F.policy_gradient_loss(log_prob, scalar(batch, "advantage"))
        if self.critic is None:
            return TensorDict({"loss": actor, "loss_actor": actor})
        error = value_loss(self.critic, params["critic"], batch)
        return TensorDict({"loss": actor + self.critic_coeff * error, "loss_actor": actor, "loss_value": error})
