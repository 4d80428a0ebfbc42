"""A choice among finitely many, given as an index or as a one-hot vector."""

from dataclasses import dataclass

import torch
from torch import Tensor

from frl import check, random
from frl.distributions.base import Distribution, pytree
from frl.distributions.logits import check_logits, entropy, one_hot


@dataclass(frozen=True, eq=False, repr=False)
class Choice(Distribution):
    """What the two have in common: probabilities softmax(logits), and with them the entropy.

    >>> Categorical(torch.zeros(3, 2)).probs[0].tolist()
    [0.5, 0.5]
    """

    logits: Tensor

    def __post_init__(self) -> None:
        check_logits(type(self).__name__, self.logits)

    @property
    def batch_shape(self) -> torch.Size:
        """The shape of `logits` without its last axis."""
        return self.logits.shape[:-1]

    @property
    def probs(self) -> Tensor:
        """[*B, n]."""
        return self.logits.softmax(-1)

    def entropy(self) -> Tensor:
        """[*B]."""
        return entropy(self.logits)


@pytree
@dataclass(frozen=True, eq=False, repr=False)
class Categorical(Choice):
    """An index in 0 … n−1, with probabilities softmax(logits).

    Args: logits: [*B, n], not normalised; −inf makes a choice impossible, and one of each row must be finite.
    Raises: TypeError if `logits` is not floating point, ValueError if it has no last axis.

    >>> policy = Categorical(logits=torch.tensor([[0.0, 0.0], [-torch.inf, 5.0]]))
    >>> policy.mode.tolist(), policy.probs.tolist()
    ([0, 1], [[0.5, 0.5], [0.0, 1.0]])
    """

    @property
    def event_shape(self) -> torch.Size:
        """()."""
        return torch.Size()

    @property
    def mode(self) -> Tensor:
        """[*B], int64; the first of those that are equally likely."""
        return self.logits.argmax(-1)

    def sample(self, key: Tensor) -> Tensor:
        """[*B], int64."""
        return random.categorical(self.logits.detach(), key)

    def log_prob(self, x: Tensor) -> Tensor:
        """[*B] integers -> [*B]."""
        function = f"{type(self).__name__}.log_prob"
        check.shape(function, {"x": x}, self.batch_shape, "pass one index for each row of logits")
        if x.is_floating_point() or x.dtype == torch.bool:
            raise TypeError(f"{function}: x is {x.dtype} but must be an index; convert it by .long().")
        return self.logits.log_softmax(-1).gather(-1, x.to(torch.int64).unsqueeze(-1)).squeeze(-1)


@pytree
@dataclass(frozen=True, eq=False, repr=False)
class OneHotCategorical(Choice):
    """A one-hot vector of n integers, with probabilities softmax(logits).

    Args: logits: [*B, n], not normalised; −inf makes a choice impossible, and one of each row must be finite.
    Raises: TypeError if `logits` is not floating point, ValueError if it has no last axis.

    >>> policy = OneHotCategorical(logits=torch.tensor([1.0, 3.0, 2.0]))
    >>> policy.mode.tolist(), policy.sample(random.key(0)).dtype
    ([0, 1, 0], torch.int64)
    """

    @property
    def event_shape(self) -> torch.Size:
        """The last axis of `logits`."""
        return self.logits.shape[-1:]

    @property
    def mode(self) -> Tensor:
        """[*B, n], int64; the first of those that are equally likely."""
        return one_hot(self.logits.argmax(-1), self.logits.shape[-1])

    @property
    def mean(self) -> Tensor:
        """[*B, n], `probs`."""
        return self.probs

    def sample(self, key: Tensor) -> Tensor:
        """[*B, n], int64."""
        return one_hot(random.categorical(self.logits.detach(), key), self.logits.shape[-1])

    def log_prob(self, x: Tensor) -> Tensor:
        """[*B, n] one-hot, of any dtype -> [*B]."""
        function = f"{type(self).__name__}.log_prob"
        check.shape(function, {"x": x}, self.logits.shape, "pass one vector for each row of logits")
        return torch.where(x != 0, self.logits.log_softmax(-1), 0.0).sum(-1)
