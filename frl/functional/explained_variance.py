"""How much of its target a value function explains."""

import torch
from torch import Tensor

from frl import check


def explained_variance(value: Tensor, target: Tensor) -> Tensor:
    """1 − Var(target − value) / Var(target): 1 is perfect, 0 no better than a constant, below 0 worse.

    Args: value, target: [*B], at least one element. Returns: []; 0 where the target is constant.
    Raises: ValueError if the shapes differ or are empty, TypeError if the dtypes do not fit.

    >>> explained_variance(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 2.0])).item()
    0.75
    """
    values = {"value": value, "target": target}
    check.floating("explained_variance", values)
    check.same_dtype("explained_variance", values)
    check.same_shape("explained_variance", values, "pass both as [*B]")
    check.at_least("explained_variance: the number of elements of target", {"numel": target.numel()}, 1)
    total, rest = target.var(correction=0), (target - value).var(correction=0)
    return torch.where(total > 0, 1 - rest / torch.where(total > 0, total, 1.0), 0.0)
