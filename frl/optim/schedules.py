"""Schedules: functions from the number of steps taken so far, an integer 0-d tensor, to a 0-d tensor.

A schedule serves as a learning rate, and as well as an exploration rate or a coefficient of a loss. Numbers may be 0-d
tensors, so schedules can be vmapped over and differentiated. The result has torch's default dtype.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

import torch
from torch import Tensor

from frl import check
from frl.optim.base import Schedule

Number = float | Tensor


def constant(value: Number) -> Schedule:
    """`value` at every step.

    Raises: TypeError if it is no number, ValueError for a tensor with axes.

    >>> constant(0.5)(torch.tensor(100))
    tensor(0.5000)
    """
    check.scalars("constant", {"value": value})
    return lambda step: value + 0.0 * step


def linear(start: Number, end: Number, num_steps: int) -> Schedule:
    """On the line from `start` at step 0 to `end` at step `num_steps`, and `end` from there on.

    Raises: ValueError if `num_steps` is not positive.

    >>> [linear(1.0, 0.0, 4)(torch.tensor(step)).item() for step in (0, 1, 4, 9)]
    [1.0, 0.75, 0.0, 0.0]
    """
    check.scalars("linear", {"start": start, "end": end})
    check.above("linear", {"num_steps": num_steps}, 0)

    def at(step: Tensor) -> Tensor:
        progress = (step / num_steps).clamp(max=1.0)
        return start * (1 - progress) + end * progress

    return at


def cosine(start: Number, end: Number, num_steps: int) -> Schedule:
    """On half a cosine from `start` at step 0 to `end` at step `num_steps`, and `end` from there on.

    Raises: ValueError if `num_steps` is not positive.
    Source: Loshchilov & Hutter (2017), SGDR, eq. 5.

    >>> [round(cosine(1.0, 0.0, 4)(torch.tensor(step)).item(), 4) for step in (0, 1, 2, 4, 9)]
    [1.0, 0.8536, 0.5, 0.0, 0.0]
    """
    check.scalars("cosine", {"start": start, "end": end})
    check.above("cosine", {"num_steps": num_steps}, 0)

    def at(step: Tensor) -> Tensor:
        return end + (start - end) * 0.5 * (1 + torch.cos(pi * (step / num_steps).clamp(max=1.0)))

    return at


def exponential(start: Number, decay: Number) -> Schedule:
    """`start` · `decay`ˢᵗᵉᵖ.

    Raises: ValueError if `decay` is a negative number.

    >>> exponential(8.0, 0.5)(torch.tensor(2))
    tensor(2.)
    """
    check.scalars("exponential", {"start": start, "decay": decay})
    check.at_least("exponential", {"decay": decay}, 0)
    return lambda step: start * decay ** (1.0 * step)


def join(schedules: Sequence[Schedule], boundaries: Sequence[int]) -> Schedule:
    """Each schedule in turn, counting its own steps from 0; the next one takes over at each of `boundaries`.

    A warm-up is `join([linear(0.0, peak, 100), cosine(peak, 0.0, 900)], [100])`.

    Raises: ValueError unless there is one boundary between every two schedules and they increase.

    >>> halves = join([constant(1.0), linear(0.5, 0.0, 2)], [10])
    >>> [halves(torch.tensor(step)).item() for step in (9, 10, 11)]
    [1.0, 0.5, 0.25]
    """
    if len(boundaries) != len(schedules) - 1 or list(boundaries) != sorted(set(boundaries)):
        raise ValueError(
            f"join: boundaries is {list(boundaries)} for {len(schedules)} schedules; "
            "pass one increasing step between every two schedules."
        )

    def at(step: Tensor) -> Tensor:
        value = schedules[0](step)
        for begin, schedule in zip(boundaries, schedules[1:], strict=True):
            value = torch.where(step < begin, value, schedule(step - begin))
        return value

    return at
