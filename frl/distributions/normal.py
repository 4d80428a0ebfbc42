"""The normal distribution of independent numbers."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from frl.distributions.base import Distribution, check_parameters, check_value, noise, pytree

_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


@pytree
@dataclass(frozen=True, eq=False, repr=False)
class Normal(Distribution):
    """A normal distribution for each element; nothing is summed: `log_prob` has the shape of `loc`.

    Args: loc: [*B]. scale: [*B], standard deviation, above 0.
    Raises: ValueError if the shapes differ, TypeError if the dtypes do or are not floating point.

    >>> from frl import random
    >>> normal = Normal(loc=torch.zeros(3, 4), scale=torch.ones(3, 4))
    >>> normal.sample(random.key(0)).shape, round(normal.log_prob(torch.zeros(3, 4))[0, 0].item(), 4)
    (torch.Size([3, 4]), -0.9189)
    """

    loc: Tensor
    scale: Tensor

    def __post_init__(self) -> None:
        check_parameters("Normal", {"scale": self.scale, "loc": self.loc})

    @property
    def batch_shape(self) -> torch.Size:
        """The shape of `loc`."""
        return self.loc.shape

    @property
    def event_shape(self) -> torch.Size:
        """()."""
        return torch.Size()

    @property
    def mode(self) -> Tensor:
        """`loc`."""
        return self.loc

    @property
    def mean(self) -> Tensor:
        """`loc`."""
        return self.loc

    @property
    def stddev(self) -> Tensor:
        """`scale`."""
        return self.scale

    def rsample(self, key: Tensor) -> Tensor:
        """[*B], loc + scale·ε with ε standard normal. Source: Kingma & Welling (2014), arXiv:1312.6114."""
        return self.loc + self.scale * noise("Normal", self.loc, key)

    def log_prob(self, x: Tensor) -> Tensor:
        """[*B] -> [*B]."""
        check_value("Normal", x, self.loc)
        return normal_log_density(x, self.loc, self.scale)

    def entropy(self) -> Tensor:
        """[*B], ½ log(2πe scale²)."""
        return 0.5 + _HALF_LOG_TWO_PI + self.scale.log()


def normal_log_density(x: Tensor, loc: Tensor, scale: Tensor) -> Tensor:
    """−½ ((x − loc) / scale)² − log scale − ½ log 2π, element by element; all arguments have one shape.

    >>> round(normal_log_density(torch.tensor(2.0), torch.tensor(0.0), torch.tensor(1.0)).item(), 4)
    -2.9189
    """
    return -0.5 * ((x - loc) / scale).square() - scale.log() - _HALF_LOG_TWO_PI
