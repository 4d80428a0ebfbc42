"""Operations on the batch axes: each is one function applied to every leaf, whose event axes stay in place."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from typing_extensions import Self

from frl.tensordict.core import Node


class ShapeOps(Node):
    """Indexing and reshaping of the batch axes of a `TensorDict`."""

    __slots__ = ()

    def _index(self, index: Any) -> Self:
        index = _batch_index(index, self.batch_dims)
        return self._map(lambda x: x[index])

    def reshape(self, *shape: int | Sequence[int]) -> Self:
        """The same elements with batch size `shape`, in which one size may be -1."""
        sizes, n = _resolve(_sizes(shape), self.batch_size), self.batch_dims
        return self._map(lambda x: x.reshape(sizes + tuple(x.shape[n:])))

    def flatten(self, start: int = 0, end: int = -1) -> Self:
        """The batch axes from `start` to `end`, both included, as one."""
        n = self.batch_dims
        first, last = _axis(start, n), _axis(end, n)
        return self._map(lambda x: x.flatten(first, last))

    def unsqueeze(self, dim: int) -> Self:
        """A batch axis of size 1 at `dim`."""
        axis = _axis(dim, self.batch_dims + 1)
        return self._map(lambda x: x.unsqueeze(axis))

    def expand(self, *shape: int | Sequence[int]) -> Self:
        """The batch repeated, without a copy, to the size `shape`."""
        sizes, n = _sizes(shape), self.batch_dims
        return self._map(lambda x: x.expand(sizes + tuple(x.shape[n:])))

    def permute(self, *dims: int | Sequence[int]) -> Self:
        """The batch axes in another order."""
        n = self.batch_dims
        order = tuple(_axis(dim, n) for dim in _sizes(dims))
        return self._map(lambda x: x.permute(order + tuple(range(n, x.ndim))))


def _sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], Sequence) else tuple(shape)


def _resolve(sizes: tuple[int, ...], batch: torch.Size) -> tuple[int, ...]:
    return tuple(torch.empty(batch, device="meta").reshape(sizes).shape) if -1 in sizes else sizes


def _axis(dim: int, n: int) -> int:
    if not -n <= dim < n:
        raise IndexError(f"TensorDict: batch axis {dim} is out of range for {n} batch axes.")
    return dim % n


def _batch_index(index: Any, n: int) -> tuple[Any, ...]:
    """`index` as a tuple without an ellipsis; it must not reach behind the `n` batch axes."""
    items = index if isinstance(index, tuple) else (index,)
    used = sum(_consumed(item) for item in items)
    if used > n:
        raise IndexError(f"TensorDict: too many indices: {used} for {n} batch axes.")
    if Ellipsis in [item for item in items if not isinstance(item, Tensor)]:
        at = next(i for i, item in enumerate(items) if item is Ellipsis)
        items = items[:at] + (slice(None),) * (n - used) + items[at + 1 :]
    return items


def _consumed(item: Any) -> int:
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if isinstance(item, Tensor) and item.dtype == torch.bool else 1
