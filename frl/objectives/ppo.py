"""The losses of proximal policy optimisation (Schulman et al. 2017, arXiv:1707.06347): by a clip, and by a penalty."""

import dataclasses
from typing import Any

from torch import Tensor

from frl import check
from frl import functional as F
from frl.distributions import Distribution, kl_divergence
from frl.nn import TensorDictSequential
from frl.objectives.actor_critic import ActorCriticLoss, distribution, joint
from frl.tensordict import TensorDict


@dataclasses.dataclass(frozen=True)
class ClipPPOLoss(ActorCriticLoss):
    """The clipped surrogate objective, the error of the values, and a bonus for entropy (sec. 3 and 5 of the paper).

    `loss(params, batch)` is a pure function of `params`, {"actor", "critic"} as `init` makes them. It gives

        loss                           [], loss_objective + critic_coeff · loss_critic − entropy_coeff · entropy
        loss_objective, loss_critic    []; loss_critic is ½ (V − value_target)² or, with `clip_value`, that clipped
        entropy, kl_approx             [], the latter an estimate of how far the policy is from the one that acted
        clip_fraction                  [], of the actions whose probability has left the clip

    A batch [*B] holds "action" and "sample_log_prob", as the policy wrote them, what the networks read, "advantage" and
    "value_target" [*B, 1] and, with `clip_value`, "state_value" [*B, 1], which are no subject of its gradient.
    Recurrent networks read batches [*B, T] as sequences, from the state that the batch holds at their first steps.

    Args: actor, critic, critic_coeff, entropy_coeff, clip_value, normalize_advantage: see `ActorCriticLoss`.
        clip_epsilon: how far the ratio of probabilities may be from 1 and still count. Numbers may be 0-d tensors.
    Raises: TypeError for an actor without a distribution, ValueError for a number out of range; KeyError, when called,
        for a missing entry.

    >>> import torch
    >>> from frl import nn, random
    >>> from frl.distributions import Categorical
    >>> net = nn.TensorDictModule(torch.nn.Linear(4, 2), ["observation"], ["logits"])
    >>> actor = nn.ProbabilisticActor(net, ["logits"], distribution_class=Categorical, return_log_prob=True)
    >>> loss = ClipPPOLoss(actor, nn.ValueOperator(torch.nn.Linear(4, 1)))
    >>> acted = actor(TensorDict({"observation": torch.ones(8, 4)}, [8]), key=random.key(0)).detach()
    >>> losses = loss(loss.init(), acted.update({"advantage": torch.ones(8, 1), "value_target": torch.zeros(8, 1)}))
    >>> losses["loss_objective"].item(), losses["clip_fraction"].item()
    (-1.0, 0.0)
    """

    clip_epsilon: float | Tensor = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        check.above("ClipPPOLoss", {"clip_epsilon": self.clip_epsilon}, 0)

    def _reads(self) -> tuple[Any, ...]:
        return ("sample_log_prob",)

    def _objective(
        self, policy: Distribution, log_prob: Tensor, advantage: Tensor, batch: TensorDict
    ) -> tuple[Tensor, dict[str, Tensor]]:
        old = joint(batch["sample_log_prob"], batch)
        objective = F.clipped_surrogate(log_prob, old, advantage, self.clip_epsilon)
        fraction = F.clip_fraction(log_prob, old, self.clip_epsilon)
        return objective, {"kl_approx": F.approx_kl(log_prob, old), "clip_fraction": fraction}


@dataclasses.dataclass(frozen=True)
class KLPENPPOLoss(ActorCriticLoss):
    """The surrogate objective with a penalty on the divergence from the policy that acted (sec. 4 of the paper).

    As `ClipPPOLoss`, but for its objective −mean(ρ A) + beta · KL(old ‖ new), and it gives "kl", [], instead of
    "kl_approx" and "clip_fraction". The batch holds, besides, the parameters of the distributions that the actions were
    drawn from, under the names that the actor gives them: "logits", or "loc" and "scale".

    Args: actor: its last module builds the distribution. beta: how much the divergence costs, a number or a 0-d tensor;
        `frl.functional.adaptive_kl_coefficient` makes the next one. The others: see `ActorCriticLoss`.
    Raises: as `ClipPPOLoss`; TypeError, when called, for distributions whose divergence has no closed form.

    >>> import torch
    >>> from frl import nn, random
    >>> from frl.distributions import Categorical
    >>> net = nn.TensorDictModule(torch.nn.Linear(4, 2), ["observation"], ["logits"])
    >>> actor = nn.ProbabilisticActor(net, ["logits"], distribution_class=Categorical, return_log_prob=True)
    >>> loss = KLPENPPOLoss(actor, nn.ValueOperator(torch.nn.Linear(4, 1)), beta=2.0)
    >>> acted = actor(TensorDict({"observation": torch.ones(8, 4)}, [8]), key=random.key(0)).detach()
    >>> losses = loss(loss.init(), acted.update({"advantage": torch.ones(8, 1), "value_target": torch.zeros(8, 1)}))
    >>> losses["loss_objective"].item(), losses["kl"].item()
    (-1.0, 0.0)
    """

    beta: float | Tensor = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check.at_least("KLPENPPOLoss", {"beta": self.beta}, 0)
        if not isinstance(self.actor, TensorDictSequential):
            raise TypeError(
                f"KLPENPPOLoss: actor is a {type(self.actor).__name__}, but its last module must build the "
                "distribution; pass a ProbabilisticActor."
            )

    def divergence(self, params: Any, batch: TensorDict) -> Tensor:
        """KL(old ‖ new) [*B] of the policy with `params` from the one that acted, in the states of `batch` [*B]."""
        return self._divergence(distribution(self.actor, params["actor"], batch), batch)

    def _divergence(self, policy: Distribution, batch: TensorDict) -> Tensor:
        old: Distribution = self.actor[-1].get_dist(batch)
        return joint(kl_divergence(old, policy), batch)

    def _reads(self) -> tuple[Any, ...]:
        return ("sample_log_prob", *self.actor[-1].in_keys)

    def _objective(
        self, policy: Distribution, log_prob: Tensor, advantage: Tensor, batch: TensorDict
    ) -> tuple[Tensor, dict[str, Tensor]]:
        kl = self._divergence(policy, batch).mean()
        old = joint(batch["sample_log_prob"], batch)
        return F.surrogate(log_prob, old, advantage) + self.beta * kl, {"kl": kl}
