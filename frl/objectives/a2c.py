"""The loss of advantage actor-critic (Mnih et al. 2016, arXiv:1602.01783)."""

import dataclasses

from torch import Tensor

from frl import functional as F
from frl.distributions import Distribution
from frl.objectives.actor_critic import ActorCriticLoss
from frl.tensordict import TensorDict


@dataclasses.dataclass(frozen=True)
class A2CLoss(ActorCriticLoss):
    """The policy's loss −mean(A log π), the error of the values, and a bonus for entropy (sec. 4 of the paper).

    `loss(params, batch)` is a pure function of `params`, {"actor", "critic"} as `init` makes them. It gives

        loss                           [], loss_objective + critic_coeff · loss_critic − entropy_coeff · entropy
        loss_objective, loss_critic    []; loss_critic is ½ (V − value_target)² or, with `clip_value`, that clipped
        entropy                        []

    A batch [*B] holds "action", what the networks read, "advantage" and "value_target" [*B, 1] and, with `clip_value`,
    "state_value" [*B, 1], which are no subject of its gradient. Recurrent networks read batches [*B, T] as sequences,
    from the state that the batch holds at their first steps.

    Args: see `ActorCriticLoss`; numbers may be 0-d tensors.
    Raises: TypeError for an actor without a distribution, ValueError for a number out of range; KeyError, when called,
        for a missing entry.

    >>> import torch
    >>> from frl import nn
    >>> from frl.distributions import Categorical
    >>> net = nn.TensorDictModule(torch.nn.Linear(4, 2), ["observation"], ["logits"])
    >>> actor = nn.ProbabilisticActor(net, ["logits"], distribution_class=Categorical)
    >>> loss = A2CLoss(actor, nn.ValueOperator(torch.nn.Linear(4, 1)))
    >>> steps = {"observation": torch.zeros(8, 4), "action": torch.zeros(8, dtype=torch.int64)}
    >>> batch = TensorDict({**steps, "advantage": torch.ones(8, 1), "value_target": torch.zeros(8, 1)}, [8])
    >>> sorted(loss(loss.init(), batch))
    ['entropy', 'loss', 'loss_critic', 'loss_objective']
    """

    def _objective(
        self, policy: Distribution, log_prob: Tensor, advantage: Tensor, batch: TensorDict
    ) -> tuple[Tensor, dict[str, Tensor]]:
        return F.policy_gradient_loss(log_prob, advantage), {}
