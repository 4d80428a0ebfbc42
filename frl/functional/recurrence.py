"""The one recursion that every return, advantage and trace is an instance of, solved backwards in time."""

import torch
from torch import Tensor

from frl import check


def affine_recurrence(a: Tensor, b: Tensor, last: Tensor) -> Tensor:
    """The solution of xₜ = aₜ + bₜ xₜ₊₁, for t from T−1 down to 0, with x_T = `last`.

    Steps t and t+1 compose to one affine step. So half of the rows are solved as a sequence of half the length, and the
    other half follow from them: some 5 log₂ T vectorised operations instead of T, no division, a work linear in T.

    Args: a, b: [T, *B] with T ≥ 1. last: [*B]. b = 0 cuts the recursion: nothing finite passes it.
    Returns: [T, *B], a new tensor. Gradients of every order flow into all three arguments.
    Raises: ValueError or TypeError if shapes or dtypes differ, or T is 0.
    Source: cyclic reduction of a first-order recurrence, Blelloch (1990), "Prefix sums and their applications".

    >>> affine_recurrence(torch.tensor([1.0, 2.0]), torch.tensor([0.5, 0.5]), torch.tensor(4.0)).tolist()
    [3.0, 4.0]
    """
    check.same_dtype("affine_recurrence", {"last": last, "b": b, "a": a})
    check.same_shape("affine_recurrence", {"b": b, "a": a}, "pass both as [T, *B]")
    check.at_least("affine_recurrence: the number of axes of a", {"ndim": a.ndim}, 1)
    check.at_least("affine_recurrence: the time axis of a", {"T": a.shape[0]}, 1)
    check.shape("affine_recurrence", {"last": last}, a.shape[1:], "pass the value after the last step as [*B]")
    return _solve(a, b, last.unsqueeze(0))


def _solve(a: Tensor, b: Tensor, last: Tensor) -> Tensor:
    length = a.shape[0]
    if length == 1:
        return torch.addcmul(a, b, last)
    odd = length % 2
    first, second = slice(odd, -1, 2), slice(odd + 1, None, 2)  # the pairs of steps, counted from the end
    solved = _solve(torch.addcmul(a[first], b[first], a[second]), b[first] * b[second], last)
    rest = slice(1 - odd, None, 2)  # every row that is not in `first`
    filled = torch.addcmul(a[rest], b[rest], torch.cat([solved[1 - odd :], last]))
    if odd:
        return torch.cat([filled[:1], _interleave(solved, filled[1:])])
    return _interleave(solved, filled)


def _interleave(x: Tensor, y: Tensor) -> Tensor:
    return torch.stack([x, y], dim=1).flatten(0, 1)
