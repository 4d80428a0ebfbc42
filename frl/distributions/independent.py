"""Several distributions as one of a longer event."""

from dataclasses import dataclass

import torch
from torch import Tensor

from frl import check
from frl.distributions.base import Distribution, pytree, static, sum_last


@pytree
@dataclass(frozen=True, eq=False, repr=False)
class Independent(Distribution):
    """`base` with its last `event_dims` batch axes read as axes of the event: `log_prob` and `entropy` sum over them.

    So the normal distribution of a whole action vector is `Independent(Normal(loc, scale), 1)`, and a choice of several
    indices `Independent(Categorical(logits), 1)` with logits [*B, k, n].

    Args: base: any distribution, of batch shape [*B, *E]. event_dims: how many axes *E are, at least 0.
    Raises: TypeError if `base` is no distribution, ValueError if it has fewer batch axes than `event_dims`.

    >>> from frl.distributions import Normal
    >>> policy = Independent(Normal(torch.zeros(3, 2), torch.ones(3, 2)), event_dims=1)
    >>> policy.batch_shape, policy.event_shape, policy.log_prob(torch.zeros(3, 2)).shape
    (torch.Size([3]), torch.Size([2]), torch.Size([3]))
    """

    base: Distribution
    event_dims: int = static()

    def __post_init__(self) -> None:
        if not isinstance(self.base, Distribution):
            raise TypeError(
                f"Independent: base is a {type(self.base).__name__} but must be a distribution of frl.distributions."
            )
        check.at_least("Independent", {"event_dims": self.event_dims}, 0)
        if self.event_dims > len(self.base.batch_shape):
            raise ValueError(
                f"Independent: event_dims is {self.event_dims} but base has batch shape {list(self.base.batch_shape)}; "
                f"pass at most {len(self.base.batch_shape)}."
            )

    @property
    def batch_shape(self) -> torch.Size:
        """The batch shape of `base` without its last `event_dims` axes."""
        shape = self.base.batch_shape
        return shape[: len(shape) - self.event_dims]

    @property
    def event_shape(self) -> torch.Size:
        """The last `event_dims` batch axes of `base`, then its own event shape."""
        shape = self.base.batch_shape
        return shape[len(shape) - self.event_dims :] + self.base.event_shape

    @property
    def mode(self) -> Tensor:
        """[*B, *E], that of `base`."""
        return self.base.mode

    @property
    def mean(self) -> Tensor:
        """[*B, *E], that of `base`."""
        return self.base.mean

    @property
    def stddev(self) -> Tensor:
        """[*B, *E], that of `base`."""
        return self.base.stddev

    @property
    def has_rsample(self) -> bool:
        """Whether `base` has it."""
        return self.base.has_rsample

    def rsample(self, key: Tensor) -> Tensor:
        """[*B, *E], of `base`."""
        return self.base.rsample(key)

    def sample(self, key: Tensor) -> Tensor:
        """[*B, *E], of `base`."""
        return self.base.sample(key)

    def log_prob(self, x: Tensor) -> Tensor:
        """[*B, *E] -> [*B]."""
        expected = self.batch_shape + self.event_shape
        check.shape("Independent.log_prob", {"x": x}, expected, "pass one value for each distribution of the batch")
        return sum_last(self.base.log_prob(x), self.event_dims)

    def entropy(self) -> Tensor:
        """[*B], the sum of the entropies of `base`."""
        return sum_last(self.base.entropy(), self.event_dims)
