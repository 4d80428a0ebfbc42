"""Specs as plain data, which JSON can hold, and back: so that one process can tell another what it shows."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from frl.specs.base import Spec
from frl.specs.composite import Composite
from frl.specs.continuous import Bounded, Unbounded
from frl.specs.discrete import Binary, Categorical, OneHot
from frl.specs.multi_discrete import MultiCategorical, MultiOneHot

_KINDS: dict[str, Any] = {
    kind.__name__: kind for kind in (Binary, Bounded, Categorical, MultiCategorical, MultiOneHot, OneHot, Unbounded)
}
_CHOICES = {"Categorical": "n", "OneHot": "n", "MultiCategorical": "nvec", "MultiOneHot": "nvec"}


def to_plain(spec: Spec | Composite) -> dict[str, Any]:
    """The spec in dicts, lists, strings and numbers; the device is left out. Infinity is a number of Python's JSON.

    >>> to_plain(Bounded(-1.0, 1.0, 3))
    {'kind': 'Bounded', 'shape': [3], 'dtype': 'float32', 'low': -1.0, 'high': 1.0}
    """
    if isinstance(spec, Composite):
        entries = {name: to_plain(inner) for name, inner in spec.items()}
        return {"kind": "Composite", "shape": list(spec.shape), "entries": entries}
    kind = type(spec).__name__
    plain = {"kind": kind, "shape": list(spec.shape), "dtype": str(spec.dtype).removeprefix("torch.")}
    if isinstance(spec, Bounded):
        plain |= {"low": _bound(spec.low), "high": _bound(spec.high)}
    elif kind in _CHOICES:
        choices = getattr(spec, _CHOICES[kind])
        plain["choices"] = list(choices) if isinstance(choices, tuple) else choices
    return plain


def from_plain(plain: Mapping[str, Any]) -> Spec | Composite:
    """The spec that `to_plain` wrote, on the cpu.

    Raises: ValueError if there is no such kind.

    >>> from_plain(to_plain(Categorical(4))) == Categorical(4)
    True
    """
    kind, shape = plain["kind"], torch.Size(plain["shape"])
    if kind == "Composite":
        return Composite({name: from_plain(inner) for name, inner in plain["entries"].items()}, shape)
    if kind not in _KINDS:
        raise ValueError(f"from_plain: kind is {kind!r} but must be one of {['Composite', *_KINDS]}.")
    dtype = getattr(torch, plain["dtype"])
    if kind == "Bounded":
        low, high = (_tensor(plain[name], shape, dtype) for name in ("low", "high"))
        return Bounded(low, high, shape)
    if kind in _CHOICES:
        return _KINDS[kind](plain["choices"], shape=shape, dtype=dtype)
    return _KINDS[kind](shape, dtype=dtype)


def _bound(bound: Tensor) -> Any:
    """One number if all are equal, as those of an image are, else the list of all."""
    numbers = bound.flatten()
    if numbers.numel() and bool((numbers == numbers[0]).all()):
        return numbers[0].item()
    return numbers.tolist()


def _tensor(bound: Any, shape: torch.Size, dtype: torch.dtype) -> Tensor:
    value = torch.tensor(bound, dtype=dtype)
    return value.reshape(shape) if value.ndim else value.expand(shape)
