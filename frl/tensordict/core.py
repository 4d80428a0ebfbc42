"""The immutable node: what it stores, how it is built, what its sizes are, and how an entry is read.

Two decisions carry everything else.

A node does not store its batch size. It stores each entry's *event rank*, the number of axes behind the batch axes, and
reads the batch size off its first leaf. A transform that hides or adds a leading axis (`vmap`, `stack`, indexing) so
leaves the node right without knowing of it, and an operation on batch axes is one function applied to every leaf.

A node keeps its keys sorted. Two nodes with the same entries are the same pytree, whatever the order in which they were
written, so a compiled function is never compiled again for it.
"""

from collections.abc import Callable, ItemsView, Iterator, Mapping, Sequence, ValuesView
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

import torch
from torch import Tensor
from typing_extensions import Self

Key = str | tuple[str, ...]
Device = torch.device | str | None

if TYPE_CHECKING:
    _Base = Mapping[str, Any]
else:
    _Base = object  # and registered as a Mapping below: `isinstance` of an abstract class takes ten times as long


class Node(_Base):
    """Storage, sizes and keys of a `TensorDict`; see there."""

    __slots__ = ("_batch", "_data", "_device", "_events")
    _data: dict[str, Any]
    _events: tuple[int, ...]  # for each entry, in the order of the keys: its rank less the rank of this node's batch
    _batch: torch.Size | None  # only of a root without leaves, which has nothing to read its batch size off
    _device: torch.device | None

    def __init__(
        self, source: Mapping[str, Any] | None = None, batch_size: Sequence[int] | int = (), device: Device = None
    ):
        batch = torch.Size((batch_size,) if isinstance(batch_size, int) else batch_size)
        where = None if device is None else torch.device(device)
        entries = {key: source[key] for key in _sorted(source)} if source else {}
        self._data, self._events = self._checked(entries, batch, where)
        self._batch = None if _has_leaves(self._data) else batch
        self._device = where

    @classmethod
    def _make(
        cls, data: dict[str, Any], events: tuple[int, ...], batch: torch.Size | None, device: torch.device | None
    ) -> Self:
        """A node of parts that are known to fit together: no check, no copy."""
        node = object.__new__(cls)
        node._data = data
        node._events = events
        node._batch = batch
        node._device = device
        return node

    @classmethod
    def _build(cls, entries: dict[str, Any], batch: torch.Size, device: torch.device | None) -> Self:
        """A node of entries in the order of their keys, which are checked and converted."""
        data, events = cls._checked(entries, batch, device)
        return cls._make(data, events, None if _has_leaves(data) else batch, device)

    @classmethod
    def _checked(
        cls, entries: dict[str, Any], batch: torch.Size, device: torch.device | None
    ) -> tuple[dict[str, Any], tuple[int, ...]]:
        """The entries as they are stored, and their event ranks."""
        n, data, events, fitting = len(batch), {}, [], batch
        for key, value in entries.items():
            if type(value) is not Tensor or (device is not None and value.device != device):
                value = cls._entry(key, value, batch, device)
                events.append(_event(value, n))
            else:
                shape = value.shape
                if shape != fitting and shape[:n] != batch:
                    raise ValueError(_misfit(key, shape, batch))
                fitting = shape
                events.append(len(shape) - n)
            data[key] = value
        return data, tuple(events)

    @classmethod
    def _entry(cls, key: Any, value: Any, batch: torch.Size, device: torch.device | None) -> Any:
        """`value` as it is stored under `key` in a node of this batch size and device."""
        value = cls._convert(key, value, batch, device)
        if isinstance(value, Node) and not _has_leaves(value._data):
            return value._with_batch(None)
        if isinstance(value, Tensor) and device is not None and value.device != device:
            value = value.to(device)
        if value.shape[: len(batch)] != batch:
            raise ValueError(_misfit(key, value.shape, batch))
        return value

    @classmethod
    def _convert(cls, key: Any, value: Any, batch: torch.Size, device: torch.device | None) -> Any:
        if isinstance(value, Tensor):
            return value
        if isinstance(value, Node):
            return value if device is None or value._device == device else value.to(device)  # type: ignore[attr-defined]
        if isinstance(value, Mapping):
            return cls(value, batch, device)
        try:
            return torch.as_tensor(value)
        except (TypeError, ValueError, RuntimeError):
            raise TypeError(
                f"TensorDict: entry {key!r} is a {type(value).__name__}; expected a Tensor, a TensorDict, a dict, "
                "a number or an array of numbers."
            ) from None

    # ---- sizes

    @property
    def batch_size(self) -> torch.Size:
        """The leading shape that all entries share."""
        for event, value in zip(self._events, self._data.values(), strict=True):
            if not isinstance(value, Node):
                shape = value.shape
                return shape[: self._batch_rank(value, event)] if event else shape
            if _has_leaves(value._data):
                shape = value.batch_size
                return shape[: len(shape) - event] if event else shape
        return torch.Size(()) if self._batch is None else self._batch

    @batch_size.setter
    def batch_size(self, value: Any) -> None:
        raise TypeError(
            "TensorDict is immutable: batch_size cannot be assigned; write `td = td.with_batch_size(sizes)`."
        )

    @property
    def shape(self) -> torch.Size:
        """The batch size."""
        return self.batch_size

    @property
    def batch_dims(self) -> int:
        """The number of batch axes."""
        for event, value in zip(self._events, self._data.values(), strict=True):
            if not isinstance(value, Node):
                return self._batch_rank(value, event)
            if _has_leaves(value._data):
                return value.batch_dims - event
        return 0 if self._batch is None else len(self._batch)

    def _batch_rank(self, value: Tensor, event: int) -> int:
        rank = value.ndim - event
        if rank < 0:
            key = next(key for key in self._data if self._data[key] is value)
            raise ValueError(
                f"TensorDict: entry {key!r} has shape {list(value.shape)}, but its last {event} axes belong to the "
                "event; a function removed an axis that it does not own."
            )
        return rank

    @property
    def ndim(self) -> int:
        """The number of batch axes."""
        return self.batch_dims

    def dim(self) -> int:
        """The number of batch axes."""
        return self.batch_dims

    def size(self, dim: int | None = None) -> Any:
        """The batch size, or its entry at `dim`."""
        return self.batch_size if dim is None else self.batch_size[dim]

    def numel(self) -> int:
        """The number of elements of the batch: 1 where there are no batch axes."""
        return self.batch_size.numel()

    @property
    def device(self) -> torch.device | None:
        """Where all entries are kept, or None if each is wherever it is."""
        return self._device

    @device.setter
    def device(self, value: Any) -> None:
        raise TypeError("TensorDict is immutable: device cannot be assigned; write td.to(device).")

    def is_empty(self) -> bool:
        """Whether there is no tensor in it, nor in any nested entry."""
        return not _has_leaves(self._data)

    # ---- the mapping

    def __getitem__(self, key: Any) -> Any:
        if type(key) is str:
            value = self._data.get(key)
            return value if type(value) is Tensor else self._read(key)
        if type(key) is tuple and key and type(key[0]) is str:
            value = self
            for name in key:
                value = value._read(name) if isinstance(value, Node) else _refuse_path(key, name)
            return value
        return self._index(key)

    def _read(self, name: Any) -> Any:
        if name not in self._data:
            raise KeyError(self._absent(name))
        value = self._data[name]
        if isinstance(value, Node) and not _has_leaves(value._data):
            return value._with_batch(self.batch_size)
        return value

    def _absent(self, name: Any) -> str:
        close = get_close_matches(str(name), self._data, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        return f"TensorDict: no entry {name!r}; it has {list(self._data)}.{hint}"

    def _index(self, index: Any) -> Self:
        raise NotImplementedError

    def get(self, key: Key, default: Any = None) -> Any:
        """The entry under `key`, or `default` if there is none."""
        return self[key] if key in self else default  # noqa: SIM401 - it would call itself

    def __contains__(self, key: object) -> bool:
        if type(key) is not tuple:
            return key in self._data
        value: Any = self
        for name in key:
            if not isinstance(value, Node) or name not in value._data:
                return False
            value = value._data[name]
        return bool(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __bool__(self) -> bool:
        raise TypeError("TensorDict: its truth is ambiguous; write td.all(), td.any(), td.is_empty() or len(td) > 0.")

    def keys(self, include_nested: bool = False, leaves_only: bool = False) -> Any:
        """The keys, sorted; with `include_nested` also those of nested entries, as tuples; or only those of tensors.

        >>> td = Node({"a": torch.zeros(1), "b": {"c": torch.zeros(1)}}, [1])
        >>> list(td.keys(include_nested=True)), list(td.keys(include_nested=True, leaves_only=True))
        (['a', 'b', ('b', 'c')], ['a', ('b', 'c')])
        """
        if not include_nested and not leaves_only:
            return self._data.keys()
        found: list[Key] = []
        for key, value in self._data.items():
            nested = isinstance(value, Node)
            if not (nested and leaves_only):
                found.append(key)
            if nested and include_nested:
                inner = value.keys(True, leaves_only)
                found.extend([(key, *k) if isinstance(k, tuple) else (key, k) for k in inner])
        return found

    def items(self, include_nested: bool = False, leaves_only: bool = False) -> Any:
        """The pairs of key and entry; for the arguments see `keys`."""
        if not include_nested and not leaves_only:
            return ItemsView(self)
        return [(key, self[key]) for key in self.keys(include_nested, leaves_only)]

    def values(self, include_nested: bool = False, leaves_only: bool = False) -> Any:
        """The entries; for the arguments see `keys`."""
        if not include_nested and not leaves_only:
            return ValuesView(self)
        return [self[key] for key in self.keys(include_nested, leaves_only)]

    # ---- what there is instead of change

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        named = isinstance(key, str) or (isinstance(key, tuple) and key and isinstance(key[0], str))
        call = f"td = td.set({key!r}, value)" if named else "td = td.at[index].set(value)"
        raise TypeError(f"TensorDict is immutable: an item cannot be assigned; write `{call}`.")

    def __delitem__(self, key: Any) -> NoReturn:
        raise TypeError(f"TensorDict is immutable: an item cannot be deleted; write `td = td.exclude({key!r})`.")

    def _with_batch(self, batch: torch.Size | None) -> Self:
        return self._make(self._data, self._events, batch, self._device)

    def _map(self, f: Callable[[Any], Any]) -> Self:
        """The node with `f(leaf)` for every leaf; `f` must leave the event axes in place."""
        data = {key: value._map(f) if isinstance(value, Node) else f(value) for key, value in self._data.items()}
        batch = None if self._batch is None else f(torch.zeros(()).expand(self._batch)).shape
        return self._make(data, self._events, batch, self._device)


Mapping.register(Node)  # type: ignore[attr-defined]


def _sorted(keys: Mapping[str, Any]) -> list[str]:
    for key in keys:
        if type(key) is not str:
            kind = type(key).__name__
            raise TypeError(f"TensorDict: key {key!r} is a {kind}; keys are strings (nest dicts for deeper entries).")
    return sorted(keys)


def _misfit(key: str, shape: torch.Size, batch: torch.Size) -> str:
    return (
        f"TensorDict: entry {key!r} has shape {list(shape)}, which does not begin with the batch size {list(batch)}; "
        "give it that leading shape, or give the TensorDict a shorter batch_size."
    )


def _has_leaves(data: Mapping[str, Any]) -> bool:
    for value in data.values():  # noqa: SIM110 - a loop ends at the first leaf in a third of the time that any() takes
        if not isinstance(value, Node) or _has_leaves(value._data):
            return True
    return False


def _event(value: Any, n: int) -> int:
    """The event rank of an entry behind `n` batch axes; one without leaves has none of its own."""
    if not isinstance(value, Node):
        return value.ndim - n
    return value.batch_dims - n if _has_leaves(value._data) else 0


def _refuse_path(key: Any, name: Any) -> NoReturn:
    raise KeyError(f"TensorDict: no entry {key!r}: what stands before {name!r} is a tensor and has no entries.")
