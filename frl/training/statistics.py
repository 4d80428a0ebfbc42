"""What several evaluations say together: means that outliers do not decide, and how sure one may be of them."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from frl import check, random


class Summary(NamedTuple):
    """Of `num` values: mean, interquartile mean, and the 95 % bootstrap interval of the mean, from `low` to `high`."""

    num: int
    mean: float
    iqm: float
    low: float
    high: float


def mean(values: Tensor) -> Tensor:
    """The mean over the last axis; the statistic that `bootstrap_interval` takes by default.

    >>> mean(torch.tensor([1.0, 2.0, 6.0])).item()
    3.0
    """
    return values.mean(-1)


def interquartile_mean(values: Tensor) -> Tensor:
    """The mean over the last axis of the middle half: without the lowest and the highest quarter, each rounded down.

    Source: Agarwal et al. (2021), "Deep reinforcement learning at the edge of the statistical precipice".

    Args: values: [..., n] floating point, n at least 1. Returns: [...].
    Raises: TypeError for another dtype, ValueError without a value.

    >>> interquartile_mean(torch.tensor([0.0, 9.0, 10.0, 500.0])).item()
    9.5
    """
    _check("interquartile_mean", values)
    n = values.shape[-1]
    return values.sort(-1).values[..., n // 4 : n - n // 4].mean(-1)


def bootstrap_interval(
    values: Tensor,
    key: Tensor,
    *,
    statistic: Callable[[Tensor], Tensor] = mean,
    confidence: float = 0.95,
    num_resamples: int = 2000,
) -> tuple[Tensor, Tensor]:
    """The percentile bootstrap interval of `statistic` over the last axis of `values`.

    Args: values: [..., n] floating point. statistic: [..., n] -> [...], over the last axis. confidence: in (0, 1).
    Returns: the lower and the upper bound, [...] each.
    Raises: ValueError without a value or for a number out of range; TypeError for another dtype, or without a key.

    >>> low, high = bootstrap_interval(torch.arange(100.0), random.key(0))
    >>> bool(low < 49.5) and bool(high > 49.5), bool(high - low < 12)
    (True, True)
    """
    _check("bootstrap_interval", values)
    check.above("bootstrap_interval", {"confidence": confidence}, 0)
    check.below("bootstrap_interval", {"confidence": confidence}, 1)
    check.at_least("bootstrap_interval", {"num_resamples": num_resamples}, 1)
    n = values.shape[-1]
    resampled = statistic(values[..., random.randint(0, n, (num_resamples, n), key)])
    tail = (1 - confidence) / 2
    bounds = torch.tensor([tail, 1 - tail], dtype=values.dtype, device=values.device)
    low, high = resampled.quantile(bounds, dim=-1)
    return low, high


def summarize(values: Tensor, key: Tensor) -> Summary:
    """The `Summary` of `values` [n], floating point and finite.

    Raises: ValueError unless there is one axis of at least one value, TypeError for what is no tensor.

    >>> summarize(torch.full((100,), 500.0), random.key(0))
    Summary(num=100, mean=500.0, iqm=500.0, low=500.0, high=500.0)
    """
    check.tensors("summarize", {"values": values})
    if values.ndim != 1:
        raise ValueError(f"summarize: values has shape {list(values.shape)} but must be [n]; pass one row at a time.")
    values = values.to(torch.float64)
    _check("summarize", values)
    low, high = bootstrap_interval(values, key)
    return Summary(len(values), mean(values).item(), interquartile_mean(values).item(), low.item(), high.item())


def shown(value: float) -> str:
    """A return as it is printed: with one digit after the point, or two where it is below 10.

    >>> shown(499.96), shown(0.987), shown(-9.5)
    ('500.0', '0.99', '-9.50')
    """
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _check(function: str, values: Tensor) -> None:
    check.floating(function, {"values": values})
    if values.ndim == 0 or values.shape[-1] == 0:
        raise ValueError(f"{function}: values has shape {list(values.shape)} but must be [..., n] with n at least 1.")
