"""Changes of keys and entries: each returns a new TensorDict and leaves the old one as it is."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from typing_extensions import Self

from frl.tensordict.core import Key, Node


class Changes(Node):
    """Setting, selecting and renaming the entries of a `TensorDict`."""

    __slots__ = ()

    def set(self, key: Key, value: Any) -> Self:
        """This TensorDict with `value` under `key`; a tuple makes nested entries where they are missing.

        Raises: ValueError if the value does not begin with the batch size; TypeError if it is no tensor.

        >>> from frl import TensorDict
        >>> td = TensorDict({}, [2]).set(("next", "reward"), torch.ones(2))
        >>> td["next", "reward"]
        tensor([1., 1.])
        """
        if not isinstance(key, str):
            key, rest = _split(key)
            value = self._inner(key, rest).set(rest, value) if rest else value
        old = self._data.get(key)
        if type(value) is Tensor and type(old) is Tensor and value.shape == old.shape and self._device is None:
            return self._make({**self._data, key: value}, self._events, None, None)
        batch = self.batch_size
        data = {**self._data, key: value}
        return self._build(data if key in self._data else _in_order(data), batch, self._device)

    def _inner(self, name: str, rest: tuple[str, ...] = ()) -> "Changes":
        """The nested TensorDict under `name`, an empty one if there is none."""
        if name not in self._data:
            return type(self)({}, self.batch_size, self._device)
        inner = self._read(name)
        if not isinstance(inner, Changes):
            raise KeyError(f"TensorDict: cannot set {(name, *rest)!r}: the entry {name!r} is a tensor.")
        return inner

    def update(self, other: Mapping[str, Any]) -> Self:
        """This TensorDict with the entries of `other` set; where both have a nested entry, that is updated in turn.

        Raises: what `set` raises; ValueError if `other` is a TensorDict whose batch size is another.

        >>> from frl import TensorDict
        >>> td = TensorDict({"a": torch.zeros(2), "next": {"b": torch.zeros(2)}}, [2])
        >>> list(td.update({"next": {"c": torch.ones(2)}}).keys(include_nested=True, leaves_only=True))
        ['a', ('next', 'b'), ('next', 'c')]
        """
        if not isinstance(other, Mapping):
            raise TypeError(f"update: expected a TensorDict or a dict, but got a {type(other).__name__}.")
        batch, data = self.batch_size, dict(self._data)
        if isinstance(other, Node) and not other.is_empty() and other.batch_size[: len(batch)] != batch:
            raise ValueError(
                f"update: this TensorDict has batch size {list(batch)} but the other has {list(other.batch_size)}; "
                "it must begin so."
            )
        for key in other:
            value, old = other[key], data.get(key)
            if isinstance(key, str) and isinstance(old, Changes) and isinstance(value, Mapping):
                data[key] = self._entry(key, self._inner(key).update(value), batch, self._device)
            elif isinstance(key, str):
                data[key] = value
            else:
                raise TypeError(
                    f"update: key {key!r} is a {type(key).__name__}; nest dicts, or call td.set(key, value)."
                )
        return self._build(_in_order(data), batch, self._device)

    def replace(self, other: Mapping[str, Any]) -> Self:
        """`update`, but every key must be there already, so that a misspelt one is found.

        Raises: KeyError that names a key which is not there.

        >>> from frl import TensorDict
        >>> TensorDict({"advantage": torch.ones(1)}, [1]).replace({"advantage": torch.zeros(1)})["advantage"]
        tensor([0.])
        """
        for key, value in other.items():
            if key not in self._data:
                raise KeyError(self._absent(key))
            if isinstance(value, Mapping) and isinstance(self._data[key], Changes):
                self._data[key].replace(value)
        return self.update(other)

    def select(self, *keys: Key) -> Self:
        """Only the entries under `keys`.

        Raises: KeyError if a key is not there.

        >>> from frl import TensorDict
        >>> td = TensorDict({"a": torch.zeros(1), "b": {"c": torch.zeros(1), "d": torch.zeros(1)}}, [1])
        >>> list(td.select("a", ("b", "c")).keys(include_nested=True, leaves_only=True))
        ['a', ('b', 'c')]
        """
        wanted = _grouped(keys)
        data: dict[str, Any] = {}
        for name in sorted(wanted):
            value = self._read(name)
            inner = [rest for rest in wanted[name] if rest]
            if inner and not isinstance(value, Changes):
                raise KeyError(f"TensorDict: no entry {(name, *inner[0])!r}: the entry {name!r} is a tensor.")
            data[name] = value.select(*inner) if inner and () not in wanted[name] else self._data[name]
        return self._build(data, self.batch_size, self._device)

    def exclude(self, *keys: Key) -> Self:
        """All entries but those under `keys`; a key that is not there is no error.

        >>> from frl import TensorDict
        >>> list(TensorDict({"a": torch.zeros(1), "b": torch.zeros(1)}, [1]).exclude("b", "c"))
        ['a']
        """
        unwanted = _grouped(keys)
        data: dict[str, Any] = {}
        for name, value in self._data.items():
            inner = unwanted.get(name, ())
            if () not in inner:
                data[name] = value.exclude(*inner) if inner and isinstance(value, Changes) else value
        return self._build(data, self.batch_size, self._device)

    def rename(self, old: Key, new: Key) -> Self:
        """The entry under `old` stands under `new`.

        Raises: KeyError if there is no `old`; ValueError if there is a `new` already.

        >>> from frl import TensorDict
        >>> list(TensorDict({"obs": torch.zeros(1)}, [1]).rename("obs", "observation"))
        ['observation']
        """
        value = self[old]
        if old == new:
            return self
        if new in self:
            raise ValueError(f"rename: there is an entry {new!r} already; exclude it first.")
        return self.exclude(old).set(new, value)

    def flatten_keys(self, sep: str = ".") -> Self:
        """One level: the entry under ("a", "b") stands under "a.b". Empty nested entries vanish.

        Raises: ValueError if two keys become one.

        >>> from frl import TensorDict
        >>> list(TensorDict({"next": {"obs": torch.zeros(1)}}, [1]).flatten_keys())
        ['next.obs']
        """
        data: dict[str, Any] = {}
        for key, value in self.items(include_nested=True, leaves_only=True):
            name = key if isinstance(key, str) else sep.join(key)
            if name in data:
                raise ValueError(f"flatten_keys: two entries would stand under {name!r}; choose another separator.")
            data[name] = value
        return self._build(_in_order(data), self.batch_size, self._device)

    def unflatten_keys(self, sep: str = ".") -> Self:
        """Nested entries again: the entry under "a.b" stands under ("a", "b"). The inverse of `flatten_keys`.

        >>> from frl import TensorDict
        >>> TensorDict({"next.obs": torch.zeros(1)}, [1]).unflatten_keys()["next", "obs"]
        tensor([0.])
        """
        td = self._build({}, self.batch_size, self._device)
        for key, value in self._data.items():
            path = tuple(key.split(sep))
            if path in td:
                raise ValueError(f"unflatten_keys: two entries would stand under {path!r}; choose another separator.")
            td = td.set(path, value)
        return td

    def with_batch_size(self, batch_size: Sequence[int] | int) -> Self:
        """The same entries under another batch size; nested entries whose batch is shorter take it over.

        Raises: ValueError if an entry does not begin with it.

        >>> from frl import TensorDict
        >>> TensorDict({"a": torch.zeros(5, 2, 3)}, [5]).with_batch_size([5, 2]).batch_size
        torch.Size([5, 2])
        """
        batch = torch.Size((batch_size,) if isinstance(batch_size, int) else batch_size)
        data = {
            key: value.with_batch_size(batch)
            if isinstance(value, Changes) and value.batch_dims < len(batch) and not value.is_empty()
            else value
            for key, value in self._data.items()
        }
        return type(self)(data, batch, self._device)

    def auto_batch_size(self, batch_dims: int | None = None) -> Self:
        """The same entries under the longest batch size that they allow, of at most `batch_dims` axes.

        >>> from frl import TensorDict
        >>> TensorDict({"a": torch.zeros(5, 2, 3), "b": torch.zeros(5, 2)}).auto_batch_size().batch_size
        torch.Size([5, 2])
        """
        shapes = [tuple(x.shape) for _, x in self.items(include_nested=True, leaves_only=True)]
        common: list[int] = []
        for axis in zip(*shapes, strict=False):
            if len(set(axis)) > 1 or len(common) == batch_dims:
                break
            common.append(axis[0])
        return self.with_batch_size(common) if shapes else self


def _in_order(data: dict[str, Any]) -> dict[str, Any]:
    return {key: data[key] for key in sorted(data)}


def _split(key: Any) -> tuple[str, tuple[str, ...]]:
    if not isinstance(key, tuple) or not key or not all(isinstance(name, str) for name in key):
        raise TypeError(f"TensorDict: {key!r} is no key; give a string or a tuple of strings.")
    return key[0], key[1:]


def _grouped(keys: tuple[Key, ...]) -> dict[str, list[tuple[str, ...]]]:
    """For each first name, what follows it in the keys."""
    groups: dict[str, list[tuple[str, ...]]] = {}
    for key in keys:
        name, rest = (key, ()) if isinstance(key, str) else _split(key)
        groups.setdefault(name, []).append(rest)
    return groups
