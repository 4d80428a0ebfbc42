"""Layers that change no number, only the shape."""

from torch import Tensor, nn

from frl import check


class SquashDims(nn.Module):
    """Flattens the last `ndims_in` axes to one: [*B, C, H, W] -> [*B, C·H·W] by default.

    Raises: ValueError if `ndims_in` is below 1 or, when called, if the input has fewer axes.

    >>> import torch
    >>> SquashDims()(torch.zeros(10, 3, 4, 5)).shape
    torch.Size([10, 60])
    """

    def __init__(self, ndims_in: int = 3):
        super().__init__()
        check.at_least("SquashDims", {"ndims_in": ndims_in}, 1)
        self.ndims_in = ndims_in

    def forward(self, x: Tensor) -> Tensor:
        """[*B, ...] -> [*B, n]."""
        if x.ndim < self.ndims_in:
            raise ValueError(
                f"SquashDims: the input has shape {list(x.shape)} but needs at least {self.ndims_in} axes; pass "
                "ndims_in= the number of axes to flatten."
            )
        return x.flatten(x.ndim - self.ndims_in)


class Squeeze2dLayer(nn.Module):
    """Removes the last two axes, of size 1: [*B, C, 1, 1] -> [*B, C], as after a pooling of whole images.

    Raises: ValueError, when called, if one of them is longer.

    >>> import torch
    >>> Squeeze2dLayer()(torch.zeros(10, 64, 1, 1)).shape
    torch.Size([10, 64])
    """

    def forward(self, x: Tensor) -> Tensor:
        """[*B, C, 1, 1] -> [*B, C]."""
        if x.shape[-2:] != (1, 1):
            raise ValueError(
                f"Squeeze2dLayer: the input has shape {list(x.shape)} but its last two axes must have size 1; pool it "
                'to that size first, as by nn.AdaptiveAvgPool2d with {"output_size": (1, 1)}.'
            )
        return x.squeeze(-1).squeeze(-1)
