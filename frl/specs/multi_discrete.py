"""Specs of several choices at once, each among its own number of them."""

from collections.abc import Sequence

import torch
from torch import Tensor
from typing_extensions import Self

from frl import random
from frl.specs.base import Spec, sizes
from frl.specs.boxes import CategoricalBox
from frl.specs.discrete import OneHot, require_choices


class MultiCategorical(Spec):
    """Several integers side by side, the i-th from 0 to `nvec[i]` - 1.

    Args: nvec: the numbers of choices, each >= 1. shape: of one value; (len(nvec),) by default, and it must end so.

    >>> spec = MultiCategorical([2, 3])
    >>> spec.project(torch.tensor([5, 5])), spec.contains(torch.tensor([1, 2])), spec.to_one_hot().shape
    (tensor([1, 2]), True, torch.Size([5]))
    """

    nvec: tuple[int, ...]

    def __init__(
        self,
        nvec: Sequence[int],
        shape: Sequence[int] | int | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype = torch.int64,
    ):
        nvec = _counts("MultiCategorical", nvec)
        shape = sizes(len(nvec) if shape is None else shape)
        if shape[-1:] != (len(nvec),):
            raise ValueError(
                f"MultiCategorical: shape is {list(shape)} but must end with len(nvec), which is {len(nvec)}."
            )
        self._assign(shape, dtype, device)
        object.__setattr__(self, "nvec", nvec)

    @property
    def space(self) -> CategoricalBox:
        """The choices of each position."""
        return CategoricalBox(self.nvec)

    def sample(self, key: Tensor) -> Tensor:
        """[*K, 2] -> [*K, *shape], uniform."""
        return _draw(self.nvec, self.shape[:-1], key).to(self.dtype)

    def inside(self, value: Tensor) -> Tensor:
        """[*B, *shape] -> [*B] boolean."""
        return self._over_event((value >= 0) & (value < self._limits(value.device)))

    def project(self, value: Tensor) -> Tensor:
        """The nearest choice at each position."""
        limits = self._limits(value.device)
        return value.clamp(torch.zeros_like(limits), limits - 1).to(self.dtype)

    def to_index(self, value: Tensor) -> Tensor:
        """The index of each choice, int64: for this spec the value itself."""
        return value.to(torch.int64)

    def from_index(self, index: Tensor) -> Tensor:
        """The value of each index; the inverse of `to_index`."""
        return index.to(self.dtype)

    def to_one_hot(self) -> "MultiOneHot":
        """The spec of the same choices written as one-hot vectors, one after the other."""
        return MultiOneHot(self.nvec, (*self.shape[:-1], sum(self.nvec)), self.device)

    def _limits(self, device: torch.device) -> Tensor:
        return torch.tensor(self.nvec, device=device)

    def _like(self, shape: torch.Size, device: torch.device) -> Self:
        return type(self)(self.nvec, shape, device, self.dtype)

    def _set(self) -> str:
        return f"the integers below {list(self.nvec)}"


class MultiOneHot(Spec):
    """Several choices written as one-hot vectors, one after the other on the last axis, the i-th of `nvec[i]` entries.

    Args: nvec: the numbers of choices, each >= 1. shape: of one value; (sum(nvec),) by default, and it must end so.

    >>> MultiOneHot([2, 3])
    MultiOneHot(
        shape=torch.Size([5]),
        space=CategoricalBox(n=(2, 3)),
        device=cpu,
        dtype=torch.int64,
        domain=discrete)
    >>> spec = MultiOneHot([2, 3])
    >>> spec.from_index(torch.tensor([1, 0])), spec.to_index(torch.tensor([1, 0, 0, 0, 1]))
    (tensor([0, 1, 1, 0, 0]), tensor([0, 2]))
    """

    nvec: tuple[int, ...]

    def __init__(
        self,
        nvec: Sequence[int],
        shape: Sequence[int] | int | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype = torch.int64,
    ):
        nvec = _counts("MultiOneHot", nvec)
        total = sum(nvec)
        shape = sizes(total if shape is None else shape)
        if shape[-1:] != (total,):
            raise ValueError(f"MultiOneHot: shape is {list(shape)} but must end with sum(nvec), which is {total}.")
        self._assign(shape, dtype, device)
        object.__setattr__(self, "nvec", nvec)

    @property
    def space(self) -> CategoricalBox:
        """The choices of each part."""
        return CategoricalBox(self.nvec)

    def sample(self, key: Tensor) -> Tensor:
        """[*K, 2] -> [*K, *shape], each choice of a part equally likely; that of `to_categorical` from the same key."""
        return self.from_index(_draw(self.nvec, self.shape[:-1], key))

    def inside(self, value: Tensor) -> Tensor:
        """[*B, *shape] -> [*B] boolean: which values have in each part zeros and a single one."""
        parts = value.split(list(self.nvec), -1)
        one_hot = torch.stack([((x == 0) | (x == 1)).all(-1) & ((x == 1).sum(-1) == 1) for x in parts], -1)
        return self._over_event(one_hot, len(self.shape))

    def project(self, value: Tensor) -> Tensor:
        """In each part the one-hot vector of the greatest entry, the first among equals."""
        return self.from_index(self.to_index(value))

    def to_index(self, value: Tensor) -> Tensor:
        """[..., sum(nvec)] -> [..., len(nvec)] int64: which entry of each part is the 1."""
        parts = zip(self._parts(), value.split(list(self.nvec), -1), strict=True)
        return torch.stack([part.to_index(x) for part, x in parts], -1)

    def from_index(self, index: Tensor) -> Tensor:
        """[..., len(nvec)] integers -> [..., sum(nvec)]; the inverse of `to_index`."""
        parts = zip(self._parts(), index.unbind(-1), strict=True)
        return torch.cat([part.from_index(i) for part, i in parts], -1)

    def to_categorical(self) -> MultiCategorical:
        """The spec of the same choices written as integers."""
        return MultiCategorical(self.nvec, (*self.shape[:-1], len(self.nvec)), self.device)

    def _parts(self) -> list[OneHot]:
        return [OneHot(n, device=self.device, dtype=self.dtype) for n in self.nvec]

    def _like(self, shape: torch.Size, device: torch.device) -> Self:
        return type(self)(self.nvec, shape, device, self.dtype)

    def _set(self) -> str:
        return f"the one-hot vectors of {list(self.nvec)}, one after the other"


def _counts(name: str, nvec: Sequence[int]) -> tuple[int, ...]:
    if len(nvec) == 0:
        raise ValueError(f"{name}: nvec is empty but there must be at least one number of choices.")
    for n in nvec:
        require_choices(name, n)
    return tuple(int(n) for n in nvec)


def _draw(nvec: Sequence[int], shape: Sequence[int], key: Tensor) -> Tensor:
    """[*K, 2] -> [*K, *shape, len(nvec)] int64, uniform."""
    keys = random.split(key, len(nvec))
    return torch.stack([random.randint(0, n, shape, k) for n, k in zip(nvec, keys, strict=True)], -1)
