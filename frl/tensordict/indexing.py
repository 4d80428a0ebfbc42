"""Indexing of the batch axes, and what stands for writing into them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import Self

from frl.tensordict.core import Node

_INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8)


class Indexing(Node):
    """Reading and writing of rows of a `TensorDict`."""

    __slots__ = ()

    def _index(self, index: Any) -> Self:
        if type(index) is int and self.batch_dims > 0:
            return self._map(lambda x: x[index])
        return self._map(_taker(index, self.batch_dims))

    @property
    def at(self) -> "At":
        """`td.at[index].set(value)` and `.add(value)`: what `td[index] = value` and `+=` do, as a new TensorDict.

        >>> from frl import TensorDict
        >>> tds = TensorDict({}, [3])
        >>> for i in range(3):
        ...     tds = tds.at[i].set(TensorDict({"reward": torch.tensor(float(i))}))
        >>> tds["reward"]
        tensor([0., 1., 2.])
        """
        return At(self)

    def gather(self, dim: int, index: Tensor) -> Self:
        """Along the batch axis `dim`, the elements at `index`, which has a batch size that differs there only.

        >>> from frl import TensorDict
        >>> TensorDict({"a": torch.tensor([[1, 2], [3, 4]])}, [2, 2]).gather(1, torch.tensor([[1], [0]]))["a"]
        tensor([[2],
                [3]])
        """
        n = self.batch_dims
        if index.ndim != n:
            raise ValueError(f"gather: index has shape {list(index.shape)} but must have {n} axes, as the batch has.")
        axis = axis_of(dim, n)

        def pick(x: Tensor) -> Tensor:
            where = _behind(index, x.ndim - n).expand(index.shape + x.shape[n:])
            return x.gather(axis, where)

        return self._map(pick)

    def masked_select(self, mask: Tensor) -> Self:
        """The elements where the boolean `mask`, of the leading batch axes, holds: td[mask]."""
        if mask.dtype != torch.bool:
            raise TypeError(f"masked_select: mask is {mask.dtype} but must be torch.bool.")
        return self._index(mask)


class At:
    """The elements of a TensorDict at an index; see `TensorDict.at`."""

    def __init__(self, td: Any, index: Any = ...):
        self._td = td
        self._at = index

    def __getitem__(self, index: Any) -> "At":
        return At(self._td, index)

    def set(self, value: Any) -> Any:
        """The TensorDict with `value` at the index: a TensorDict, a dict, a number, or a tensor for every entry.

        Keys that `value` lacks stay as they are. Keys that are new are zero elsewhere.

        Raises: ValueError if the value does not fit the index; IndexError if the index does not fit the batch.
        """
        return self._write(value, False)

    def add(self, value: Any) -> Any:
        """The TensorDict with `value` added at the index; an element that the index names twice receives both."""
        return self._write(value, True)

    def _write(self, value: Any, accumulate: bool) -> Any:
        batch = self._td.batch_size
        rows = _rows(self._at, batch)
        if isinstance(value, dict):
            value = type(self._td)(value, rows.shape)
        if isinstance(value, Node) and _differ(value.batch_size, rows.shape):
            raise ValueError(
                f"at[...]: the index takes a batch of size {list(rows.shape)} out of {list(batch)}, but the value has "
                f"batch size {list(value.batch_size)}."
            )
        return _put(self._td, rows, value, accumulate)


def axis_of(dim: int, n: int) -> int:
    """The batch axis `dim` of `n`, counted from the front.

    >>> axis_of(-1, 3)
    2
    """
    if not -n <= dim < n:
        raise IndexError(f"TensorDict: batch axis {dim} is out of range for {n} batch axes.")
    return dim % n


def _rows(index: Any, batch: torch.Size) -> Tensor:
    """The numbers, in row-major order, of the batch elements that the index takes."""
    if len(batch) == 1 and isinstance(index, Tensor) and index.dtype == torch.int64:
        return index
    return _taker(index, len(batch))(torch.arange(batch.numel()).reshape(batch))


def _put(td: Any, rows: Tensor, value: Any, accumulate: bool) -> Any:
    """`td` with `value`, a node or what all entries receive, in its elements number `rows`."""
    batch, data = td.batch_size, dict(td._data)
    for key in value if isinstance(value, Node) else td:
        new = value._read(key) if isinstance(value, Node) else value
        old = td._read(key) if key in data else _zeros_for(td, new, len(rows.shape))
        if isinstance(old, Node) != isinstance(new, Node) and isinstance(value, Node):
            raise ValueError(f"at[...]: one of the entries {key!r} is a TensorDict and the other is a tensor.")
        if isinstance(old, Node):
            data[key] = _put(old, rows, new, accumulate)
        else:
            event = old.shape[len(batch) :]
            if isinstance(value, Node):
                _require_event(key, event, new.shape[value.batch_dims :])
            else:
                new = _behind(torch.as_tensor(new), len(event))
            data[key] = _put_leaf(old, rows, new.to(old).expand(rows.shape + event), accumulate)
    return td._build({key: data[key] for key in sorted(data)}, batch, td._device)


def _zeros_for(td: Any, new: Any, n: int) -> Any:
    """Where a new entry is to be written: zeros, or an empty TensorDict, of the whole batch."""
    if isinstance(new, Node):
        return type(td)({}, td.batch_size, new._device)
    return new.new_zeros(td.batch_size + new.shape[n:])


def _put_leaf(old: Tensor, rows: Tensor, new: Tensor, accumulate: bool) -> Tensor:
    event = new.shape[rows.ndim :]
    where = rows.reshape(-1).to(old.device)
    flat = old.reshape(-1, *event) if old.ndim != len(event) + 1 else old
    return flat.index_put((where,), new.reshape(where.shape + event), accumulate).reshape(old.shape)


def _require_event(key: str, old: torch.Size, new: torch.Size) -> None:
    if old != new:
        raise ValueError(f"at[...]: entry {key!r} has elements of shape {list(old)} but the value has {list(new)}.")


def _behind(x: Tensor, axes: int) -> Tensor:
    """`x` with `axes` axes of size 1 behind its own; a number without axes stays."""
    return x.reshape(x.shape + (1,) * axes) if x.ndim and axes else x


def _differ(value: torch.Size, rows: torch.Size) -> bool:
    """Whether a batch of size `value` cannot be broadcast to `rows`."""
    return len(value) > len(rows) or any(a not in (1, b) for a, b in zip(value[::-1], rows[::-1], strict=False))


def _taker(index: Any, n: int) -> Callable[[Tensor], Tensor]:
    """The function x -> x[index], where the index does not reach behind the `n` batch axes.

    Indexing by a tensor without axes reads its value: a vmapped function cannot, and a compiled one is compiled anew
    for each value. So the tensor becomes one of size 1, and its axis is taken away again.
    """
    items = _items(index, n)
    scalars = [i for i, item in enumerate(items) if isinstance(item, Tensor)]
    if not scalars or any(items[i].ndim > 0 or items[i].dtype == torch.bool for i in scalars):
        return lambda x: x[items]
    adjacent = scalars[-1] - scalars[0] == len(scalars) - 1
    axis = sum([type(item) is not int for item in items[: scalars[0]]]) if adjacent else 0
    rows = tuple([item.reshape(1) if isinstance(item, Tensor) else item for item in items])
    return lambda x: x[rows].squeeze(axis)


def _items(index: Any, n: int) -> tuple[Any, ...]:
    """`index` as a tuple without an ellipsis; it must not reach behind the `n` batch axes."""
    items = tuple([_item(item) for item in (index if isinstance(index, tuple) else (index,))])
    used = sum([_consumed(item) for item in items])
    if used > n:
        raise IndexError(
            f"TensorDict: too many indices: {used} for {n} batch axes; index an entry's own axes as td[key][index]."
        )
    for i, item in enumerate(items):
        if item is Ellipsis:
            return items[:i] + (slice(None),) * (n - used) + items[i + 1 :]
    return items


def _item(item: Any) -> Any:
    if item is None or item is Ellipsis or type(item) in (int, slice):
        return item
    if isinstance(item, (Sequence, np.ndarray)) and not isinstance(item, str):
        item = torch.as_tensor(item, dtype=torch.int64 if len(item) == 0 else None)
    if isinstance(item, Tensor) and (item.dtype == torch.bool or item.dtype in _INTEGERS):
        return item if item.dtype in (torch.bool, torch.int64) else item.long()
    if isinstance(item, np.integer):
        return int(item)
    given = f"a {item.dtype} tensor" if isinstance(item, Tensor) else f"{item!r}"
    raise TypeError(
        f"TensorDict: the index is {given}; expected integers, booleans, slices, None or ..., or a key: "
        "a string or a tuple of strings."
    )


def _consumed(item: Any) -> int:
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if isinstance(item, Tensor) and item.dtype == torch.bool else 1
