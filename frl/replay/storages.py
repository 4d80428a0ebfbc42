"""Where a host buffer keeps its rows: a list of any objects, or tensors that are made once and written in place."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from frl import check, tree
from frl.tensordict import TensorDict

_LONG_ROW = 1024


class Storage(ABC):
    """A ring of `max_size` rows, of which the first `len(storage)` hold data; once full, the oldest go first.

    Attributes: max_size: how many rows fit. cursor: the row that is written next. version: counts the writes. device:
        where the rows are, or None for the memory of the processor.
    """

    device: torch.device | None = None

    def __init__(self, max_size: int):
        check.at_least(type(self).__name__, {"max_size": max_size}, 1)
        self.max_size = max_size
        self.cursor = self.version = self._size = 0

    def __len__(self) -> int:
        return self._size

    def __repr__(self) -> str:
        return f"{type(self).__name__}(max_size={self.max_size}, len={len(self)})"

    @abstractmethod
    def extend(self, items: Any) -> Tensor:
        """Writes the items, one after another; returns their rows [M], of more items than fit those of the last."""

    @abstractmethod
    def add(self, item: Any) -> int:
        """Writes one item; returns its row."""

    @abstractmethod
    def get(self, index: Tensor) -> Any:
        """The items at the rows `index` [*I], in the memory of the processor, which must hold data."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What `load_state` needs to hold the same rows again, as entries of a TensorDict."""

    @abstractmethod
    def load_state(self, state: TensorDict) -> None:
        """Holds what the storage held whose `state` this was. Raises: ValueError if it had another `max_size`."""

    def clear(self) -> None:
        """Forgets all rows."""
        self.cursor = self._size = 0
        self.version += 1

    def _advance(self, count: int) -> Tensor:
        """The rows of `count` new items, for which the ring moves on."""
        first = self.cursor
        self.cursor = (first + count) % self.max_size
        self._size = min(self._size + count, self.max_size)
        self.version += 1
        rows = torch.arange(first, first + count)
        return rows if first + count <= self.max_size else rows % self.max_size

    def _ring(self) -> dict[str, Any]:
        return {"max_size": self.max_size, "cursor": self.cursor, "size": self._size}

    def _load_ring(self, state: TensorDict) -> None:
        if int(state["max_size"]) != self.max_size:
            raise ValueError(
                f"{type(self).__name__}: the state is that of a storage of {int(state['max_size'])} rows but this one "
                f"has {self.max_size}; make it with max_size={int(state['max_size'])}."
            )
        self.cursor, self._size = int(state["cursor"]), int(state["size"])
        self.version += 1


class ListStorage(Storage):
    """Rows of any objects, in a list.

    >>> storage = ListStorage(2)
    >>> storage.extend(["a", "b", "c"]).tolist(), storage.get(torch.tensor([0, 1, 0]))
    ([1, 0], ['c', 'b', 'c'])
    """

    def __init__(self, max_size: int = 1000):
        super().__init__(max_size)
        self._items: list[Any] = []

    def add(self, item: Any) -> int:
        """Writes one item; returns its row."""
        return int(self.extend([item]))

    def extend(self, items: Any) -> Tensor:
        """Writes a sequence, or the rows of a TensorDict or a tensor, one by one."""
        items = list(items.unbind(0) if isinstance(items, (TensorDict, Tensor)) else items)
        written = self._advance(len(items))
        for row, item in zip(written.tolist(), items, strict=True):
            self._items[row : row + 1] = [item]
        return written[-self.max_size :]

    def get(self, index: Tensor) -> Any:
        """A list of the items."""
        return [self._items[i] for i in index.reshape(-1).tolist()]

    def clear(self) -> None:
        """Forgets all rows."""
        super().clear()
        self._items = []

    def state(self) -> dict[str, Any]:
        """Raises: TypeError unless the items are TensorDicts, tensors or what JSON keeps as it is."""
        if all(isinstance(item, (TensorDict, Tensor)) for item in self._items):
            return {**self._ring(), "items": {f"{i:09}": item for i, item in enumerate(self._items)}}
        return {**self._ring(), "json": _to_json(self._items)}

    def load_state(self, state: TensorDict) -> None:
        """Holds what the storage held whose `state` this was."""
        self._load_ring(state)
        self._items = (
            json.loads(bytes(state["json"].tolist())) if "json" in state else list(state.get("items", {}).values())
        )


class LazyTensorStorage(Storage):
    """Rows of tensors, in memory that is made like the first items and written in place.

    An item is any tree of tensors: a TensorDict, a dict, a tuple, a tensor. `extend` takes a tree of one more, leading,
    axis. Rows may be whole trajectories: of items [M, T] every sample is [batch, T].

    Args: device: where the rows are kept, by default where the first items are.

    >>> storage = LazyTensorStorage(3)
    >>> storage.extend(TensorDict({"t": torch.arange(5)}, [5])).tolist(), len(storage)
    ([2, 0, 1], 3)
    >>> storage.get(torch.tensor([2, 0]))["t"]
    tensor([2, 3])
    """

    def __init__(self, max_size: int, device: torch.device | str | None = None):
        super().__init__(max_size)
        self._wanted_device = device
        self._leaves: list[Tensor] = []
        self._structure: tree.TreeSpec | None = None
        self._kinds: list[tuple[torch.Size, torch.dtype]] = []
        self._arrays: list[np.ndarray[Any, Any] | None] = []

    @property
    def data(self) -> Any:
        """All `max_size` rows, those that hold no data yet included; None before the first write."""
        return None if self._structure is None else tree.unflatten(self._structure, self._leaves)

    def add(self, item: Any) -> int:
        """Writes one item; returns its row."""
        return int(self.extend(item.unsqueeze(0) if isinstance(item, TensorDict) else tree.map(_row, item)))

    def extend(self, items: Any) -> Tensor:
        """Writes the rows of a tree whose leaves are [M, ...].

        Raises: TypeError, KeyError or ValueError if they do not look like the first ones.
        """
        leaves = self._rows_of(items)
        count = leaves[0].shape[0]
        if count <= self.max_size:
            self._write(leaves, count)
            return self._advance(count)
        for first in range(0, count, self.max_size):
            part = [x[first : first + self.max_size] for x in leaves]
            self._write(part, len(part[0]))
            self._advance(len(part[0]))
        return (self.cursor + torch.arange(self.max_size)) % self.max_size

    def _write(self, leaves: Sequence[Tensor], count: int) -> None:
        self._put(self._leaves, leaves, count)

    def _put(self, rows: Sequence[Tensor], leaves: Sequence[Tensor], count: int) -> None:
        """Writes `count` rows from the cursor on, around the end if need be."""
        first = self.cursor
        fit = min(count, self.max_size - first)
        for x, new in zip(rows, leaves, strict=True):
            if fit == count:
                x[first : first + count] = new
            else:
                x[first:], x[: count - fit] = new[:fit], new[fit:]

    def get(self, index: Tensor) -> Any:
        """The items, stacked along the axes of `index`."""
        if self._structure is None:
            raise IndexError(f"{type(self).__name__}: it holds no row yet; extend it first.")
        flat = index if index.ndim == 1 else index.reshape(-1)
        rows = flat.numpy()
        found = [
            x.index_select(0, flat.to(x.device)) if array is None else torch.from_numpy(array.take(rows, 0))
            for x, array in zip(self._leaves, self._arrays, strict=True)
        ]
        if index.ndim != 1:
            found = [x.reshape(index.shape + x.shape[1:]) for x in found]
        return tree.unflatten(self._structure, found)

    def state(self) -> dict[str, Any]:
        """What `load_state` needs, with a copy of the rows."""
        rows = [x[: len(self)].clone() for x in self._leaves]
        if self._structure and isinstance(self.data, TensorDict):
            return {**self._ring(), "rows": tree.unflatten(self._structure, rows)}
        return {**self._ring(), "rows": {f"{i:09}": x for i, x in enumerate(rows)}}

    def load_state(self, state: TensorDict) -> None:
        """Holds what the storage held whose `state` this was.

        Raises: ValueError if its rows were others, or if nothing says what they are: rows that are no TensorDicts can
            be loaded once the storage was written.
        """
        given = state.get("rows", {})
        rows = tree.leaves(given) if int(state["size"]) else []
        if rows and self._structure is None and "000000000" not in given:
            self._allocate(given)
        if rows and [(x.shape[1:], x.dtype) for x in rows] != self._kinds:
            raise ValueError(
                f"{type(self).__name__}: the state's rows are {[list(x.shape[1:]) for x in rows]} but this storage has "
                f"{[list(shape) for shape, _ in self._kinds]}; extend it with one such item before loading."
            )
        self._load_ring(state)
        for x, row in zip(self._leaves, rows, strict=False):
            x[: len(self)] = row

    def _allocate(self, example: Any) -> None:
        """Makes the rows like the items of `example`, whose leaves are [M, ...]."""
        self._adopt(tree.map(lambda x: x.new_zeros((self.max_size, *x.shape[1:]), device=self._wanted_device), example))

    def _adopt(self, data: Any) -> None:
        self._leaves, self._structure = tree.flatten(data)
        self._kinds = [(x.shape[1:], x.dtype) for x in self._leaves]
        self._arrays = [_array(x) for x in self._leaves]
        device = self._leaves[0].device
        self.device = None if device.type == "cpu" else device

    def _rows_of(self, items: Any) -> list[Tensor]:
        """The leaves [M, ...] of `items`, which look like the rows."""
        if isinstance(items, TensorDict) and items.device is not None:
            items = items.without_device()
        leaves, structure = tree.flatten(items)
        if structure != self._structure or len({len(x) for x in leaves}) > 1:
            _require_rows(type(self).__name__, items)
            if self._structure is None:
                self._allocate(items)
            elif structure != self._structure:
                names, held = ([name for name, _ in tree.named_leaves(x)] for x in (items, self.data))
                raise KeyError(
                    f"{type(self).__name__}: the items have the entries {names} but the storage holds {held}, each "
                    "with its own number of axes; select those."
                )
        for i, x in enumerate(leaves):
            shape, dtype = self._kinds[i]
            if x.shape[1:] != shape or x.dtype != dtype:
                raise ValueError(
                    f"{type(self).__name__}: {tree.named_leaves(items)[i][0]!r} of each item is {x.dtype} "
                    f"{list(x.shape[1:])} but the storage holds {dtype} {list(shape)}; convert it."
                )
        return leaves


class TensorStorage(LazyTensorStorage):
    """Rows of tensors that are given: a full storage, which writes into them in place.

    Args: data: any tree of tensors [max_size, ...].

    >>> storage = TensorStorage(TensorDict({"t": torch.tensor([5, 6, 7])}, [3]))
    >>> storage.add(TensorDict({"t": torch.tensor(8)})), storage.data["t"].tolist()
    (0, [8, 6, 7])
    """

    def __init__(self, data: Any):
        _require_rows("TensorStorage", data)
        super().__init__(len(tree.leaves(data)[0]))
        self._adopt(data.without_device() if isinstance(data, TensorDict) else data)
        self._size = self.max_size


def _array(x: Tensor) -> np.ndarray[Any, Any] | None:
    """Short rows as an array, which NumPy gathers in a third of torch's time; long ones torch divides among threads."""
    if x.device.type != "cpu" or x.dtype == torch.bfloat16 or x[0].numel() > _LONG_ROW:
        return None
    return x.detach().numpy()


def _row(x: Any) -> Tensor:
    return torch.as_tensor(x).unsqueeze(0)


def _require_rows(name: str, items: Any) -> None:
    leaves = tree.leaves(items)
    if not leaves or not all(isinstance(x, Tensor) for x in leaves):
        raise TypeError(f"{name}: the items are a {type(items).__name__}; give a tree of tensors, or use ListStorage.")
    shapes = [list(x.shape) for x in leaves]
    if [] in shapes or len({shape[0] for shape in shapes}) > 1 or shapes[0][0] == 0:
        raise ValueError(f"{name}: the leaves of the items are {shapes}; all must be [M, ...] for one M of at least 1.")


def _to_json(items: list[Any]) -> Tensor:
    """The items as the bytes of JSON's text."""
    try:
        text = json.dumps(items, allow_nan=False)
        kept = json.loads(text) == items
    except (TypeError, ValueError):
        kept, text = False, ""
    if not kept:
        kinds = sorted({type(item).__name__ for item in items})
        raise TypeError(
            f"ListStorage: items of {', '.join(kinds)} cannot be saved; keep TensorDicts, tensors, or numbers, "
            "strings, lists and dicts of them."
        )
    return torch.tensor(list(text.encode()), dtype=torch.uint8)
