"""What a check of an environment found, in words."""

from typing import NoReturn

import torch
from torch import Tensor

from frl import tree
from frl.envs.base import Env
from frl.tensordict import TensorDict


def fail(env: Env, where: str, what: str) -> NoReturn:
    """Raises the one kind of error that a check raises."""
    raise ValueError(f"check_env: {env}, {where}: {what}")


def require_equal(
    env: Env, where: str, what: str, expected: TensorDict, found: TensorDict, tolerance: float = 0.0
) -> None:
    """Fails with the first difference: of keys, shapes, dtypes or values; `what` names the rule that it breaks."""
    wanted, given = dict(tree.named_leaves(expected)), dict(tree.named_leaves(found))
    for name in [*wanted, *given]:
        if name not in given or name not in wanted:
            fail(env, where, f"{what}: {name!r} is {'missing' if name in wanted else 'there, but must not be'}.")
    for name, x in wanted.items():
        y = given[name]
        if x.shape != y.shape or x.dtype != y.dtype:
            fail(env, where, f"{what}: {name!r} is {y.dtype} {list(y.shape)} but must be {x.dtype} {list(x.shape)}.")
        wrong = differs(x, y, tolerance)
        if bool(wrong.any()):
            at = tuple(wrong.nonzero()[0].tolist())
            fail(env, where, f"{what}: {name!r} at {list(at)} is {y[at].item()} but must be {x[at].item()}.")


def differs(x: Tensor, y: Tensor, tolerance: float = 0.0) -> Tensor:
    """Element by element, whether x and y differ by more than the tolerance, relative where they are above 1."""
    if not x.is_floating_point() or tolerance == 0:
        return (x != y) & ~((x != x) & (y != y))
    return ~torch.isclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True)
