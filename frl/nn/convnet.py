"""The convolutional network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from frl.nn.squash import SquashDims, Squeeze2dLayer

Sizes = Sequence[Any] | int


@dataclass(eq=False, repr=False)
class ConvNet(nn.Sequential):
    """Convolutions of `num_cells` channels with an activation after each, and an aggregator: [*B, C, H, W] -> [*B, n].

    Images may have any number of batch axes. A sequence has one entry for each layer, which for `kernel_sizes`,
    `strides` and `paddings` may be a pair; a number serves all layers.

    Args: in_features: channels C of the input, or None to take them from the first one. num_cells: channels of each
        layer, by default three layers of 32. activation_class: makes an activation. aggregator_class: makes what comes
        last, from `aggregator_kwargs`; None for nothing. squeeze_output: removes the image axes, which the aggregator
        has brought to size 1. device: of the parameters.
    Raises: ValueError if sequences differ in length; when called, ValueError for an input of other axes or channels,
        TypeError for one of integers.

    >>> net = ConvNet(in_features=3, num_cells=[32, 64], kernel_sizes=[8, 4], strides=[2, 1])
    >>> net
    ConvNet(
      (0): Conv2d(3, 32, kernel_size=(8, 8), stride=(2, 2))
      (1): ELU(alpha=1.0)
      (2): Conv2d(32, 64, kernel_size=(4, 4), stride=(1, 1))
      (3): ELU(alpha=1.0)
      (4): SquashDims()
    )
    >>> net(torch.zeros(10, 3, 32, 32)).shape, net(torch.zeros(2, 5, 3, 32, 32)).shape
    (torch.Size([10, 6400]), torch.Size([2, 5, 6400]))
    """

    in_features: int | None = None
    num_cells: Sizes = (32, 32, 32)
    kernel_sizes: Sizes = 3
    strides: Sizes = 1
    paddings: Sizes = 0
    activation_class: Callable[[], nn.Module] = nn.ELU
    aggregator_class: Callable[..., nn.Module] | None = SquashDims
    aggregator_kwargs: Mapping[str, Any] | None = None
    squeeze_output: bool = False
    device: InitVar[torch.device | str | None] = None

    def __post_init__(self, device: torch.device | str | None) -> None:
        layers: list[nn.Module] = []
        channels: Any = self.in_features
        for units, kernel, stride, padding in self._rows():
            sizes: dict[str, Any] = {"kernel_size": kernel, "stride": stride, "padding": padding, "device": device}
            layers.append(nn.LazyConv2d(units, **sizes) if channels is None else nn.Conv2d(channels, units, **sizes))
            layers.append(self.activation_class())
            channels = units
        if self.aggregator_class is not None:
            layers.append(self.aggregator_class(**(self.aggregator_kwargs or {})))
        if self.squeeze_output:
            layers.append(Squeeze2dLayer())
        super().__init__(*layers)

    def _rows(self) -> list[tuple[Any, ...]]:
        """Channels, kernel size, stride and padding of each layer."""
        given = {name: getattr(self, name) for name in ("num_cells", "kernel_sizes", "strides", "paddings")}
        lengths = {name: len(x) for name, x in given.items() if not isinstance(x, int)}
        depth = next(iter(lengths.values()), 1)
        if depth < 1 or set(lengths.values()) - {depth}:
            raise ValueError(
                f"ConvNet: the sequences have the lengths {lengths}; give each one entry for each layer, at least one, "
                "or a number for all layers."
            )
        columns = [[x] * depth if isinstance(x, int) else x for x in given.values()]
        return list(zip(*columns, strict=True))

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """[*B, C, H, W] -> [*B, n], or [*B, C', H', W'] without an aggregator."""
        self._require_images(x)
        batch = x.shape[:-3]
        y = super().forward(x.flatten(0, -4) if batch else x.unsqueeze(0))
        return y.unflatten(0, batch) if batch else y.squeeze(0)

    def _require_images(self, x: Tensor) -> None:
        first: Any = self[0]
        lazy = isinstance(first, nn.LazyConv2d)
        if x.ndim < 3 or not (lazy or x.shape[-3] == first.in_channels):
            raise ValueError(
                f"ConvNet: the input has shape {list(x.shape)} but must be [*B, {'C' if lazy else first.in_channels}, "
                "H, W]; permute the axes of the images, or build the network with in_features= their channels."
            )
        if not x.is_floating_point():
            raise TypeError(f"ConvNet: the input is {x.dtype} but must be floating point; convert it by x / 255.")
