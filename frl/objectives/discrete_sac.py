"""The losses of the soft actor-critic for discrete actions (Christodoulou 2019, arXiv:1910.07207)."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from frl import check
from frl.nn import ProbabilisticActor, ensemble_call, functional_call
from frl.nn.action_space import ActionSpace, action_space
from frl.objectives.actor_critic import require_policy
from frl.objectives.critics import Estimated, critic_losses, detached
from frl.objectives.dqn import require_entries, square
from frl.objectives.sac import soft_parameters, temperature
from frl.objectives.value_estimators import ValueEstimator, td0
from frl.specs import Composite, Spec
from frl.tensordict import TensorDict

_TD0 = td0()


@dataclasses.dataclass(frozen=True)
class DiscreteSACLoss(Estimated):
    """`SACLoss` where the policy's probabilities are known: expectations over all actions, and nothing is drawn.

    The value of a state is Σₐ π(a|s) (min Q(s, a) − α log π(a|s)), for the target of Q and for the policy itself.
    `params`, whose gradient reaches whom, and what it gives are those of `SACLoss`; `entropy` is exact.

    Args: actor: writes "action", from a distribution with `probs`, as `Categorical` and `OneHotCategorical`. qvalue: a
        module over TensorDicts that writes "action_value" [*B, n]. action_space: a spec or a name, of one choice; see
        `ActionSpace`. num_qvalue_nets: N. target_entropy: H̄, a number or a 0-d tensor; None for 0.98 log n. distance:
        what an error costs. value_estimator: the target; see `make_value_estimator`.
    Raises: TypeError for an actor without a distribution, ValueError for an action space of several choices or a number
        out of range; when called, KeyError for a missing entry and ValueError for values that do not fit.

    >>> from frl import random
    >>> from frl.distributions import OneHotCategorical
    >>> from frl.nn import TensorDictModule
    >>> net, value = (TensorDictModule(nn.Linear(4, 2), ["observation"], [key]) for key in ("logits", "action_value"))
    >>> actor = ProbabilisticActor(net, ["logits"], distribution_class=OneHotCategorical)
    >>> loss = DiscreteSACLoss(actor, value, "one_hot")
    >>> after = {"observation": torch.ones(3, 4), "reward": torch.ones(3, 1), "done": torch.ones(3, 1).bool()}
    >>> batch = {"observation": torch.zeros(3, 4), "action": torch.tensor([[1, 0]] * 3), "next": after}
    >>> losses = loss(loss.init(random.key(0)), TensorDict(batch, [3]))
    >>> losses["loss_qvalue"].shape, losses["alpha"].item(), losses["target_value"].tolist()
    (torch.Size([]), 1.0, [1.0, 1.0, 1.0])
    """

    actor: ProbabilisticActor
    qvalue: nn.Module
    action_space: str | Spec | Composite
    num_qvalue_nets: int = 2
    target_entropy: float | Tensor | None = None
    distance: Callable[[Tensor], Tensor] = square
    value_estimator: ValueEstimator = _TD0

    def __post_init__(self) -> None:
        require_policy("DiscreteSACLoss", self.actor)
        check.at_least("DiscreteSACLoss", {"num_qvalue_nets": self.num_qvalue_nets}, 1)
        if self._space().kind not in ("one_hot", "categorical"):
            raise ValueError(
                f"DiscreteSACLoss: the action space is {self._space().kind!r}, of several choices; give one of OneHot "
                "or Categorical actions, or make one choice of them."
            )

    def init(self, key: Tensor) -> TensorDict:
        """Fresh parameters, the same critics for the target, and the temperature 1."""
        return soft_parameters(self.actor, self.qvalue, self.num_qvalue_nets, key)

    def __call__(self, params: Any, batch: TensorDict, key: Tensor | None = None) -> TensorDict:
        """The losses of `batch` [*B]; nothing is drawn."""
        require_entries("DiscreteSACLoss", batch, "action", ("next", "reward"))
        alpha = params["log_alpha"].detach().exp()
        values = self._values(params["qvalue"], batch)
        pred = torch.vmap(lambda value: self._space().value_of(value, batch["action"]).squeeze(-1))(values)
        losses = critic_losses(pred, self._target(params, batch["next"], alpha), batch, self.distance)
        value, entropy = self._state_value(params["actor"], batch, values.detach(), alpha)
        aim = usual_entropy(values.shape[-1]) if self.target_entropy is None else self.target_entropy
        return TensorDict({"loss_actor": -value.mean(), **losses, **temperature(params["log_alpha"], entropy, aim)})

    def _target(self, params: Any, after: TensorDict, alpha: Tensor) -> Tensor:
        values = self._values(params["target"]["qvalue"], after)
        value, _ = self._state_value(detached(params["actor"]), after, values, alpha)
        return self.value_estimator(after, value.detach())

    def _state_value(self, actor: Any, td: TensorDict, values: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
        """The soft values [*B] of the states in `td` for action values [N, *B, n], and the policy's entropy [*B]."""
        policy = functional_call(self.actor.get_dist, actor, td)
        check.shape("DiscreteSACLoss", {"probs": policy.probs}, values.shape[1:], "one for each value")
        entropy = policy.entropy()
        return (policy.probs * values.amin(0)).sum(-1) + alpha * entropy, entropy

    def _values(self, params: Any, td: TensorDict) -> Tensor:
        """[N, *B, n]."""
        values: Tensor = ensemble_call(self.qvalue, params, td)["action_value"]
        self._space().check("DiscreteSACLoss", values)
        return values

    def _space(self) -> ActionSpace:
        return action_space("DiscreteSACLoss", self.action_space)


def usual_entropy(num_actions: int) -> float:
    """The entropy, in nats, that the paper aims at for one of so many actions: 0.98 of that of a uniform choice.

    >>> round(usual_entropy(2), 3)
    0.679
    """
    return 0.98 * math.log(num_actions)
