"""What all specs share: a shape, a dtype and a device, and the checks that follow from them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from textwrap import indent
from typing import Any

import torch
from torch import Tensor
from typing_extensions import Self

from frl.specs.boxes import Box


class Spec(ABC):
    """What a tensor may be: its shape, its dtype, its device and the set that it lies in. Immutable.

    `shape` is the shape of one value; every method also takes values with batch axes in front of it.
    """

    shape: torch.Size
    dtype: torch.dtype
    device: torch.device

    @property
    def domain(self) -> str:
        """Discrete or continuous."""
        return "discrete"

    @property
    @abstractmethod
    def space(self) -> Box:
        """The set that each element is taken from."""

    @abstractmethod
    def sample(self, key: Tensor) -> Tensor:
        """A draw from the set, uniform where it is bounded; [*K, *shape] from a key [*K, 2]."""

    @abstractmethod
    def inside(self, value: Tensor) -> Tensor:
        """[*B, *shape] -> [*B] boolean: which of the values lie in the set; NaN never does. Traceable."""

    @abstractmethod
    def project(self, value: Tensor) -> Tensor:
        """The nearest value in the set; NaN stays NaN, that it may be found. Traceable."""

    def zeros(self, batch_size: Sequence[int] | int = ()) -> Tensor:
        """Zeros of shape [*batch_size, *shape]; zero need not lie in the set."""
        return torch.zeros(sizes(batch_size) + self.shape, dtype=self.dtype, device=self.device)

    def explain(self, value: Any) -> str | None:
        """Why `value`, [*B, *shape], is not contained, or None if it is. Reads the values, so it is for the host."""
        if not isinstance(value, Tensor):
            return f"is a {type(value).__name__} but must be a tensor"
        n = value.ndim - len(self.shape)
        if n < 0 or value.shape[n:] != self.shape:
            return f"has shape {list(value.shape)}, which does not end with {list(self.shape)}"
        if value.dtype != self.dtype:
            return f"is {value.dtype} but must be {self.dtype}"
        inside = self.inside(value)
        if not bool(inside.all()):
            return f"lies outside {self._set()}: {value[~inside][0].tolist()}"
        return None

    def contains(self, value: Any) -> bool:
        """Whether `value`, [*B, *shape], has the spec's shape and dtype and lies in its set."""
        return self.explain(value) is None

    def expand(self, *batch: int) -> Self:
        """The spec of `batch` such values side by side: `batch` comes in front of the shape."""
        return self._like(torch.Size(batch) + self.shape, self.device)

    def to(self, device: torch.device | str) -> Self:
        """The same spec on another device."""
        return self._like(self.shape, torch.device(device))

    @abstractmethod
    def _like(self, shape: torch.Size, device: torch.device) -> Self:
        """The same set, with another shape (that ends as this one does) and device."""

    @abstractmethod
    def _set(self) -> str:
        """The set in words, for messages."""

    def _assign(self, shape: torch.Size, dtype: torch.dtype, device: torch.device | str | None) -> None:
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "dtype", dtype)
        object.__setattr__(self, "device", torch.device("cpu" if device is None else device))

    def _over_event(self, inside: Tensor, rank: int | None = None) -> Tensor:
        """Whether all elements of the last `rank` axes, those of `shape` by default, are true."""
        rank = len(self.shape) if rank is None else rank
        return inside if rank == 0 else inside.flatten(-rank).all(-1)

    def __setattr__(self, name: str, value: Any) -> None:
        raise TypeError(f"{type(self).__name__} is immutable: .{name} cannot be assigned; build a new one.")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Spec) or type(self) is not type(other):
            return NotImplemented
        return (self.shape, self.dtype, self.device, self.space) == (
            other.shape,
            other.dtype,
            other.device,
            other.space,
        )

    def __hash__(self) -> int:
        return hash((type(self), self.shape, self.dtype))

    def __repr__(self) -> str:
        fields = ("shape", "space", "device", "dtype", "domain")
        lines = [f"{name}={getattr(self, name)!r}" if name != "device" else f"device={self.device}" for name in fields]
        return f"{type(self).__name__}(\n" + indent(",\n".join(lines).replace("'", ""), "    ") + ")"


def sizes(shape: Sequence[int] | int) -> torch.Size:
    """A shape as `torch.Size`; a number is one axis.

    Raises: ValueError for a negative size.

    >>> sizes(3), sizes([])
    (torch.Size([3]), torch.Size([]))
    """
    size = torch.Size([shape] if isinstance(shape, int) else shape)
    if any(n < 0 for n in size):
        raise ValueError(f"spec: shape is {list(size)} but its sizes must be at least 0.")
    return size
