"""Arithmetic and comparison, element by element.

An operand is a TensorDict with the same keys and batch size, a number, or a tensor of the batch's shape, whose axes
align with the batch axes: `td * weight` with a weight [*B] weights every entry, whatever its event shape.
"""

from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any

import torch
from torch import Tensor
from typing_extensions import Self

from frl.tensordict.core import Node


def pointwise(op: Callable[..., Tensor], *operands: Any) -> Any:
    """`op` of the operands, entry by entry; at least one of them is a TensorDict.

    Raises: ValueError if two TensorDicts differ in their keys or batch sizes, or a tensor does not fit the batch.

    >>> from frl import TensorDict
    >>> td = TensorDict({"a": torch.tensor([[1.0, 2.0]])}, [1])
    >>> pointwise(torch.maximum, td, torch.tensor([1.5]))["a"]
    tensor([[1.5000, 2.0000]])
    """
    like = next(x for x in operands if isinstance(x, Node))
    batch = like.batch_size
    for x in operands:
        if isinstance(x, Node):
            if x is not like:
                _require_alike(op, like, x, batch)
        elif isinstance(x, Tensor):
            _require_fit(op, x, batch)
    return _combine(op, like, operands, len(batch))


def _combine(op: Callable[..., Tensor], like: Node, operands: Sequence[Any], n: int) -> Any:
    """The node of `op` of the entries of the operands that are nodes, and of the other operands."""
    is_node = [isinstance(x, Node) for x in operands]
    columns = [x._data.values() if node else repeat(x) for x, node in zip(operands, is_node, strict=True)]
    if not all(x._events == like._events if isinstance(x, Node) else _is_scalar(x) for x in operands):
        return like._build(_entries(op, like, columns, is_node, n), like.batch_size, like._device)
    if any(isinstance(value, Node) for value in like._data.values()):
        data = _entries(op, like, columns, is_node, n)
    else:
        data = dict(zip(like._data, map(op, *columns), strict=True))
    return like._make(data, like._events, like._batch, like._device)


def _entries(op: Callable[..., Tensor], like: Node, columns: Any, is_node: list[bool], n: int) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for (key, value), *entries in zip(like._data.items(), *columns, strict=False):
        data[key] = _combine(op, value, entries, n) if isinstance(value, Node) else op(*_aligned(entries, is_node, n))
    return data


def _is_scalar(x: Any) -> bool:
    return not isinstance(x, Tensor) or x.ndim == 0


def _aligned(entries: list[Any], is_leaf: list[bool], n: int) -> list[Any]:
    """The entries with one rank each: axes of size 1 stand between the batch axes and the event axes that one lacks."""
    rank = max([x.ndim for x, leaf in zip(entries, is_leaf, strict=True) if leaf])
    aligned: list[Any] = []
    for x, leaf in zip(entries, is_leaf, strict=True):
        front = n if leaf else 0 if _is_scalar(x) else x.ndim
        missing = rank - n - (x.ndim - front) if front else 0
        aligned.append(x.reshape(x.shape[:front] + (1,) * missing + x.shape[front:]) if missing else x)
    return aligned


def _require_alike(op: Any, like: Node, other: Node, batch: torch.Size) -> None:
    if other._data.keys() != like._data.keys():
        names = sorted(other._data.keys() ^ like._data.keys())
        raise ValueError(f"{op.__name__}: only one of the TensorDicts has the entries {names}; select the common ones.")
    if other.batch_size != batch:
        raise ValueError(
            f"{op.__name__}: the TensorDicts have batch sizes {list(batch)} and {list(other.batch_size)}; expand one."
        )
    for (key, x), y in zip(like._data.items(), other._data.values(), strict=True):
        if type(x) is type(y) is Tensor:
            continue
        if isinstance(x, Node) != isinstance(y, Node):
            raise ValueError(f"{op.__name__}: the entry {key!r} is a tensor in one TensorDict and nested in the other.")
        if isinstance(x, Node) and not x.is_empty():
            _require_alike(op, x, y, x.batch_size)


def _require_fit(op: Any, x: Tensor, batch: torch.Size) -> None:
    if x.ndim > len(batch) or any(a not in (1, b) for a, b in zip(x.shape[::-1], batch[::-1], strict=False)):
        raise ValueError(
            f"{op.__name__}: the tensor has shape {list(x.shape)}, which does not broadcast to the batch size "
            f"{list(batch)}; for an operation on one entry write td.set(key, ...)."
        )


def _binary(op: Callable[..., Tensor], reflected: bool = False) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        if not isinstance(other, (Node, Tensor, int, float, complex)):
            return NotImplemented
        return pointwise(op, other, self) if reflected else pointwise(op, self, other)

    return method


def _named(op: Callable[..., Tensor]) -> Callable[..., Any]:
    def method(self: Any, *operands: Any) -> Any:
        return pointwise(op, self, *operands)

    method.__doc__ = f"`torch.{op.__name__}` of every entry; the operands as in arithmetic."
    return method


def _unary(op: Callable[..., Tensor]) -> Callable[[Any], Any]:
    def method(self: Any) -> Any:
        return self._map(op)

    method.__doc__ = f"`torch.{op.__name__}` of every entry."
    return method


class Arithmetic(Node):
    """Arithmetic, comparison and element-wise functions of a `TensorDict`."""

    __slots__ = ()

    __add__, __radd__ = _binary(torch.add), _binary(torch.add, True)
    __sub__, __rsub__ = _binary(torch.sub), _binary(torch.sub, True)
    __mul__, __rmul__ = _binary(torch.mul), _binary(torch.mul, True)
    __truediv__, __rtruediv__ = _binary(torch.div), _binary(torch.div, True)
    __floordiv__, __rfloordiv__ = _binary(torch.floor_divide), _binary(torch.floor_divide, True)
    __mod__, __rmod__ = _binary(torch.remainder), _binary(torch.remainder, True)
    __pow__, __rpow__ = _binary(torch.pow), _binary(torch.pow, True)
    __and__, __rand__ = _binary(torch.bitwise_and), _binary(torch.bitwise_and, True)
    __or__, __ror__ = _binary(torch.bitwise_or), _binary(torch.bitwise_or, True)
    __xor__, __rxor__ = _binary(torch.bitwise_xor), _binary(torch.bitwise_xor, True)
    __eq__, __ne__ = _binary(torch.eq), _binary(torch.ne)  # type: ignore[assignment]
    __lt__, __le__ = _binary(torch.lt), _binary(torch.le)
    __gt__, __ge__ = _binary(torch.gt), _binary(torch.ge)
    __hash__ = object.__hash__  # type: ignore[assignment]  # by identity, as that of a tensor: `==` compares elements
    __neg__, __abs__, __invert__ = _unary(torch.neg), _unary(torch.abs), _unary(torch.bitwise_not)

    abs, neg, sign = _unary(torch.abs), _unary(torch.neg), _unary(torch.sign)
    exp, expm1, log, log1p = _unary(torch.exp), _unary(torch.expm1), _unary(torch.log), _unary(torch.log1p)
    log2, log10 = _unary(torch.log2), _unary(torch.log10)
    sqrt, rsqrt, square, reciprocal = (
        _unary(torch.sqrt),
        _unary(torch.rsqrt),
        _unary(torch.square),
        _unary(torch.reciprocal),
    )
    floor, ceil, round, trunc, frac = (
        _unary(torch.floor),
        _unary(torch.ceil),
        _unary(torch.round),
        _unary(torch.trunc),
        _unary(torch.frac),
    )
    sin, cos, tan, tanh = _unary(torch.sin), _unary(torch.cos), _unary(torch.tan), _unary(torch.tanh)
    sigmoid, relu, erf, lgamma = _unary(torch.sigmoid), _unary(torch.relu), _unary(torch.erf), _unary(torch.lgamma)
    isnan, isinf, isfinite = _unary(torch.isnan), _unary(torch.isinf), _unary(torch.isfinite)
    logical_not, nan_to_num = _unary(torch.logical_not), _unary(torch.nan_to_num)

    add, sub, mul, div, pow = (
        _named(torch.add),
        _named(torch.sub),
        _named(torch.mul),
        _named(torch.div),
        _named(torch.pow),
    )
    maximum, minimum, lerp = _named(torch.maximum), _named(torch.minimum), _named(torch.lerp)
    logical_and, logical_or, logical_xor = (
        _named(torch.logical_and),
        _named(torch.logical_or),
        _named(torch.logical_xor),
    )
    eq, ne, lt, le, gt, ge = (
        _named(torch.eq),
        _named(torch.ne),
        _named(torch.lt),
        _named(torch.le),
        _named(torch.gt),
        _named(torch.ge),
    )

    def clamp(self, min: Any = None, max: Any = None) -> Self:
        """Every element kept between `min` and `max`, either of which may be left out.

        >>> from frl import TensorDict
        >>> TensorDict({"a": torch.tensor([-2.0, 0.5, 2.0])}, [3]).clamp(-1, 1)["a"]
        tensor([-1.0000,  0.5000,  1.0000])
        """
        return pointwise(torch.clamp, self, min, max)

    def where(self, condition: Any, other: Any) -> Self:
        """This TensorDict where the boolean `condition` holds, `other` elsewhere.

        >>> from frl import TensorDict
        >>> TensorDict({"a": torch.ones(2, 1)}, [2]).where(torch.tensor([True, False]), 0.0)["a"].flatten()
        tensor([1., 0.])
        """
        return pointwise(torch.where, condition, self, other)
