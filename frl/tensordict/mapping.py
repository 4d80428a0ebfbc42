"""Functions of the user, applied to every leaf."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from typing_extensions import Self

from frl.tensordict.core import Node


class Mapped(Node):
    """`apply` and `named_apply` of a `TensorDict`."""

    __slots__ = ()

    def apply(self, f: Callable[..., Any], *others: Any, batch_size: Sequence[int] | None = None) -> Self:
        """The TensorDict of `f(leaf, *leaves of others)`, with the same keys.

        Args: others: TensorDicts with these keys. batch_size: of the result, if it is not this one's.
        Raises: ValueError if a result does not begin with the batch size.

        >>> from frl import TensorDict
        >>> td = TensorDict({"a": torch.ones(2, 3)}, [2])
        >>> td.apply(lambda x: x.sum(-1))["a"], td.apply(torch.sum, batch_size=[])["a"]
        (tensor([3., 3.]), tensor(6.))
        """
        batch = self.batch_size if batch_size is None else torch.Size(batch_size)
        return self._apply(lambda _, *leaves: f(*leaves), (), others, batch)

    def named_apply(self, f: Callable[..., Any], *others: Any, batch_size: Sequence[int] | None = None) -> Self:
        """`apply`, but of `f(key, leaf, *leaves of others)`, the key a tuple for nested entries.

        >>> from frl import TensorDict
        >>> td = TensorDict({"a": torch.ones(1), "b": {"c": torch.ones(1)}}, [1])
        >>> td.named_apply(lambda key, x: x * len(key))["b", "c"]
        tensor([2.])
        """
        batch = self.batch_size if batch_size is None else torch.Size(batch_size)
        return self._apply(lambda key, *leaves: f(key[0] if len(key) == 1 else key, *leaves), (), others, batch)

    def _apply(self, f: Callable[..., Any], path: tuple[str, ...], others: tuple[Any, ...], batch: torch.Size) -> Self:
        n, data = len(batch), {}
        for key, value in self._data.items():
            rest = tuple([_entry_of(other, key) for other in others])
            if isinstance(value, Mapped):
                data[key] = value._apply(f, (*path, key), rest, batch)
            else:
                data[key] = new = f((*path, key), value, *rest)
                if not isinstance(new, Tensor) or new.shape[:n] != batch:
                    data[key] = self._entry(key, new, batch, self._device)
        return self._gather(data, batch, self._device)


def _entry_of(other: Any, key: str) -> Any:
    if key not in other:
        raise ValueError(f"apply: entry {key!r} is missing in another TensorDict, which has {list(other)}.")
    return other[key]
