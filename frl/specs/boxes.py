"""The set that one element of a value is taken from."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False, repr=False)
class ContinuousBox:
    """The interval from `low` to `high`, both included, for every element.

    >>> ContinuousBox(torch.zeros(2), torch.ones(2))
    ContinuousBox(
        low=Tensor(shape=torch.Size([2]), device=cpu, dtype=torch.float32, contiguous=True),
        high=Tensor(shape=torch.Size([2]), device=cpu, dtype=torch.float32, contiguous=True))
    """

    low: Tensor
    high: Tensor

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ContinuousBox):
            return NotImplemented
        return torch.equal(self.low.cpu(), other.low.cpu()) and torch.equal(self.high.cpu(), other.high.cpu())

    def __hash__(self) -> int:
        return hash(("ContinuousBox", self.low.shape))

    def __repr__(self) -> str:
        return f"ContinuousBox(\n    low={_describe(self.low)},\n    high={_describe(self.high)})"


@dataclass(frozen=True)
class CategoricalBox:
    """The integers from 0 to `n` - 1; of several categorical values, one `n` for each.

    >>> CategoricalBox(2)
    CategoricalBox(n=2)
    """

    n: int | tuple[int, ...]


Box = ContinuousBox | CategoricalBox


def _describe(x: Tensor) -> str:
    return f"Tensor(shape={x.shape}, device={x.device}, dtype={x.dtype}, contiguous={x.is_contiguous()})"
