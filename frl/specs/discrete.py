"""Specs of one choice among finitely many."""

from collections.abc import Sequence

import torch
from torch import Tensor
from typing_extensions import Self

from frl import random
from frl.specs.base import Spec, sizes
from frl.specs.boxes import CategoricalBox


class Categorical(Spec):
    """Integers from 0 to `n` - 1.

    Args: n: the number of choices, >= 1. shape: of one value, () by default. dtype: an integer type, or bool if n is 2.

    >>> spec = Categorical(4)
    >>> spec.sample(random.split(random.key(0), 5)).shape, spec.contains(torch.tensor(4)), spec.to_one_hot().shape
    (torch.Size([5]), False, torch.Size([4]))
    """

    n: int

    def __init__(
        self,
        n: int,
        shape: Sequence[int] | int = (),
        device: torch.device | str | None = None,
        dtype: torch.dtype = torch.int64,
    ):
        require_choices("Categorical", n)
        if dtype == torch.bool and n != 2:
            raise ValueError(f"Categorical: n is {n} but a boolean has 2 values; give an integer dtype.")
        self._assign(sizes(shape), dtype, device)
        object.__setattr__(self, "n", n)

    @property
    def space(self) -> CategoricalBox:
        """The choices of one element."""
        return CategoricalBox(self.n)

    def sample(self, key: Tensor) -> Tensor:
        """[*K, 2] -> [*K, *shape], uniform."""
        return random.randint(0, self.n, self.shape, key).to(self.dtype)

    def inside(self, value: Tensor) -> Tensor:
        """[*B, *shape] -> [*B] boolean."""
        return self._over_event((value >= 0) & (value < self.n))

    def project(self, value: Tensor) -> Tensor:
        """The nearest of the choices."""
        return value if self.dtype == torch.bool else value.clamp(0, self.n - 1).to(self.dtype)

    def to_index(self, value: Tensor) -> Tensor:
        """The index of each choice, int64: for this spec the value itself."""
        return value.to(torch.int64)

    def from_index(self, index: Tensor) -> Tensor:
        """The value of each index; the inverse of `to_index`."""
        return index.to(self.dtype)

    def to_one_hot(self) -> "OneHot":
        """The spec of the same choices written as one-hot vectors."""
        return OneHot(self.n, (*self.shape, self.n), self.device)

    def _like(self, shape: torch.Size, device: torch.device) -> Self:
        return type(self)(self.n, shape, device, self.dtype)

    def _set(self) -> str:
        return f"the integers from 0 to {self.n - 1}"


class OneHot(Spec):
    """Vectors with a single 1 among `n` entries: a choice, written so that it can be multiplied.

    Args: n: the number of choices, >= 1. shape: of one value; (n,) by default, and it must end with n.

    >>> OneHot(2)
    OneHot(
        shape=torch.Size([2]),
        space=CategoricalBox(n=2),
        device=cpu,
        dtype=torch.int64,
        domain=discrete)
    >>> OneHot(3).from_index(torch.tensor(1)), OneHot(3).to_index(torch.tensor([0, 0, 1]))
    (tensor([0, 1, 0]), tensor(2))
    """

    n: int

    def __init__(
        self,
        n: int,
        shape: Sequence[int] | int | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype = torch.int64,
    ):
        require_choices("OneHot", n)
        shape = sizes(n if shape is None else shape)
        if shape[-1:] != (n,):
            raise ValueError(f"OneHot: shape is {list(shape)} but must end with n, which is {n}.")
        self._assign(shape, dtype, device)
        object.__setattr__(self, "n", n)

    @property
    def space(self) -> CategoricalBox:
        """The choices of one vector."""
        return CategoricalBox(self.n)

    def sample(self, key: Tensor) -> Tensor:
        """[*K, 2] -> [*K, *shape], each choice equally likely."""
        return self.from_index(random.randint(0, self.n, self.shape[:-1], key))

    def inside(self, value: Tensor) -> Tensor:
        """[*B, *shape] -> [*B] boolean: which values are zeros and a single one."""
        one_hot = ((value == 0) | (value == 1)).all(-1) & ((value == 1).sum(-1) == 1)
        return self._over_event(one_hot, len(self.shape) - 1)

    def project(self, value: Tensor) -> Tensor:
        """The one-hot vector of the greatest entry, the first among equals."""
        return self.from_index(self.to_index(value))

    def to_index(self, value: Tensor) -> Tensor:
        """[..., n] -> [...] int64: which entry is the 1."""
        return value.to(torch.uint8).argmax(-1) if value.dtype == torch.bool else value.argmax(-1)

    def from_index(self, index: Tensor) -> Tensor:
        """[...] integers -> [..., n] one-hot; the inverse of `to_index`."""
        return (index.unsqueeze(-1) == torch.arange(self.n, device=index.device)).to(self.dtype)

    def to_categorical(self) -> Categorical:
        """The spec of the same choices written as integers."""
        return Categorical(self.n, self.shape[:-1], self.device)

    def _like(self, shape: torch.Size, device: torch.device) -> Self:
        return type(self)(self.n, shape, device, self.dtype)

    def _set(self) -> str:
        return f"the one-hot vectors of {self.n}"


class Binary(Spec):
    """Zeros and ones, each element for itself.

    Args: shape: of one value. dtype: int8 by default, as in Gymnasium; bool for flags.

    >>> Binary(3).contains(torch.tensor([0, 1, 1], dtype=torch.int8)), Binary(1, dtype=torch.bool).zeros()
    (True, tensor([False]))
    """

    def __init__(
        self,
        shape: Sequence[int] | int = (),
        device: torch.device | str | None = None,
        dtype: torch.dtype = torch.int8,
    ):
        self._assign(sizes(shape), dtype, device)

    @property
    def space(self) -> CategoricalBox:
        """The two choices of one element."""
        return CategoricalBox(2)

    def sample(self, key: Tensor) -> Tensor:
        """[*K, 2] -> [*K, *shape], either value equally likely."""
        return (random.bits(self.shape, key) >= 1 << 31).to(self.dtype)

    def inside(self, value: Tensor) -> Tensor:
        """[*B, *shape] -> [*B] boolean."""
        return self._over_event((value == 0) | (value == 1))

    def project(self, value: Tensor) -> Tensor:
        """The nearer of 0 and 1."""
        return value if value.dtype == torch.bool else (value > 0.5).to(self.dtype)

    def _like(self, shape: torch.Size, device: torch.device) -> Self:
        return type(self)(shape, device, self.dtype)

    def _set(self) -> str:
        return "{0, 1}"


def require_choices(name: str, n: int) -> None:
    """Raises ValueError unless there is at least one choice.

    >>> require_choices("OneHot", 0)
    Traceback (most recent call last):
    ValueError: OneHot: n is 0 but there must be at least 1 choice.
    """
    if n < 1:
        raise ValueError(f"{name}: n is {n} but there must be at least 1 choice.")
