"""The contract of a sequence of steps: time on axis 0, and each per-step scalar exactly [T, *B]."""

from collections.abc import Mapping

from torch import Tensor

from frl import check

REMEDY = "pass all per-step scalars as [T, *B], time first and without an axis of size 1 for the scalar"


def check_steps(function: str, values: Mapping[str, Tensor], flags: Mapping[str, Tensor] | None = None) -> None:
    """Raises unless all are steps of one batch: values floating point and of one dtype, flags boolean, T at least 1.

    Args: values, flags: arguments by name, [T, *B]; the last of `values` is the one that the message compares with.
    Raises: ValueError for a shape, TypeError for a dtype; both name `function` and the argument.

    >>> import torch
    >>> check_steps("gae", {"value": torch.ones(8, 4, 1), "reward": torch.ones(8, 4)})
    Traceback (most recent call last):
    ValueError: gae: value has shape [8, 4, 1] but reward has [8, 4]; pass all per-step scalars as [T, *B], time first \
and without an axis of size 1 for the scalar.
    """
    flags = flags or {}
    check.floating(function, values)
    check.same_dtype(function, values)
    check.same_shape(function, {**flags, **values}, REMEDY)
    check.boolean(function, flags)
    name, reference = list(values.items())[-1]
    if reference.ndim == 0 or reference.shape[0] == 0:
        raise ValueError(
            f"{function}: {name} has shape {list(reference.shape)} but needs a time axis of at least one step."
        )


def check_rate(function: str, rates: Mapping[str, float | Tensor]) -> None:
    """Raises ValueError unless each rate (γ, λ) is a number in [0, 1] or a 0-d tensor, whose value is not read.

    >>> check_rate("gae", {"gamma": 99})
    Traceback (most recent call last):
    ValueError: gae: gamma is 99 but must be at most 1.
    """
    check.at_least(function, rates, 0)
    check.at_most(function, rates, 1)
    check.shape(function, {name: x for name, x in rates.items() if isinstance(x, Tensor)}, [], "pass one number")
