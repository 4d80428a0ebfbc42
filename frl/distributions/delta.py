"""The distribution of a deterministic policy."""

from dataclasses import dataclass

import torch
from torch import Tensor

from frl import check
from frl.distributions.base import Distribution, check_value, pytree


@pytree
@dataclass(frozen=True, eq=False, repr=False)
class Delta(Distribution):
    """All probability on `value`, element by element: `log_prob` has the shape of `value`.

    Args: value: [*B], of any dtype.
    Raises: TypeError if `value` is no tensor.

    >>> policy = Delta(torch.tensor([1.0, 2.0]))
    >>> policy.mode.tolist(), policy.log_prob(torch.tensor([1.0, 1.0])).tolist()
    ([1.0, 2.0], [0.0, -inf])
    """

    value: Tensor

    def __post_init__(self) -> None:
        check.tensors("Delta", {"value": self.value})

    @property
    def batch_shape(self) -> torch.Size:
        """The shape of `value`."""
        return self.value.shape

    @property
    def event_shape(self) -> torch.Size:
        """()."""
        return torch.Size()

    @property
    def mode(self) -> Tensor:
        """`value`."""
        return self.value

    @property
    def mean(self) -> Tensor:
        """`value`."""
        return self.value

    @property
    def stddev(self) -> Tensor:
        """Zero."""
        return torch.zeros_like(self.value)

    def rsample(self, key: Tensor) -> Tensor:
        """[*B], `value`, whatever the key."""
        return self.value.clone()

    def log_prob(self, x: Tensor) -> Tensor:
        """[*B] -> [*B], the logarithm of a probability: 0 on `value`, −inf elsewhere."""
        check_value("Delta", x, self.value)
        zero = self.entropy()
        return torch.where(x == self.value, zero, zero - torch.inf)

    def entropy(self) -> Tensor:
        """[*B], zero."""
        dtype = self.value.dtype if self.value.is_floating_point() else torch.get_default_dtype()
        return torch.zeros_like(self.value, dtype=dtype)
