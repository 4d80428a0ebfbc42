"""torch's own functions on TensorDicts: `torch.stack(tds)`, `torch.where(done, fresh, td)`, `torch.zeros_like(td)`."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from frl.tensordict.arithmetic import Arithmetic, pointwise
from frl.tensordict.core import Node
from frl.tensordict.indexing import Indexing
from frl.tensordict.placement import Placement
from frl.tensordict.reduction import Reduction
from frl.tensordict.shape import ShapeOps


class TorchFunctions(Node):
    """The way from `torch.f(td)` to the methods of a `TensorDict`."""

    __slots__ = ()

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func not in _HANDLERS:
            raise TypeError(_unsupported(func.__name__))
        return _HANDLERS[func](*args, **(kwargs or {}))


def _stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    tds = _nodes("stack", tensors)
    n = tds[0].batch_dims + 1
    if not -n <= dim < n:
        raise IndexError(f"stack: dim is {dim} but the result has {n} batch axes.")
    _require_alike("stack", tds)
    return _join(torch.stack, tds, dim % n)


def _cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    tds = _nodes("cat", tensors)
    n = tds[0].batch_dims
    if not -n <= dim < n:
        raise IndexError(f"cat: dim is {dim} but there are {n} batch axes.")
    _require_alike("cat", tds, dim % n)
    return _join(torch.cat, tds, dim % n)


def _nodes(name: str, tensors: Sequence[Any]) -> Sequence[Any]:
    for i, td in enumerate(tensors):
        if not isinstance(td, Node):
            raise TypeError(f"{name}: item {i} is a {type(td).__name__} and others are TensorDicts.")
    return tensors


def _require_alike(name: str, tds: Sequence[Any], free: int | None = None) -> None:
    """Raises ValueError if keys or batch sizes differ, but for the axis `free`."""
    keys, batch = tds[0]._data.keys(), tds[0].batch_size
    for i, td in enumerate(tds):
        if td._data.keys() != keys:
            raise ValueError(f"{name}: only one of items 0 and {i} has the entries {sorted(td._data.keys() ^ keys)}.")
        own = td.batch_size
        if own != batch and (free is None or own[:free] + own[free + 1 :] != batch[:free] + batch[free + 1 :]):
            raise ValueError(f"{name}: item 0 has batch size {list(batch)} but item {i} has {list(own)}.")


def _join(f: Callable[..., Tensor], tds: Sequence[Any], dim: int) -> Any:
    """`f(leaves, dim)` for every key; the device is kept where all agree."""
    first, key = tds[0], ""
    data: dict[str, Any] = {}
    try:
        for key, column in zip(first._data, zip(*[td._data.values() for td in tds], strict=True), strict=True):
            if isinstance(column[0], Node):
                data[key] = _join(f, column, dim) if _have_leaves(f, key, column) else column[0]
            else:
                data[key] = f(column, dim)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"{f.__name__}: the entries {key!r} do not fit together: {error}") from None
    batch = None if first._batch is None else f([torch.zeros(()).expand(td._batch) for td in tds], dim).shape
    device = first._device if all(td._device == first._device for td in tds) else None
    return first._make(data, first._events, batch, device)


def _have_leaves(f: Callable[..., Tensor], key: str, column: Sequence[Any]) -> bool:
    """Whether there is something to join in the nested entries `key`."""
    for td in column:
        if not isinstance(td, Node) or td._data.keys() != column[0]._data.keys():
            raise ValueError(f"{f.__name__}: the nested entries {key!r} have different keys.")
    return not column[0].is_empty()


def _full(make: Callable[..., Tensor]) -> Callable[..., Any]:
    def like(td: Any, *args: Any, dtype: torch.dtype | None = None, device: Any = None) -> Any:
        return td._map(lambda x: make(x, *args, dtype=dtype, device=device))

    return like


def _method(name: str) -> Callable[..., Any]:
    return lambda td, *args, **kwargs: getattr(td, name)(*args, **kwargs)


def _pointwise(op: Callable[..., Tensor]) -> Callable[..., Any]:
    return lambda *operands: pointwise(op, *operands)


def _handlers() -> dict[Any, Callable[..., Any]]:
    """What to call for each of torch's functions, and for the methods of a tensor whose operand is a TensorDict."""
    table: dict[Any, Callable[..., Any]] = {torch.stack: _stack, torch.amax: _method("max"), torch.amin: _method("min")}
    table |= dict.fromkeys((torch.cat, torch.concat, torch.concatenate), _cat)
    for make in (torch.zeros_like, torch.ones_like, torch.empty_like, torch.full_like):
        table[make] = _full(make)
    for owner in (Indexing, ShapeOps, Arithmetic, Reduction, Placement):
        names = [name for name in vars(owner) if name[0] != "_" and callable(getattr(torch, name, None))]
        table |= {getattr(torch, name): _method(name) for name in names}
    for op in _OPERATORS:
        table[op] = table[getattr(Tensor, op.__name__)] = _pointwise(op)
    for place, name, op in _SYNONYMS:
        table[getattr(place, name)] = _pointwise(op)
    return table


# fmt: off
_OPERATORS = (
    torch.add, torch.sub, torch.mul, torch.div, torch.floor_divide, torch.remainder, torch.pow, torch.lerp, torch.where,
    torch.eq, torch.ne, torch.lt, torch.le, torch.gt, torch.ge, torch.maximum, torch.minimum,
    torch.bitwise_and, torch.bitwise_or, torch.bitwise_xor, torch.logical_and, torch.logical_or, torch.logical_xor,
)
# fmt: on
_SYNONYMS: tuple[tuple[Any, str, Callable[..., Tensor]], ...] = (
    (torch, "true_divide", torch.div),
    (Tensor, "__floordiv__", torch.floor_divide),
    (Tensor, "__and__", torch.bitwise_and),
    (Tensor, "__or__", torch.bitwise_or),
    (Tensor, "__xor__", torch.bitwise_xor),
)
_HANDLERS = _handlers()


def _unsupported(name: str) -> str:
    if name.startswith(("rand", "normal", "bernoulli", "multinomial", "poisson", "dropout")):
        return f"torch.{name} draws from the global generator; draw with frl.random and a key instead."
    return f"torch.{name} does not take a TensorDict; apply it to every entry by td.apply(torch.{name})."
