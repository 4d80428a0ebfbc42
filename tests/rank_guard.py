"""Raises where an element-wise operation broadcasts in silence: (B, 1) against (B,) gives (B, B), and no error.

Scalars may meet any rank, and one operand may be expanded along axes of size 1; operands of different nonzero ranks, or
two operands that expand each other, are refused. Wrap code that promises to do no more:

    with RankGuard():
        gae(reward, value, discount)
"""

import torch
import torch.utils._pytree as pytree
from torch import Tensor
from torch.overrides import TorchFunctionMode

NAMES = """
add sub subtract rsub mul multiply div divide truediv true_divide floordiv floor_divide mod remainder fmod pow
maximum minimum fmax fmin clamp clip where lerp addcmul addcdiv atan2 arctan2 hypot copysign logaddexp logaddexp2 xlogy
eq ne lt le gt ge not_equal less less_equal greater greater_equal isclose allclose
and or xor logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor masked_fill
mse_loss l1_loss smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits kl_div
"""
ELEMENTWISE = frozenset(NAMES.split())
REFLECTED = {
    f"r{name}": name for name in ("add", "mul", "truediv", "div", "floordiv", "mod", "pow", "and", "or", "xor")
}


class RankGuard(TorchFunctionMode):
    """A context in which broadcasting between tensors of different rank, or in both directions, raises ValueError."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "").strip("_")
        if REFLECTED.get(name, name) in ELEMENTWISE:
            refuse_broadcast(name, [x.shape for x in pytree.tree_leaves((args, kwargs)) if isinstance(x, Tensor)])
        return func(*args, **(kwargs or {}))


def refuse_broadcast(name, shapes):
    shapes = [list(shape) for shape in shapes if len(shape)]
    if len({len(shape) for shape in shapes}) > 1:
        raise ValueError(f"{name} broadcasts operands of different ranks: {shapes}")
    result = list(torch.broadcast_shapes(*shapes))
    if shapes and result not in shapes:
        raise ValueError(f"{name} expands its operands against each other: {shapes} give {result}")
