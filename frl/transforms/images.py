"""Transforms of images: from what an environment draws to what a convolutional network reads."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from frl import check
from frl.specs import Bounded, Spec
from frl.tensordict import Key
from frl.transforms.base import Entrywise, mapped


@dataclass(frozen=True, eq=False, repr=False)
class ToTensorImage(Entrywise):
    """Images [*B, H, W, C] as [*B, C, H, W] in floating point; integers, 0 to 255, are divided by 255.

    Raises: ValueError if there are no three axes.

    >>> from frl import TensorDict
    >>> ToTensorImage()(TensorDict({"pixels": torch.full([4, 5, 3], 255, dtype=torch.uint8)}))["pixels"].shape
    torch.Size([3, 4, 5])
    """

    in_keys: Sequence[Key] = ("pixels",)
    out_keys: Sequence[Key] | None = None
    dtype: torch.dtype = torch.float32

    def apply(self, x: Tensor) -> Tensor:
        """[*B, H, W, C] -> [*B, C, H, W]."""
        _require_image(self, x, "[*B, H, W, C]")
        image = x.movedim(-1, -3)
        # a division of bytes is one pass over the image, a conversion before it would be another
        return image.to(self.dtype) if x.is_floating_point() else image / torch.tensor(255, dtype=self.dtype)

    def spec(self, spec: Spec) -> Spec:
        """Between 0 and 1 if it was an image of bytes."""
        if spec.dtype == torch.uint8:
            return Bounded(0.0, 1.0, self.apply(spec.zeros()).shape, spec.device, self.dtype)
        return mapped(self.apply, spec)


@dataclass(frozen=True, eq=False, repr=False)
class GrayScale(Entrywise):
    """Images [*B, 3, H, W] in red, green and blue as their brightness, [*B, 1, H, W].

    0.2989 R + 0.587 G + 0.114 B (ITU-R BT.601), as torchvision and TorchRL have it.

    Raises: ValueError if the channels are not three; TypeError for integers: ToTensorImage comes first.

    >>> from frl import TensorDict
    >>> GrayScale()(TensorDict({"pixels": torch.ones(3, 4, 5)}))["pixels"].shape
    torch.Size([1, 4, 5])
    """

    in_keys: Sequence[Key] = ("pixels",)
    out_keys: Sequence[Key] | None = None

    def apply(self, x: Tensor) -> Tensor:
        """[*B, 3, H, W] -> [*B, 1, H, W]."""
        _require_image(self, x, "[*B, 3, H, W]")
        check.floating("GrayScale, after ToTensorImage", {"the image": x})
        if x.shape[-3] != 3:
            raise ValueError(
                f"GrayScale: the image has shape {list(x.shape)} but must be [*B, 3, H, W]; put ToTensorImage first."
            )
        red, green, blue = x.unbind(-3)
        return (0.2989 * red + 0.587 * green + 0.114 * blue).unsqueeze(-3)


@dataclass(frozen=True, eq=False, repr=False)
class Resize(Entrywise):
    """Images [*B, C, H, W] as [*B, C, h, w], bilinearly, as `torch.nn.functional.interpolate(antialias=True)` has it.

    With antialiasing, each pixel of a smaller image averages all the old ones that it covers. In TorchRL's
    `Resize(w, h)` w is the number of rows; here it is the width.

    Args: w: the width. h: the height, by default `w`. antialias: without it, each new pixel is read off the four
        old ones around its middle.
    Raises: ValueError if a size is below 1, or there are no three axes; TypeError for integers: ToTensorImage comes
        first.

    >>> from frl import TensorDict
    >>> Resize(84, 84)(TensorDict({"pixels": torch.ones(1, 400, 600)}))["pixels"].shape
    torch.Size([1, 84, 84])
    """

    w: int
    h: int | None = None
    in_keys: Sequence[Key] = ("pixels",)
    out_keys: Sequence[Key] | None = None
    antialias: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check.at_least("Resize", {"w": self.w, "h": self.w if self.h is None else self.h}, 1)

    def apply(self, x: Tensor) -> Tensor:
        """[*B, C, H, W] -> [*B, C, h, w]."""
        _require_image(self, x, "[*B, C, H, W]")
        check.floating("Resize, after ToTensorImage", {"the image": x})
        rows = _weights(x.shape[-2], self.w if self.h is None else self.h, self.antialias, x)
        columns = _weights(x.shape[-1], self.w, self.antialias, x)
        return rows @ x @ columns.mT

    def _shown(self) -> str:
        return f"w={self.w}, h={self.w if self.h is None else self.h}, {super()._shown()}"


@dataclass(frozen=True, eq=False, repr=False)
class CenterCrop(Entrywise):
    """The middle of images: [*B, C, H, W] as [*B, C, h, w].

    Args: w: the width. h: the height, by default `w`.
    Raises: ValueError if a size is below 1 or larger than the image (torchvision would add a border).

    >>> from frl import TensorDict
    >>> CenterCrop(2)(TensorDict({"pixels": torch.arange(16).reshape(1, 4, 4)}))["pixels"].tolist()
    [[[5, 6], [9, 10]]]
    """

    w: int
    h: int | None = None
    in_keys: Sequence[Key] = ("pixels",)
    out_keys: Sequence[Key] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check.at_least("CenterCrop", {"w": self.w, "h": self.w if self.h is None else self.h}, 1)

    def apply(self, x: Tensor) -> Tensor:
        """[*B, C, H, W] -> [*B, C, h, w]."""
        _require_image(self, x, "[*B, C, H, W]")
        w, h = self.w, self.w if self.h is None else self.h
        if x.shape[-1] < w or x.shape[-2] < h:
            raise ValueError(
                f"CenterCrop: the image has shape {list(x.shape)} but a piece of {h} rows and {w} columns is to be cut "
                "out; Resize it first."
            )
        top, left = round((x.shape[-2] - h) / 2), round((x.shape[-1] - w) / 2)
        return x[..., top : top + h, left : left + w]

    def _shown(self) -> str:
        return f"w={self.w}, h={self.w if self.h is None else self.h}, {super()._shown()}"


def _require_image(transform: Entrywise, x: Tensor, expected: str) -> None:
    if x.ndim < 3:
        raise ValueError(
            f"{type(transform).__name__}: the image has shape {list(x.shape)} but must be {expected}; name the entry "
            "that is an image in in_keys=."
        )


def _weights(size: int, new: int, antialias: bool, like: Tensor) -> Tensor:
    """[new, size]: how much each old pixel of a row counts in each new one; a triangle around its middle."""
    scale = size / new
    reach = max(scale, 1.0) if antialias else 1.0
    middle = (torch.arange(new, dtype=torch.float64, device=like.device).unsqueeze(-1) + 0.5) * scale
    pixel = torch.arange(size, dtype=torch.float64, device=like.device) + 0.5
    if not antialias:
        middle = middle.clamp(0.5, size - 0.5)
    weight = (1 - ((pixel - middle) / reach).abs()).clamp(min=0)
    return (weight / weight.sum(-1, keepdim=True)).to(like.dtype)
