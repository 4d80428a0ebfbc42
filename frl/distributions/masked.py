"""A choice among those that are legal in each state."""

from dataclasses import dataclass

import torch
from torch import Tensor

from frl import check
from frl.distributions.base import pytree
from frl.distributions.categorical import Categorical, OneHotCategorical
from frl.distributions.logits import check_logits


@pytree
@dataclass(frozen=True, eq=False, repr=False)
class MaskedCategorical(Categorical):
    """An index in 0 … n−1 among those that `mask` allows, with probabilities softmax(logits) over these.

    What is not allowed has probability exactly 0: it is never drawn, its `log_prob` is −inf, it adds nothing to the
    entropy, and its logit, which may be anything, has the gradient 0. Then `logits` are those given, with −inf there.

    Args: logits: [*B, n], not normalised. mask: [*B, n] boolean, True where a choice is allowed.
    Raises: TypeError if a dtype does not fit; ValueError if the shapes differ or if a row allows nothing. In compiled
        programs and under transforms values cannot be read, and such a row has probabilities that are NaN.
    Source: Huang & Ontañón (2022), arXiv:2006.14171.

    >>> policy = MaskedCategorical(logits=torch.zeros(4), mask=torch.tensor([True, False, False, True]))
    >>> policy.probs.tolist(), policy.log_prob(torch.tensor(1)).item()
    ([0.5, 0.0, 0.0, 0.5], -inf)
    """

    mask: Tensor

    def __post_init__(self) -> None:
        object.__setattr__(self, "logits", masked_logits("MaskedCategorical", self.logits, self.mask))


@pytree
@dataclass(frozen=True, eq=False, repr=False)
class MaskedOneHotCategorical(OneHotCategorical):
    """A one-hot vector of n integers among those that `mask` allows, with probabilities softmax(logits) over these.

    Arguments, errors and what holds for a choice that is not allowed are those of `MaskedCategorical`.

    >>> policy = MaskedOneHotCategorical(logits=torch.tensor([9.0, 0.0]), mask=torch.tensor([False, True]))
    >>> policy.mode.tolist(), policy.probs.tolist()
    ([0, 1], [0.0, 1.0])
    """

    mask: Tensor

    def __post_init__(self) -> None:
        object.__setattr__(self, "logits", masked_logits("MaskedOneHotCategorical", self.logits, self.mask))


def masked_logits(name: str, logits: Tensor, mask: Tensor) -> Tensor:
    """`logits` [*B, n] where `mask` [*B, n] allows, −inf elsewhere.

    Raises: as `MaskedCategorical`; the message begins with `name`.

    >>> masked_logits("MaskedCategorical", torch.zeros(2, 2), torch.tensor([[True, True], [False, False]]))
    Traceback (most recent call last):
    ValueError: MaskedCategorical: mask allows nothing at [1]; each row needs a choice that is allowed.
    """
    check_logits(name, logits)
    check.boolean(name, {"mask": mask})
    check.same_shape(name, {"mask": mask, "logits": logits}, "expand the mask to one row for each row of logits")
    if check.values_readable() and not bool((allowed := mask.any(-1)).all()):
        where = torch.nonzero(~allowed)[0].tolist()
        raise ValueError(f"{name}: mask allows nothing at {where}; each row needs a choice that is allowed.")
    return torch.where(mask, logits, -torch.inf)
