"""Functions of the user, applied to every leaf."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from typing_extensions import Self

from frl.tensordict.core import Node


class Applied(Node):
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
        return self._apply(f, others, None if batch_size is None else torch.Size(batch_size))

    def _apply(self, f: Callable[..., Any], others: Sequence[Any], batch: torch.Size | None) -> Self:
        data: dict[str, Any] = {}
        for key, value in self._data.items():
            rest = [_entry_of(other, key) for other in others] if others else ()
            data[key] = value._apply(f, rest, batch) if isinstance(value, Applied) else f(value, *rest)
        return self._build(data, self.batch_size if batch is None else batch, self._device)

    def named_apply(self, f: Callable[..., Any], *others: Any, batch_size: Sequence[int] | None = None) -> Self:
        """`apply`, but of `f(key, leaf, *leaves of others)`, the key a tuple for nested entries.

        >>> from frl import TensorDict
        >>> td = TensorDict({"a": torch.ones(1), "b": {"c": torch.ones(1)}}, [1])
        >>> td.named_apply(lambda key, x: x * len(key))["b", "c"]
        tensor([2.])
        """
        keys = iter(self.keys(include_nested=True, leaves_only=True))
        return self.apply(lambda *leaves: f(next(keys), *leaves), *others, batch_size=batch_size)


def _entry_of(other: Any, key: str) -> Any:
    if key not in other:
        raise ValueError(f"apply: entry {key!r} is missing in another TensorDict, which has {list(other)}.")
    return other[key]
