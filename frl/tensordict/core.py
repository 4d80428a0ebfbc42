"""The immutable node: keys, batch size, and how a change makes a new node.

Two decisions carry everything else.

A node does not store its batch size. It stores each entry's *event rank*, the number of axes behind the batch axes, and
reads the batch size off its first leaf. A transform that hides or adds a leading axis (`vmap`, `stack`, indexing) so
leaves the node right without knowing of it, and an operation on batch axes is one function applied to every leaf.

A node keeps its keys sorted. Two nodes with the same entries are the same pytree, whatever the order in which they were
written, so a compiled function is never compiled again for it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import torch
from torch import Tensor
from typing_extensions import Self

Key = str | tuple[str, ...]


class Node(Mapping[str, Any]):
    """Storage and keys of a `TensorDict`; see there."""

    __slots__ = ("_batch", "_data", "_device", "_events")
    _data: dict[str, Any]
    _events: tuple[int, ...]  # for each entry, in the order of the keys: its rank less the rank of this node's batch
    _batch: torch.Size | None  # only of a root without leaves, which has nothing to read its batch size off
    _device: torch.device | None

    def __init__(
        self,
        source: Mapping[str, Any] | None = None,
        batch_size: Sequence[int] | int = (),
        device: torch.device | str | None = None,
    ):
        batch = torch.Size([batch_size] if isinstance(batch_size, int) else batch_size)
        where = None if device is None else torch.device(device)
        entries = {} if source is None else source
        self._fill({key: self._entry(key, entries[key], batch, where) for key in _sorted(entries)}, batch, where)

    def _fill(self, data: dict[str, Any], batch: torch.Size, device: torch.device | None) -> None:
        events = tuple([_rank(value, len(batch)) - len(batch) for value in data.values()])
        self._assign(data, events, None if _has_leaves(data) else batch, device)

    def _assign(
        self, data: dict[str, Any], events: tuple[int, ...], batch: torch.Size | None, device: torch.device | None
    ) -> None:
        object.__setattr__(self, "_data", data)
        object.__setattr__(self, "_events", events)
        object.__setattr__(self, "_batch", batch)
        object.__setattr__(self, "_device", device)

    @classmethod
    def _make(
        cls, data: dict[str, Any], events: tuple[int, ...], batch: torch.Size | None, device: torch.device | None
    ) -> Self:
        """A node of parts that are known to fit together: no check, no copy."""
        node = object.__new__(cls)
        node._assign(data, events, batch, device)
        return node

    @classmethod
    def _entry(cls, key: Any, value: Any, batch: torch.Size, device: torch.device | None) -> Any:
        """`value` as it is stored under `key` in a node of this batch size and device."""
        if type(value) is not Tensor:
            value = cls._convert(key, value, batch, device)
        if isinstance(value, Node) and not _has_leaves(value._data):
            return value._with_batch(None)
        if isinstance(value, Tensor) and device is not None and value.device != device:
            value = value.to(device)
        shape = value.shape
        if shape[: len(batch)] != batch:
            raise ValueError(
                f"TensorDict: entry {key!r} has shape {list(shape)}, which does not begin with the batch size "
                f"{list(batch)}; give it that leading shape, or give the TensorDict a shorter batch_size."
            )
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
                f"TensorDict: entry {key!r} is a {type(value).__name__}; expected a Tensor, a TensorDict, a dict, a number "
                "or an array of numbers."
            ) from None

    # ---- sizes

    @property
    def batch_size(self) -> torch.Size:
        """The leading shape that all entries share."""
        for (key, value), event in zip(self._data.items(), self._events, strict=True):
            if isinstance(value, Tensor):
                if value.ndim < event:
                    raise ValueError(
                        f"TensorDict: entry {key!r} has shape {list(value.shape)}, but its last {event} axes belong to the "
                        "event; a function removed an axis that it does not own."
                    )
                return value.shape[: value.ndim - event]
            if _has_leaves(value._data):
                shape = value.batch_size
                return shape[: len(shape) - event]
        return torch.Size(()) if self._batch is None else self._batch

    shape = batch_size

    @property
    def batch_dims(self) -> int:
        """The number of batch axes."""
        return len(self.batch_size)

    ndim = batch_dims

    @property
    def device(self) -> torch.device | None:
        """Where all entries are kept, or None if each is wherever it is."""
        return self._device

    # ---- the mapping

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return self._read(key)
        if isinstance(key, tuple) and key and isinstance(key[0], str):
            value = self
            for name in key:
                value = value._read(name)
            return value
        return self._index(key)

    def _read(self, name: Any) -> Any:
        try:
            value = self._data[name]
        except KeyError:
            raise KeyError(f"TensorDict: no entry {name!r}; it has {list(self._data)}.") from None
        if isinstance(value, Node) and not _has_leaves(value._data):
            return value._with_batch(self.batch_size)
        return value

    def _index(self, index: Any) -> Self:
        raise NotImplementedError

    def get(self, key: Key, default: Any = None) -> Any:
        """The entry under `key`, or `default` if there is none."""
        try:
            return self[key]
        except KeyError:
            return default

    def __contains__(self, key: object) -> bool:
        if isinstance(key, tuple):
            value: Any = self
            for name in key:
                if not isinstance(value, Node) or name not in value._data:
                    return False
                value = value._data[name]
            return bool(key)
        return key in self._data

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def keys(self, include_nested: bool = False, leaves_only: bool = False) -> Any:
        """The keys, sorted; with `include_nested` also those of nested entries, as tuples; with `leaves_only` only tensors'.

        >>> TensorDictExample = Node({"a": torch.zeros(1), "b": {"c": torch.zeros(1)}}, [1])
        >>> list(TensorDictExample.keys(include_nested=True, leaves_only=True))
        ['a', ('b', 'c')]
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
                found.extend((key, *k) if isinstance(k, tuple) else (key, k) for k in inner)
        return found

    # ---- changes

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise TypeError(f"TensorDict is immutable: .{name} cannot be assigned; build a new one with td.set, td.to or td.reshape.")

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        call = f"td = td.set({key!r}, value)" if isinstance(key, (str, tuple)) else "td = td.at[index].set(value)"
        raise TypeError(f"TensorDict is immutable: an item cannot be assigned; write `{call}`.")

    def __delitem__(self, key: Any) -> NoReturn:
        raise TypeError(f"TensorDict is immutable: an item cannot be deleted; write `td = td.exclude({key!r})`.")

    def set(self, key: Key, value: Any) -> Self:
        """This TensorDict with `value` under `key`; a tuple makes nested entries where they are missing.

        Raises: ValueError if the value does not begin with the batch size; TypeError if it is no tensor.
        """
        name, rest = _split_key(key)
        if rest:
            inner = self._data[name] if name in self._data else {}
            if isinstance(inner, Tensor):
                raise KeyError(f"TensorDict: cannot set {key!r}: the entry {name!r} is a tensor.")
            inner = self._read(name) if name in self._data else type(self)({}, self.batch_size, self._device)
            value = inner.set(rest, value)
        batch = self.batch_size
        entry = self._entry(name, value, batch, self._device)
        data = {**self._data, name: entry}
        if name not in self._data:
            data = {k: data[k] for k in sorted(data)}
        node = object.__new__(type(self))
        node._fill(data, batch, self._device)
        return node

    def _with_batch(self, batch: torch.Size | None) -> Self:
        return self._make(self._data, self._events, batch, self._device)

    def _map(self, f: Callable[[Any], Any]) -> Self:
        """The node with `f(leaf)` for every leaf; `f` must leave the event axes in place."""
        data = {key: value._map(f) if isinstance(value, Node) else f(value) for key, value in self._data.items()}
        batch = None if self._batch is None else f(torch.empty(self._batch, device="meta")).shape
        return self._make(data, self._events, batch, self._device)


def _sorted(keys: Mapping[str, Any]) -> list[str]:
    for key in keys:
        if not isinstance(key, str):
            raise TypeError(f"TensorDict: key {key!r} is a {type(key).__name__}; keys are strings (nest dicts for deeper entries).")
    return sorted(keys)


def _split_key(key: Any) -> tuple[str, tuple[str, ...]]:
    names = (key,) if isinstance(key, str) else key
    if not isinstance(names, tuple) or not names or not all(isinstance(name, str) for name in names):
        raise TypeError(f"TensorDict: {key!r} is no key; give a string or a tuple of strings.")
    return names[0], names[1:]


def _has_leaves(data: Mapping[str, Any]) -> bool:
    return any(isinstance(value, Tensor) or _has_leaves(value._data) for value in data.values())


def _rank(value: Any, leafless: int) -> int:
    """The rank of an entry; one without leaves has its parent's batch, so none of its own."""
    return value.ndim if isinstance(value, Tensor) or _has_leaves(value._data) else leafless
