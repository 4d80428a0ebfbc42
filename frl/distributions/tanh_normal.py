"""The normal distribution squashed into bounds by tanh."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from frl import check
from frl.distributions.base import Distribution, check_parameters, check_value, noise, pytree
from frl.distributions.normal import normal_log_density


@pytree
@dataclass(frozen=True, eq=False, repr=False)
class TanhNormal(Distribution):
    """The distribution of low + (high − low)·(tanh(u) + 1)/2 with u normal: one bounded vector for each `batch_shape`.

    Samples lie strictly inside the bounds, and `log_prob` is finite, with finite gradients, even on them. There is no
    closed form for mean, standard deviation and entropy.

    Args: loc: [*B, A], of u. scale: [*B, A], of u, above 0. low, high: bounds of each action, numbers, [A] or [*B, A].
    Raises: ValueError if shapes or bounds do not fit, TypeError if a dtype does not.
    Source: Haarnoja et al. (2018), arXiv:1801.01290, appendix C.

    >>> from frl import random
    >>> policy = TanhNormal(loc=torch.zeros(3, 2), scale=torch.ones(3, 2), low=0.0, high=10.0)
    >>> policy.sample(random.key(0)).shape, policy.log_prob(policy.mode).shape, policy.mode[0].tolist()
    (torch.Size([3, 2]), torch.Size([3]), [5.0, 5.0])
    """

    loc: Tensor
    scale: Tensor
    low: float | Tensor = -1.0
    high: float | Tensor = 1.0

    def __post_init__(self) -> None:
        check_parameters("TanhNormal", {"scale": self.scale, "loc": self.loc})
        check.at_least("TanhNormal: the number of axes of loc", {"ndim": self.loc.ndim}, 1)
        if not isinstance(self.low, Tensor) and not isinstance(self.high, Tensor):
            check.below("TanhNormal", {"low": self.low}, self.high)
        # Bounds as full as `loc` keep their meaning when vmap or stack adds an axis in front.
        object.__setattr__(self, "low", _bound("low", self.low, self.loc))
        object.__setattr__(self, "high", _bound("high", self.high, self.loc))

    @property
    def batch_shape(self) -> torch.Size:
        """The shape of `loc` without its last axis."""
        return self.loc.shape[:-1]

    @property
    def event_shape(self) -> torch.Size:
        """The last axis of `loc`."""
        return self.loc.shape[-1:]

    @property
    def mode(self) -> Tensor:
        """[*B, A], the image of `loc`: the median of each action, which the field calls the mode of this policy."""
        return self._squash(self.loc)

    def rsample(self, key: Tensor) -> Tensor:
        """[*B, A], strictly between `low` and `high`; the gradient is zero where rounding put it onto a bound."""
        return self._squash(self.loc + self.scale * noise("TanhNormal", self.loc, key))

    def log_prob(self, x: Tensor) -> Tensor:
        """[*B, A] -> [*B]; a value on a bound or beyond is read as the nearest one inside."""
        check_value("TanhNormal", x, self.loc)
        middle, half = self._affine()
        limit = 1 - torch.finfo(x.dtype).eps
        y = ((x - middle) / half).clamp(-limit, limit)
        below, above = torch.log1p(y), torch.log1p(-y)  # u = artanh(y), and dy/du = (1 + y)(1 − y)
        density = normal_log_density(0.5 * (below - above), self.loc, self.scale)
        return (density - below - above - half.log()).sum(-1)

    def rsample_and_log_prob(self, key: Tensor) -> tuple[Tensor, Tensor]:
        """[*B, A] and [*B]: from u and not from its image, in which a bound hides how far out u is."""
        e = noise("TanhNormal", self.loc, key)
        u = self.loc + self.scale * e
        stretch = 2 * (math.log(2) - u - softplus(-2 * u))  # log dy/du = log(1 - tanh(u)^2), of any u
        density = -0.5 * e.square() - self.scale.log() - 0.5 * math.log(2 * math.pi)
        return self._squash(u), (density - stretch - self._affine()[1].log()).sum(-1)

    def _squash(self, u: Tensor) -> Tensor:
        middle, half = self._affine()
        low, high = self._bounds()
        margin = torch.finfo(u.dtype).eps * torch.maximum(low.abs(), high.abs())  # at least one unit in the last place
        return (middle + half * torch.tanh(u)).clamp(low + margin, high - margin)

    def _affine(self) -> tuple[Tensor, Tensor]:
        low, high = self._bounds()
        return 0.5 * (low + high), 0.5 * (high - low)

    def _bounds(self) -> tuple[Tensor, Tensor]:
        assert isinstance(self.low, Tensor)
        assert isinstance(self.high, Tensor)
        return self.low, self.high


def _bound(name: str, bound: float | Tensor, loc: Tensor) -> Tensor:
    bound = torch.as_tensor(bound, dtype=loc.dtype, device=loc.device)
    if bound.shape != loc.shape[loc.ndim - bound.ndim :]:
        raise ValueError(
            f"TanhNormal: {name} has shape {list(bound.shape)} but loc has {list(loc.shape)}; "
            "pass a number, [A] or the shape of loc."
        )
    return bound.expand(loc.shape)
