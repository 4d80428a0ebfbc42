"""The Huber loss: quadratic near zero, linear far from it."""

from torch import Tensor

from frl import check


def huber(error: Tensor, delta: float | Tensor = 1.0) -> Tensor:
    """½ e² where |e| ≤ δ, and δ (|e| − ½ δ) elsewhere, so that its slope never exceeds δ; element by element.

    Args: error: [*B], floating point. delta: above 0, a number or a 0-d tensor. Returns: [*B].
    Raises: ValueError if `delta` does not fit, TypeError if `error` is not floating point.
    Source: Huber (1964), "Robust estimation of a location parameter".

    >>> import torch
    >>> huber(torch.tensor([0.5, -3.0])).tolist()
    [0.125, 2.5]
    """
    check.floating("huber", {"error": error})
    check.above("huber", {"delta": delta}, 0)
    if isinstance(delta, Tensor):
        check.shape("huber", {"delta": delta}, [], "pass one number")
    size = error.abs()
    near = size.clamp(max=delta)  # type: ignore[arg-type]  # the stubs have one overload for numbers, one for tensors
    return 0.5 * near.square() + delta * (size - near)
