"""Selection among the members of a population: successive halving and population-based training, as gathers."""

from collections.abc import Mapping

import torch
from torch import Tensor

from frl import check, random, tree
from frl.tensordict import TensorDict
from frl.training.population import require_leaves, size_of


def halve(states: TensorDict, scores: Tensor, keep: int | None = None) -> tuple[TensorDict, Tensor]:
    """The best members by `scores` [n], as a smaller population, and which they were: one round of successive halving.

    A score that is NaN is the worst.

    Args: keep: how many; by default the better half, rounded up.
    Returns: the states of the members that are kept, and their indices [keep], in their old order.
    Raises: ValueError unless there is one score for each member, or if `keep` is out of range.
    Source: Jamieson & Talwalkar (2016), arXiv:1502.07943.

    >>> states = TensorDict({"step": torch.tensor([1, 2, 3, 4])})
    >>> kept, index = halve(states, torch.tensor([0.5, torch.nan, 2.0, 1.0]))
    >>> kept["step"], index
    (tensor([3, 4]), tensor([2, 3]))
    """
    count = _scored("halve", states, scores)
    keep = (count + 1) // 2 if keep is None else keep
    check.at_least("halve", {"keep": keep}, 1)
    check.at_most("halve", {"keep": keep}, count)
    index = _ranked(scores)[count - keep :].sort().values
    return tree.map(lambda x: x[index], states), index


def exploit(
    states: TensorDict,
    scores: Tensor,
    key: Tensor,
    ranges: Mapping[str, tuple[float, float]],
    fraction: float = 0.2,
    factors: tuple[float, float] = (0.8, 1.2),
) -> tuple[TensorDict, Tensor]:
    """One round of population-based training: the worst members go on from the best ones, with other hyperparameters.

    The worst `fraction` by `scores` [n] each take the "train" of one of the best `fraction`, drawn at random, and
    multiply each hyperparameter of `ranges` by one of the two `factors`, drawn too. Their environments, buffers and
    keys stay their own, so that they part from those whose parameters they took. A score of NaN is among the worst.

    Args: ranges: for each hyperparameter that changes, the least and the largest value that it may take.
    Returns: the states, and for each member whose parameters it goes on with [n].
    Raises: ValueError unless there is one score for each member, or for a number out of range; KeyError for a name that
        is no leaf of `train["hyper"]`.
    Source: Jaderberg et al. (2017), arXiv:1711.09846, with truncation selection.

    >>> train = {"params": torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]), "hyper": {"gamma": torch.full((5,), 0.5)}}
    >>> states, parent = exploit(TensorDict({"train": train}), torch.arange(5.0), random.key(0), {"gamma": (0, 1)})
    >>> states["train", "params"], parent
    (tensor([5., 2., 3., 4., 5.]), tensor([4, 1, 2, 3, 4]))
    """
    count = _scored("exploit", states, scores)
    check.at_least("exploit", {"fraction": fraction}, 0)
    check.at_most("exploit", {"fraction": fraction}, 0.5)
    check.above("exploit", {"factors[0]": factors[0], "factors[1]": factors[1]}, 0)
    require_leaves("exploit", states["train", "hyper"], ranges)
    k_parent, k_factor = random.split(key)
    number = round(fraction * count)
    ranked = _ranked(scores)
    parent = everyone = torch.arange(count, device=ranked.device)
    if number:
        chosen = ranked[count - number :][random.randint(0, number, (number,), k_parent)]
        parent = parent.scatter(0, ranked[:number], chosen)
    train = tree.map(lambda x: x[parent], states["train"])
    moved = parent != everyone
    for i, (name, (low, high)) in enumerate(ranges.items()):
        shrinks = random.uniform((count,), random.fold_in(k_factor, i)) < 0.5
        value = train["hyper", name]
        changed = (value * torch.where(shrinks, *factors)).clamp(low, high)
        train = train.set(("hyper", name), torch.where(moved, changed.to(value.dtype), value))
    return states.set("train", train), parent


def _scored(function: str, states: TensorDict, scores: Tensor) -> int:
    count = size_of(function, states)
    if scores.shape != (count,):
        raise ValueError(
            f"{function}: scores have shape {list(scores.shape)}, expected {[count]}; give one number for each member."
        )
    return count


def _ranked(scores: Tensor) -> Tensor:
    """The members from the worst to the best; equal ones in their order."""
    return torch.where(scores.isnan(), -torch.inf, scores).argsort(stable=True)
