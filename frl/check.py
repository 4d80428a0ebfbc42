"""Checks at the boundary: what was given, what was expected, the remedy, in one form of words.

A check of shapes, dtypes or Python numbers costs nothing in a compiled graph, for these are known while it is traced.
A check of tensor values is for the host: it vanishes in compiled programs and under `torch.func` transforms, where
values cannot be read. This is the only module that may ask which of the two holds.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._C import _get_dispatch_mode, _TorchDispatchModeKey
from torch._C._functorch import peek_interpreter_stack as _transforms

from frl import tree


def values_readable() -> bool:
    """Whether tensor values may be read here: False while compiling and inside `vmap`, `grad` and their like.

    >>> values_readable()
    True
    """
    if torch.compiler.is_compiling() or _transforms():
        return False
    return _get_dispatch_mode(_TorchDispatchModeKey.FAKE) is None  # frl.compile traces over fake tensors


def tensors(function: str, arguments: Mapping[str, Any]) -> None:
    """Raises TypeError unless every argument is a tensor.

    >>> tensors("gae", {"reward": [0.0, 1.0]})
    Traceback (most recent call last):
    TypeError: gae: reward is a list but must be a tensor; convert it by torch.as_tensor.
    """
    for name, value in arguments.items():
        if not isinstance(value, Tensor):
            raise TypeError(
                f"{function}: {name} is a {type(value).__name__} but must be a tensor; convert it by torch.as_tensor."
            )


def same_shape(function: str, arguments: Mapping[str, Tensor], remedy: str = "pass all with one shape") -> None:
    """Raises ValueError unless all tensors have the shape of the last: nothing is broadcast in silence.

    Raises: TypeError if an argument is no tensor.

    >>> same_shape("gae", {"value": torch.ones(8, 1), "reward": torch.ones(8)}, "pass both as [T, N]")
    Traceback (most recent call last):
    ValueError: gae: value has shape [8, 1] but reward has [8]; pass both as [T, N].
    """
    tensors(function, arguments)
    reference, expected = list(arguments.items())[-1]
    for name, value in arguments.items():
        if value.shape != expected.shape:
            raise ValueError(
                f"{function}: {name} has shape {list(value.shape)} "
                f"but {reference} has {list(expected.shape)}; {remedy}."
            )


def shape(function: str, arguments: Mapping[str, Tensor], expected: Sequence[int], remedy: str) -> None:
    """Raises ValueError unless every tensor has the `expected` shape.

    Raises: TypeError if an argument is no tensor.

    >>> shape("step", {"action": torch.ones(3)}, [4, 2], "pass one action for each of the 4 environments")
    Traceback (most recent call last):
    ValueError: step: action has shape [3] but must have [4, 2]; pass one action for each of the 4 environments.
    """
    tensors(function, arguments)
    for name, value in arguments.items():
        if value.shape != torch.Size(expected):
            raise ValueError(
                f"{function}: {name} has shape {list(value.shape)} but must have {list(expected)}; {remedy}."
            )


def same_dtype(function: str, arguments: Mapping[str, Tensor]) -> None:
    """Raises TypeError unless all tensors have the dtype of the last: nothing is promoted in silence.

    >>> same_dtype("gae", {"value": torch.ones(8).double(), "reward": torch.ones(8)})
    Traceback (most recent call last):
    TypeError: gae: value is torch.float64 but reward is torch.float32; convert one by .to(dtype).
    """
    tensors(function, arguments)
    reference, expected = list(arguments.items())[-1]
    for name, value in arguments.items():
        if value.dtype != expected.dtype:
            raise TypeError(
                f"{function}: {name} is {value.dtype} but {reference} is {expected.dtype}; convert one by .to(dtype)."
            )


def boolean(function: str, arguments: Mapping[str, Tensor]) -> None:
    """Raises TypeError unless every argument is a boolean tensor.

    >>> boolean("gae", {"terminated": torch.zeros(3)})
    Traceback (most recent call last):
    TypeError: gae: terminated is torch.float32 but must be torch.bool; compare with zero, or convert it by .bool().
    """
    tensors(function, arguments)
    for name, value in arguments.items():
        if value.dtype != torch.bool:
            raise TypeError(
                f"{function}: {name} is {value.dtype} but must be torch.bool; "
                f"compare with zero, or convert it by .bool()."
            )


def floating(function: str, arguments: Mapping[str, Tensor]) -> None:
    """Raises TypeError unless every argument is a floating-point tensor.

    >>> floating("gae", {"reward": torch.ones(3, dtype=torch.int64)})
    Traceback (most recent call last):
    TypeError: gae: reward is torch.int64 but must be floating point; convert it by .float().
    """
    tensors(function, arguments)
    for name, value in arguments.items():
        if not value.is_floating_point():
            raise TypeError(f"{function}: {name} is {value.dtype} but must be floating point; convert it by .float().")


def scalars(function: str, arguments: Mapping[str, Any]) -> None:
    """Raises TypeError unless every argument is a number or a tensor, ValueError unless such a tensor has no axes.

    >>> scalars("linear", {"start": "0.1"})
    Traceback (most recent call last):
    TypeError: linear: start is '0.1' but must be a number or a 0-d tensor.
    """
    for name, value in arguments.items():
        if not isinstance(value, int | float | Tensor):
            raise TypeError(f"{function}: {name} is {value!r} but must be a number or a 0-d tensor.")
        if isinstance(value, Tensor):
            shape(function, {name: value}, (), "pass a 0-d tensor, or vmap over several")


def callables(function: str, arguments: Mapping[str, Any], remedy: str) -> None:
    """Raises TypeError unless every argument can be called.

    >>> callables("every", {"callback": None}, "pass a function of (updates, state, metrics)")
    Traceback (most recent call last):
    TypeError: every: callback is a NoneType but must be a function; pass a function of (updates, state, metrics).
    """
    for name, value in arguments.items():
        if not callable(value):
            raise TypeError(f"{function}: {name} is a {type(value).__name__} but must be a function; {remedy}.")


def at_least(function: str, arguments: Mapping[str, Any], low: float) -> None:
    """Raises ValueError unless every Python number is >= `low`; NaN fails, and tensors pass unread.

    >>> at_least("adam", {"learning_rate": -1e-3}, 0)
    Traceback (most recent call last):
    ValueError: adam: learning_rate is -0.001 but must be at least 0.
    """
    _compare(function, arguments, operator.ge, low, "at least")


def at_most(function: str, arguments: Mapping[str, Any], high: float) -> None:
    """Raises ValueError unless every Python number is <= `high`; NaN fails, and tensors pass unread.

    >>> at_most("gae", {"lambda_": 1.5}, 1)
    Traceback (most recent call last):
    ValueError: gae: lambda_ is 1.5 but must be at most 1.
    """
    _compare(function, arguments, operator.le, high, "at most")


def above(function: str, arguments: Mapping[str, Any], low: float) -> None:
    """Raises ValueError unless every Python number is > `low`; NaN fails, and tensors pass unread.

    >>> above("cosine", {"num_steps": 0}, 0)
    Traceback (most recent call last):
    ValueError: cosine: num_steps is 0 but must be above 0.
    """
    _compare(function, arguments, operator.gt, low, "above")


def below(function: str, arguments: Mapping[str, Any], high: float) -> None:
    """Raises ValueError unless every Python number is < `high`; NaN fails, and tensors pass unread.

    >>> below("adam", {"b1": 1.0}, 1)
    Traceback (most recent call last):
    ValueError: adam: b1 is 1.0 but must be below 1.
    """
    _compare(function, arguments, operator.lt, high, "below")


def finite(values: Any, what: str, remedy: str = "look for where it arises") -> None:
    """Raises ValueError that names the first infinite or NaN entry of a tree; vanishes where values cannot be read.

    Args: values: a tree; leaves that are no floating-point tensors pass. what: the name of the tree, for the message.
        remedy: what to do about it, likewise.

    >>> finite({"actor": {"w": torch.tensor([[0.0, 1.0], [float("nan"), 2.0]])}}, "gradients")
    Traceback (most recent call last):
    ValueError: gradients: actor.w is nan at [1, 0], and 1 of its 4 entries are not finite; look for where it arises.
    """
    if not values_readable():
        return
    for name, leaf in tree.named_leaves(values):
        if isinstance(leaf, Tensor) and leaf.is_floating_point() and not bool(leaf.isfinite().all()):
            where = torch.nonzero(~leaf.isfinite())
            index = where[0].tolist()
            raise ValueError(
                f"{what}: {name or 'the tensor'} is {leaf[tuple(index)].item()} at {index}, and "
                f"{len(where)} of its {leaf.numel()} entries are not finite; {remedy}."
            )


def _compare(
    function: str, arguments: Mapping[str, Any], holds: Callable[[Any, Any], bool], limit: float, words: str
) -> None:
    for name, value in arguments.items():
        if not isinstance(value, Tensor) and not holds(value, limit):
            raise ValueError(f"{function}: {name} is {value} but must be {words} {limit}.")
