"""Running mean and variance of a stream of batches, exact whatever the batches are."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from frl import check


class Moments(NamedTuple):
    """Mean, population variance and number of the values seen so far.

    mean, var: [*E], the shape of one value. num_values: [], int64.
    """

    mean: Tensor
    var: Tensor
    num_values: Tensor


def init_moments(shape: Sequence[int] = (), dtype: torch.dtype = torch.float32) -> Moments:
    """The moments of no values: mean 0, variance 1 so that `normalize` leaves values as they are.

    Raises: ValueError for a negative size, TypeError for a dtype that is not floating point.

    >>> init_moments([2]).mean.tolist()
    [0.0, 0.0]
    """
    check.at_least("init_moments", {f"shape[{i}]": size for i, size in enumerate(shape)}, 0)
    if not dtype.is_floating_point:
        raise TypeError(f"init_moments: dtype is {dtype} but must be floating point, such as torch.float32.")
    return Moments(torch.zeros(shape, dtype=dtype), torch.ones(shape, dtype=dtype), torch.zeros((), dtype=torch.int64))


def update_moments(moments: Moments, x: Tensor) -> Moments:
    """The moments after a further batch of values.

    Args: x: [*B, *E], at least one value, of the dtype of the moments.
    Raises: ValueError if the trailing shape differs or `x` is empty, TypeError if the dtype differs.

    >>> moments = update_moments(init_moments(), torch.tensor([1.0, 3.0]))
    >>> update_moments(moments, torch.tensor([5.0])).mean.item()
    3.0
    """
    _check("update_moments", moments, x)
    values = x.reshape(-1, *moments.mean.shape)
    check.at_least("update_moments: the number of values in x", {"num_values": values.shape[0]}, 1)
    var, mean = torch.var_mean(values, dim=0, correction=0)
    return merge_moments(moments, Moments(mean, var, torch.full_like(moments.num_values, values.shape[0])))


def merge_moments(a: Moments, b: Moments) -> Moments:
    """The moments of two disjoint sets of values together; associative and commutative up to rounding.

    Raises: ValueError if their shapes differ, TypeError if their dtypes do.
    Source: Chan, Golub & LeVeque (1979), "Updating formulae and a pairwise algorithm for computing sample variances".

    >>> a, b = (update_moments(init_moments(), torch.tensor(x)) for x in ([1.0, 2.0], [6.0]))
    >>> merge_moments(a, b).mean.item(), merge_moments(a, b).num_values.item()
    (3.0, 3)
    """
    means = {"b.mean": b.mean, "a.mean": a.mean}
    check.same_dtype("merge_moments", means)
    check.same_shape("merge_moments", means, "merge moments of values of one shape")
    num_values = a.num_values + b.num_values
    weight = b.num_values.to(a.mean.dtype) / num_values.clamp(min=1).to(a.mean.dtype)
    delta = b.mean - a.mean
    var = (1 - weight) * a.var + weight * b.var + weight * (1 - weight) * delta.square()
    return Moments(a.mean + weight * delta, var, num_values)


def normalize(x: Tensor, moments: Moments, eps: float = 1e-8) -> Tensor:
    """(x − mean) / √(var + eps).

    Args: x: [*B, *E], of the dtype of the moments. Returns: [*B, *E].
    Raises: ValueError if the trailing shape differs, TypeError if the dtype differs.

    >>> moments = update_moments(init_moments(), torch.tensor([1.0, 3.0]))
    >>> normalize(torch.tensor([1.0, 2.0, 4.0]), moments).tolist()
    [-1.0, 0.0, 2.0]
    """
    _check("normalize", moments, x)
    mean, var = (m.expand(x.shape) for m in (moments.mean, moments.var))
    return (x - mean) / torch.sqrt(var + eps)


def _check(function: str, moments: Moments, x: Tensor) -> None:
    check.same_dtype(function, {"x": x, "moments": moments.mean})
    shape = moments.mean.shape
    if x.shape[x.ndim - len(shape) :] != shape:
        raise ValueError(
            f"{function}: x has shape {list(x.shape)} but must be [*B, *{list(shape)}], as the moments are."
        )
