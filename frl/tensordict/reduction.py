"""Reductions over batch axes, whose event axes stay: `td.mean()` of a batch [T, N] is an average over T and N."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from typing_extensions import Self

from frl.tensordict.core import Node
from frl.tensordict.indexing import axis_of

Dim = int | Sequence[int] | None


class Reduction(Node):
    """Sums, means, extrema and truth of a `TensorDict`."""

    __slots__ = ()

    def _reduce(self, op: Callable[..., Tensor], dim: Dim, keepdim: bool) -> Self:
        """`op(leaf, axes, keepdim=)` over the batch axes `dim`, all by default; no axes, no change."""
        n = self.batch_dims
        wanted = range(n) if dim is None else [dim] if isinstance(dim, int) else dim
        axes = tuple([axis_of(axis, n) for axis in wanted])
        return self._map(lambda x: op(x, axes, keepdim=keepdim)) if axes else self

    def sum(self, dim: Dim = None, keepdim: bool = False) -> Self:
        """The sum over the batch axes `dim`, all by default.

        >>> from frl import TensorDict
        >>> TensorDict({"a": torch.ones(4, 2)}, [4]).sum()["a"]
        tensor([4., 4.])
        """
        return self._reduce(torch.sum, dim, keepdim)

    def mean(self, dim: Dim = None, keepdim: bool = False) -> Self:
        """The mean over the batch axes `dim`, all by default."""
        return self._reduce(torch.mean, dim, keepdim)

    def std(self, dim: Dim = None, keepdim: bool = False, correction: int = 1) -> Self:
        """The standard deviation over the batch axes `dim`, all by default, of n − `correction` degrees of freedom."""
        return self._reduce(lambda x, axes, keepdim: x.std(axes, correction=correction, keepdim=keepdim), dim, keepdim)

    def var(self, dim: Dim = None, keepdim: bool = False, correction: int = 1) -> Self:
        """The variance over the batch axes `dim`, all by default, of n − `correction` degrees of freedom."""
        return self._reduce(lambda x, axes, keepdim: x.var(axes, correction=correction, keepdim=keepdim), dim, keepdim)

    def max(self, dim: Dim = None, keepdim: bool = False) -> Self:
        """The greatest value along the batch axes `dim`, all by default."""
        return self._reduce(torch.amax, dim, keepdim)

    def min(self, dim: Dim = None, keepdim: bool = False) -> Self:
        """The least value along the batch axes `dim`, all by default."""
        return self._reduce(torch.amin, dim, keepdim)

    def all(self, dim: Dim = None, keepdim: bool = False) -> Any:
        """Whether all are true: over the batch axes `dim`, as a TensorDict; without `dim` one bool over everything.

        >>> from frl import TensorDict
        >>> td = TensorDict({"a": torch.ones(2), "next": {"a": torch.zeros(2)}}, [2])
        >>> (td == td).all(), (td == 1).all(0)["next", "a"]
        (True, tensor(False))
        """
        if dim is None:
            return all(bool(x.all()) for x in self.values(True, True))
        return self._reduce(torch.all, dim, keepdim)

    def any(self, dim: Dim = None, keepdim: bool = False) -> Any:
        """Whether any is true: over the batch axes `dim`, as a TensorDict; without `dim` one bool over everything."""
        if dim is None:
            return any(bool(x.any()) for x in self.values(True, True))
        return self._reduce(torch.any, dim, keepdim)
