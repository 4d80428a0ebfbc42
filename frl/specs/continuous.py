"""Specs of numbers on an interval, or on the whole line."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import Self

from frl import random
from frl.specs.base import Spec, sizes
from frl.specs.boxes import ContinuousBox

_POSITIVE = (1 << 63) - 1


class Bounded(Spec):
    """Numbers between `low` and `high`, both included; a bound may be infinite.

    A draw is uniform between two finite bounds, exponential from a single one, normal without any.

    Args: low, high: numbers or tensors. shape: of one value; by default the bounds', broadcast. device: cpu by default.
        dtype: by default the bounds', or float32 for numbers.
    Raises: ValueError if a bound is NaN or if low exceeds high somewhere.

    >>> spec = Bounded(-torch.ones(3), torch.ones(3))
    >>> spec.project(torch.tensor([0.5, -7.0, 3.0])), spec.contains(torch.tensor([0.5, -7.0, 3.0]))
    (tensor([ 0.5000, -1.0000,  1.0000]), False)
    >>> spec.sample(random.split(random.key(0), 8)).shape
    torch.Size([8, 3])
    """

    low: Tensor
    high: Tensor
    _finite: bool  # known at construction, so that a trace of `sample` reads no values

    def __init__(
        self,
        low: Tensor | float,
        high: Tensor | float,
        shape: Sequence[int] | int | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        given = [bound for bound in (low, high) if isinstance(bound, Tensor)]
        dtype = dtype or (given[0].dtype if given else torch.float32)
        device = device or (given[0].device if given else None)
        self._assign(_common_shape(low, high, shape), dtype, device)
        for name, bound in (("low", low), ("high", high)):
            value = torch.as_tensor(bound, dtype=self.dtype, device=self.device)
            object.__setattr__(self, name, value.expand(self.shape).contiguous())
        object.__setattr__(self, "_finite", bool((self.low.isfinite() & self.high.isfinite()).all()))
        self._require_order()

    def _require_order(self) -> None:
        if not bool((self.low <= self.high).all()):
            bounds = f"low is {self.low.tolist()} and high is {self.high.tolist()}"
            raise ValueError(f"Bounded: {bounds}; low must nowhere exceed high, and neither be NaN.")
        if not self.dtype.is_floating_point and bool((self.high.long() - self.low.long() + 1 <= 0).any()):
            raise ValueError(
                "Bounded: 2**63 or more integers lie between low and high; use Unbounded for all of a dtype."
            )

    @property
    def domain(self) -> str:
        """Continuous for floats, discrete for integers."""
        return "continuous" if self.dtype.is_floating_point else "discrete"

    @property
    def space(self) -> ContinuousBox:
        """The two bounds."""
        return ContinuousBox(self.low, self.high)

    def sample(self, key: Tensor) -> Tensor:
        """[*K, 2] -> [*K, *shape], each element as the class says."""
        if not self.dtype.is_floating_point:
            low = self.low.to(torch.int64)
            span = self.high.to(torch.int64) - low + 1
            return (low + (_words(self.shape, key) & _POSITIVE) % span).to(self.dtype)
        u = random.uniform(self.shape, key, dtype=torch.float64)
        low, high = self.low.to(torch.float64), self.high.to(torch.float64)
        if self._finite:
            draw = low * (1 - u) + high * u
        else:
            draw = _tailed(low, high, u, random.normal(self.shape, random.fold_in(key, 1), dtype=torch.float64))
        return draw.to(self.dtype).clamp(self.low, self.high)

    def inside(self, value: Tensor) -> Tensor:
        """[*B, *shape] -> [*B] boolean; NaN is outside."""
        return self._over_event((value >= self.low) & (value <= self.high))

    def project(self, value: Tensor) -> Tensor:
        """`value` [*B, *shape] clamped to the bounds; the gradient is that of clamp."""
        if value.shape[value.ndim - len(self.shape) :] != self.shape:
            raise ValueError(
                f"project: value has shape {list(value.shape)} but must end in {list(self.shape)}, that of {self!r}."
            )
        return value.clamp(self.low.to(value.dtype), self.high.to(value.dtype))

    def _like(self, shape: torch.Size, device: torch.device) -> Self:
        spec = object.__new__(type(self))
        spec._assign(shape, self.dtype, device)
        object.__setattr__(spec, "low", self.low.to(device).expand(shape).contiguous())
        object.__setattr__(spec, "high", self.high.to(device).expand(shape).contiguous())
        object.__setattr__(spec, "_finite", self._finite)
        return spec

    def _set(self) -> str:
        return f"[{self.low.tolist()}, {self.high.tolist()}]"


class Unbounded(Spec):
    """Any number but NaN; of an integer dtype, any integer.

    A float is drawn from the standard normal distribution, an integer uniformly from all that the dtype holds.

    >>> spec = Unbounded(3)
    >>> spec.contains(torch.tensor([1.0, -2.0, 3e9])), spec.zeros(2).shape
    (True, torch.Size([2, 3]))
    """

    def __init__(
        self,
        shape: Sequence[int] | int = (),
        device: torch.device | str | None = None,
        dtype: torch.dtype = torch.float32,
    ):
        if dtype == torch.bool:
            raise TypeError("Unbounded: dtype is torch.bool, whose values are two; use Binary.")
        self._assign(sizes(shape), dtype, device)

    @property
    def domain(self) -> str:
        """Continuous for floats, discrete for integers."""
        return "continuous" if self.dtype.is_floating_point else "discrete"

    @property
    def space(self) -> ContinuousBox:
        """All that the dtype holds."""
        low, high = _range(self.dtype)
        bounds = [
            torch.tensor(x, dtype=self.dtype, device=self.device).expand(self.shape).contiguous() for x in (low, high)
        ]
        return ContinuousBox(*bounds)

    def sample(self, key: Tensor) -> Tensor:
        """[*K, 2] -> [*K, *shape], as the class says."""
        if self.dtype.is_floating_point:
            return random.normal(self.shape, key, dtype=self.dtype)
        return _words(self.shape, key).to(self.dtype)

    def inside(self, value: Tensor) -> Tensor:
        """[*B, *shape] -> [*B] boolean: which values are free of NaN."""
        return self._over_event(~value.isnan())

    def project(self, value: Tensor) -> Tensor:
        """`value` itself."""
        return value

    def _like(self, shape: torch.Size, device: torch.device) -> Self:
        return type(self)(shape, device, self.dtype)

    def _set(self) -> str:
        return "the numbers"


def _common_shape(low: Any, high: Any, shape: Sequence[int] | int | None) -> torch.Size:
    bounds = [torch.as_tensor(bound).shape for bound in (low, high)]
    try:
        # torch.broadcast_shapes imports sympy, which takes a process most of a second.
        common = torch.Size(np.broadcast_shapes(*bounds))
        fits = shape is None or np.broadcast_shapes(common, sizes(shape)) == sizes(shape)
    except ValueError:
        fits, common = False, torch.Size()
    if not fits:
        wanted = "to each other" if shape is None else f"to the shape {list(sizes(shape))}"
        raise ValueError(
            f"Bounded: low has shape {list(bounds[0])} and high has {list(bounds[1])}; they must broadcast {wanted}."
        )
    return common if shape is None else sizes(shape)


def _range(dtype: torch.dtype) -> tuple[Any, Any]:
    if dtype.is_floating_point:
        return -math.inf, math.inf
    return torch.iinfo(dtype).min, torch.iinfo(dtype).max


def _words(shape: torch.Size, key: Tensor) -> Tensor:
    """Uniform int64 of shape [*K, *shape], all 64 bits."""
    upper, lower = random.split(key)
    return (random.bits(shape, upper) << 32) | random.bits(shape, lower)


def _tailed(low: Tensor, high: Tensor, u: Tensor, normal: Tensor) -> Tensor:
    """Draws where some bounds are infinite: uniform, exponential or normal, from uniform `u` and normal noise."""
    below, above = low.isfinite(), high.isfinite()
    tail = -torch.log1p(-u)
    one_sided = torch.where(below, low + tail, torch.where(above, high - tail, normal))
    return torch.where(below & above, low.nan_to_num() * (1 - u) + high.nan_to_num() * u, one_sided)
