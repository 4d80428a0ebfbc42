"""Several choices at once, each among its own number, given as indices or as one-hot vectors one after the other."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from frl import check, random
from frl.distributions.base import Distribution, pytree, static
from frl.distributions.logits import check_logits, entropy, one_hot


@dataclass(frozen=True, eq=False, repr=False)
class Choices(Distribution):
    """What the two have in common: independent choices, the i-th among `nvec[i]` by its part of the logits.

    >>> policy = MultiCategorical(torch.zeros(5), nvec=(2, 3))
    >>> policy.parts.softmax(-1)[0].tolist(), round(policy.entropy().exp().item(), 4)
    ([0.5, 0.5, 0.0], 6.0)
    """

    logits: Tensor
    nvec: tuple[int, ...] = static()

    def __post_init__(self) -> None:
        name = type(self).__name__
        check_logits(name, self.logits)
        object.__setattr__(self, "nvec", tuple(self.nvec))
        check.at_least(name, {"len(nvec)": len(self.nvec), "min(nvec)": min(self.nvec, default=1)}, 1)
        if sum(self.nvec) != self.logits.shape[-1]:
            raise ValueError(
                f"{name}: logits have shape {list(self.logits.shape)} but must end with sum(nvec), which is "
                f"{sum(self.nvec)}; build the network with one output for each choice."
            )

    @property
    def batch_shape(self) -> torch.Size:
        """The shape of `logits` without its last axis."""
        return self.logits.shape[:-1]

    @property
    def parts(self) -> Tensor:
        """[*B, k, max(nvec)], the logits of each choice, with −inf for what it lacks."""
        widest = max(self.nvec)
        parts = [F.pad(x, (0, widest - x.shape[-1]), value=-torch.inf) for x in self.logits.split(list(self.nvec), -1)]
        return torch.stack(parts, -2)

    def entropy(self) -> Tensor:
        """[*B], the sum over the choices."""
        return entropy(self.parts).sum(-1)


@pytree
@dataclass(frozen=True, eq=False, repr=False)
class MultiCategorical(Choices):
    """k indices, the i-th in 0 … nvec[i]−1, drawn independently of each other.

    Args: logits: [*B, sum(nvec)], those of the choices one after the other, not normalised. nvec: k numbers, each >= 1.
    Raises: TypeError if `logits` is not floating point; ValueError unless its last axis has the length sum(nvec).

    >>> policy = MultiCategorical(logits=torch.tensor([0.0, 1.0, 2.0, 0.0, 0.0]), nvec=(2, 3))
    >>> policy.mode.tolist(), policy.event_shape
    ([1, 0], torch.Size([2]))
    """

    @property
    def event_shape(self) -> torch.Size:
        """The number of choices."""
        return torch.Size([len(self.nvec)])

    @property
    def mode(self) -> Tensor:
        """[*B, k], int64; of each choice the first of those that are equally likely."""
        return self.parts.argmax(-1)

    def sample(self, key: Tensor) -> Tensor:
        """[*B, k], int64."""
        return random.categorical(self.parts.detach(), key)

    def log_prob(self, x: Tensor) -> Tensor:
        """[*B, k] integers -> [*B]."""
        function = f"{type(self).__name__}.log_prob"
        check.shape(function, {"x": x}, self.batch_shape + self.event_shape, "pass one index for each choice")
        if x.is_floating_point() or x.dtype == torch.bool:
            raise TypeError(f"{function}: x is {x.dtype} but must be indices; convert it by .long().")
        return self.parts.log_softmax(-1).gather(-1, x.to(torch.int64).unsqueeze(-1)).squeeze(-1).sum(-1)


@pytree
@dataclass(frozen=True, eq=False, repr=False)
class MultiOneHotCategorical(Choices):
    """k one-hot vectors of integers one after the other, the i-th of length nvec[i], drawn independently of each other.

    Arguments and errors are those of `MultiCategorical`.

    >>> policy = MultiOneHotCategorical(logits=torch.tensor([0.0, 1.0, 2.0, 0.0, 0.0]), nvec=(2, 3))
    >>> policy.mode.tolist()
    [0, 1, 1, 0, 0]
    """

    @property
    def event_shape(self) -> torch.Size:
        """The last axis of `logits`."""
        return self.logits.shape[-1:]

    @property
    def mode(self) -> Tensor:
        """[*B, sum(nvec)], int64; of each choice the first of those that are equally likely."""
        return self._vectors(self.parts.argmax(-1))

    def sample(self, key: Tensor) -> Tensor:
        """[*B, sum(nvec)], int64."""
        return self._vectors(random.categorical(self.parts.detach(), key))

    def log_prob(self, x: Tensor) -> Tensor:
        """[*B, sum(nvec)] one-hot vectors, of any dtype -> [*B]."""
        function = f"{type(self).__name__}.log_prob"
        check.shape(function, {"x": x}, self.logits.shape, "pass one vector for each row of logits")
        log_p = torch.cat([part.log_softmax(-1) for part in self.logits.split(list(self.nvec), -1)], -1)
        return torch.where(x != 0, log_p, 0.0).sum(-1)

    def _vectors(self, index: Tensor) -> Tensor:
        return torch.cat([one_hot(i, n) for i, n in zip(index.unbind(-1), self.nvec, strict=True)], -1)
