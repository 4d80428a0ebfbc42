"""What a check of an environment found, in words."""

from collections.abc import Callable
from typing import NoReturn, TypeVar

import torch
from torch import Tensor

from frl import tree
from frl.envs.base import Env
from frl.tensordict import TensorDict

_T = TypeVar("_T")


def fail(env: Env, where: str, what: str) -> NoReturn:
    """Raises the one kind of error that a check raises."""
    raise ValueError(f"check_env: {env}, {where}: {what}")


def attempt(env: Env, where: str, f: Callable[[], _T]) -> _T:
    """`f()`; an error that it raises becomes a failure."""
    try:
        return f()
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise ValueError(f"check_env: {env}, {where}: raises {type(error).__name__}: {reason}") from error


def require_layout(env: Env, where: str, rule: str, expected: TensorDict, found: TensorDict) -> None:
    """Fails with the first difference of keys, shapes or dtypes."""
    wanted, given = dict(tree.named_leaves(expected)), dict(tree.named_leaves(found))
    for name in [*wanted, *given]:
        if name not in given or name not in wanted:
            fail(env, where, f"{rule}: {name!r} is {'missing' if name in wanted else 'there, but must not be'}.")
        x, y = wanted[name], given[name]
        if x.shape != y.shape or x.dtype != y.dtype:
            fail(env, where, f"{rule}: {name!r} is {y.dtype} {list(y.shape)} but must be {x.dtype} {list(x.shape)}.")


def require_equal(
    env: Env, where: str, rule: str, expected: TensorDict, found: TensorDict, tolerance: float = 0.0
) -> None:
    """Fails with the first difference: of keys, shapes, dtypes or values; `rule` is what it breaks."""
    require_layout(env, where, rule, expected, found)
    for (name, x), y in zip(tree.named_leaves(expected), tree.leaves(found), strict=True):
        wrong = differs(x, y, tolerance)
        if bool(wrong.any()):
            at = tuple(wrong.nonzero()[0].tolist())
            fail(env, where, f"{rule}: {name!r} at {list(at)} is {y[at].item()} but must be {x[at].item()}.")


def differs(x: Tensor, y: Tensor, tolerance: float = 0.0) -> Tensor:
    """Element by element, whether x and y differ by more than the tolerance, relative where they are above 1."""
    if not x.is_floating_point() or tolerance == 0:
        return (x != y) & ~((x != x) & (y != y))
    return ~torch.isclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True)
