"""What losses of several action-value networks share: the values of an ensemble, and what their errors cost."""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

from torch import Tensor, nn

from frl import tree
from frl.nn.ensemble import ensemble_call
from frl.objectives.value_estimators import ValueEstimators, value_estimator
from frl.tensordict import TensorDict, scalar

L = TypeVar("L", bound="Estimated")


class Estimated:
    """A loss, a frozen dataclass, with a field `value_estimator`.

    >>> from frl.objectives import ValueEstimator
    >>> @dataclasses.dataclass(frozen=True)
    ... class Loss(Estimated):
    ...     value_estimator: ValueEstimator
    >>> loss = Loss(value_estimator(ValueEstimators.TD1))
    >>> loss.make_value_estimator(gamma=0.5).value_estimator is loss.value_estimator
    False
    """

    default_value_estimator = ValueEstimators.TD0

    def make_value_estimator(
        self: L,
        kind: ValueEstimators = ValueEstimators.TD0,
        gamma: float | Tensor = 0.99,
        lambda_: float | Tensor = 0.95,
    ) -> L:
        """This loss with the estimator of that name; see `value_estimator`."""
        made: Any = dataclasses.replace(self, value_estimator=value_estimator(kind, gamma, lambda_))  # type: ignore[type-var]
        return made


def action_values(critic: nn.Module, params: Any, td: TensorDict) -> Tensor:
    """The values [N, *B] of the actions in `td` [*B], by each member of an ensemble.

    >>> import torch
    >>> from frl.nn import ValueOperator
    >>> critic = ValueOperator(nn.Linear(1, 1, bias=False), ["action"])
    >>> members = TensorDict({"module": {"weight": torch.tensor([[[1.0]], [[3.0]]])}})
    >>> action_values(critic, members, TensorDict({"action": torch.ones(4, 1)}, [4])).tolist()
    [[1.0, 1.0, 1.0, 1.0], [3.0, 3.0, 3.0, 3.0]]
    """
    return scalar(ensemble_call(critic, params, td), "state_action_value")


def detached(params: Any) -> Any:
    """The parameters as numbers, which no gradient reaches.

    >>> import torch
    >>> detached({"w": torch.ones(1, requires_grad=True)})["w"].requires_grad
    False
    """
    return tree.map(lambda x: x.detach(), params)


def critic_losses(
    pred: Tensor, target: Tensor, batch: TensorDict, distance: Callable[[Tensor], Tensor]
) -> dict[str, Tensor]:
    """What the errors of `pred` [N, *B] against `target` [*B] cost, summed over the members.

    Each error counts with "_weight" [*B] where the batch has one. "td_error" is the greatest of the members', and
    "pred_value" their mean.

    >>> import torch
    >>> losses = critic_losses(torch.tensor([[1.0], [4.0]]), torch.tensor([2.0]), TensorDict({}, [1]), torch.square)
    >>> losses["loss_qvalue"].item(), losses["td_error"].tolist(), losses["pred_value"].tolist()
    (5.0, [2.0], [2.5])
    """
    error = pred - target
    cost = distance(error).sum(0)
    return {
        "loss_qvalue": (cost * batch["_weight"] if "_weight" in batch else cost).mean(),
        "td_error": error.detach().abs().amax(0),
        "pred_value": pred.detach().mean(0),
        "target_value": target.detach(),
    }
