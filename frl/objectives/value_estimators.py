"""Value estimators: what a value should have been, from the "next" of a batch and the values of its successors."""

import enum
from collections.abc import Callable

from torch import Tensor

from frl import functional as F
from frl.tensordict import TensorDict, scalar

ValueEstimator = Callable[[TensorDict, Tensor], Tensor]
"""`estimator(after, next_value) -> target`: the "next" of a batch [*B], the values [*B] of its successors, [*B]."""


class ValueEstimators(enum.Enum):
    """The value estimators by name; `value_estimator` makes the function."""

    TD0 = "td0"
    TD1 = "td1"
    TDLambda = "td_lambda"
    GAE = "gae"
    VTrace = "vtrace"


def value_estimator(
    kind: ValueEstimators, gamma: float | Tensor = 0.99, lambda_: float | Tensor = 0.95
) -> ValueEstimator:
    """The value estimator of that name, for a loss of action values. GAE's target, A + V, is the λ-return.

    Args: gamma, lambda_: in [0, 1], or 0-d tensors, so that they can be swept, annealed and differentiated.
    Raises: TypeError for what is none of them; ValueError for V-trace, which corrects for a policy that has
        probabilities.

    >>> import torch
    >>> after = {"reward": torch.ones(2, 1), "terminated": torch.tensor([[False], [True]])}
    >>> value_estimator(ValueEstimators.TD0, gamma=0.5)(TensorDict(after, [2]), torch.tensor([4.0, 4.0])).tolist()
    [3.0, 1.0]
    """
    if not isinstance(kind, ValueEstimators):
        raise TypeError(f"value_estimator: got {kind!r}; expected one of {[str(each) for each in ValueEstimators]}.")
    if kind is ValueEstimators.TD0:
        return td0(gamma)
    if kind is ValueEstimators.TD1:
        return td_lambda(gamma, 1.0)
    if kind in (ValueEstimators.TDLambda, ValueEstimators.GAE):
        return td_lambda(gamma, lambda_)
    raise ValueError(
        f"value_estimator: got {kind!r}, which needs the probabilities of the actions; for the value of a "
        "deterministic policy use TD0, TD1 or TDLambda, or frl.functional.vtrace for a stochastic one."
    )


def td0(gamma: float | Tensor = 0.99) -> ValueEstimator:
    """The target r + γ (1 − terminated) V, or r + discount · V where a batch has ("next", "discount").

    The latter is what a replay buffer of n-step returns gives.

    >>> import torch
    >>> after = {"reward": torch.ones(1), "discount": torch.tensor([0.25]), "terminated": torch.tensor([False])}
    >>> td0(0.5)(TensorDict(after, []), torch.tensor(4.0)).item()
    2.0
    """

    def estimate(after: TensorDict, next_value: Tensor) -> Tensor:
        if "discount" in after:
            return scalar(after, "reward") + scalar(after, "discount") * next_value
        return F.td0_targets(scalar(after, "reward"), next_value, _terminated(after), gamma)

    return estimate


def td_lambda(gamma: float | Tensor = 0.99, lambda_: float | Tensor = 0.95) -> ValueEstimator:
    """The λ-return of a batch [*B, T] along its last axis, bootstrapped at its end and wherever an episode is cut.

    >>> import torch
    >>> after = {"reward": torch.ones(2, 1), "terminated": torch.zeros(2, 1, dtype=torch.bool)}
    >>> td_lambda(0.5, 1.0)(TensorDict(after, [2]), torch.tensor([8.0, 4.0])).tolist()
    [2.5, 3.0]
    """

    def estimate(after: TensorDict, next_value: Tensor) -> Tensor:
        if after.batch_dims == 0:
            raise ValueError(
                "td_lambda: the batch has no time axis but must be [*B, T]; pass trajectories, or estimate by td0."
            )
        terminated = _terminated(after)
        truncated = scalar(after, "truncated") if "truncated" in after else terminated
        steps = (scalar(after, "reward"), next_value, terminated, truncated)
        reward, following, ends, cuts = (x.movedim(-1, 0) for x in steps)
        return F.td_lambda_returns(reward, following, ends, cuts, gamma, lambda_).movedim(0, -1)

    return estimate


def _terminated(after: TensorDict) -> Tensor:
    """Where nothing comes after; of a batch that has "done" alone, that is taken for it."""
    return scalar(after, "terminated" if "terminated" in after else "done")
