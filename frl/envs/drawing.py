"""Pictures from shapes: anti-aliased discs, segments, rectangles and polygons, painted by pure torch functions.

A shape is its signed distance at each pixel: negative inside, zero on its edge. How far its centre lies inside says how
much of a pixel is covered, so that edges are smooth. Nothing depends on values but the colours, so that pictures can be
batched, vmapped and compiled.
Source: https://iquilezles.org/articles/distfunctions2d/.
"""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor

from frl import check

Number = float | Tensor
"""A number, or one for each picture [*B]."""
Point = tuple[Number, Number]
"""x to the right and y upwards, in units of the canvas."""
Color = tuple[int, int, int]
"""Red, green and blue, each from 0 to 255."""

WHITE: Color = (255, 255, 255)
BLACK: Color = (0, 0, 0)


class Canvas(NamedTuple):
    """A batch of pictures in the making. Immutable: what paints returns a new one.

    Coordinates are those of the frame, whatever the number of pixels: (0, 0) is the centre of the lower left pixel, and
    integers are the centres of pixels where the picture has as many pixels as the frame units.

    x: [W], y: [H, 1], where the pixels are. pixel: how many units one spans. colors: [*B, 3, H, W], from 0 to 255.

    >>> x = torch.tensor([10.0, 30.0])  # of two pictures
    >>> canvas((60, 40)).segment((0, 5), (60, 5), 1, BLACK).disc((x, 20), 4, (255, 0, 0)).pixels().shape
    torch.Size([2, 40, 60, 3])
    """

    x: Tensor
    y: Tensor
    pixel: float
    colors: Tensor

    def paint(self, distance: Tensor, color: Color) -> "Canvas":
        """Any shape, from its signed distance [*B, H, W] in units of the frame."""
        if len(color) != 3 or not all(0 <= part <= 255 for part in color):
            raise ValueError(f"paint: color is {color} but must be (red, green, blue), each from 0 to 255.")
        covered = (0.5 - distance / self.pixel).clamp(0, 1).unsqueeze(-3)
        ink = torch.tensor(color, dtype=self.colors.dtype, device=self.colors.device)[:, None, None]
        return self._replace(colors=torch.lerp(self.colors, ink, covered))

    def disc(self, center: Point, radius: Number, color: Color) -> "Canvas":
        """The points that are not farther than `radius` from `center`."""
        x, y = self.seen_from(center)
        return self.paint(_length(x, y) - everywhere(radius, x), color)

    def segment(self, start: Point, end: Point, width: Number, color: Color) -> "Canvas":
        """A line of this width from `start` to `end`, both ends round; a disc if they are one point."""
        x, y = self.seen_from(start)
        dx, dy = (everywhere(b, x) - everywhere(a, x) for a, b in zip(start, end, strict=True))
        share = ((x * dx + y * dy) / (dx * dx + dy * dy).clamp(min=1e-12)).clamp(0, 1)
        return self.paint(_length(x - share * dx, y - share * dy) - everywhere(width, x) / 2, color)

    def rectangle(self, start: Point, end: Point, width: Number, color: Color) -> "Canvas":
        """The rectangle around the line from `start` to `end`, half the width on either side; `start` is not `end`."""
        x, y = self.seen_from(start)
        dx, dy = (everywhere(b, x) - everywhere(a, x) for a, b in zip(start, end, strict=True))
        length = _length(dx, dy).clamp(min=1e-6)
        along = ((x * dx + y * dy) / length - length / 2).abs() - length / 2
        across = (x * dy - y * dx).abs() / length - everywhere(width, x) / 2
        return self.paint(torch.maximum(along, across), color)

    def polygon(self, corners: Sequence[Point], color: Color) -> "Canvas":
        """A convex polygon of at least three corners, in order, either way round."""
        if len(corners) < 3:
            raise ValueError(
                f"polygon: there are {len(corners)} corners but must be at least 3; draw a segment instead."
            )
        sides: list[Tensor] = []
        for start, end in zip(corners, [*corners[1:], corners[0]], strict=True):
            x, y = self.seen_from(start)
            dx, dy = (everywhere(b, x) - everywhere(a, x) for a, b in zip(start, end, strict=True))
            sides.append((x * dy - y * dx) / _length(dx, dy).clamp(min=1e-6))
        # Inside all sides, or outside all of them where the corners go clockwise; one of the two is nowhere.
        inside, outside = reduce(torch.maximum, sides), -reduce(torch.minimum, sides)
        return self.paint(torch.minimum(inside, outside), color)

    def grid(self, side: Number, width: Number, color: Color) -> "Canvas":
        """Lines around the cells of a grid, squares of this side, from the lower left corner of the frame on."""
        off: list[Tensor] = []
        for at in (self.x, self.y):
            turns = (at + 0.5) / everywhere(side, at)
            off.append((turns - turns.round()).abs() * everywhere(side, at))
        return self.paint(torch.minimum(*off) - everywhere(width, self.x) / 2, color)

    def seen_from(self, point: Point) -> tuple[Tensor, Tensor]:
        """Where the pixels are as seen from `point`: x [*B, 1, W] and y [*B, H, 1]."""
        return self.x - everywhere(point[0], self.x), self.y - everywhere(point[1], self.y)

    def pixels(self) -> Tensor:
        """[*B, H, W, 3], uint8."""
        return self.colors.round().to(torch.uint8).movedim(-3, -1).contiguous()


def canvas(
    frame: tuple[int, int], size: tuple[int, int] | None = None, device: torch.device | str | None = None
) -> Canvas:
    """An empty white picture, which shows what lies between (0, 0) and `frame` at any number of pixels.

    Args: frame: (width, height), the units in which shapes are given. size: (H, W) in pixels; by default one for each
        unit, (height, width).
    Raises: ValueError if a size is below 1; TypeError if it is no pair of integers.

    >>> picture = canvas((4, 3)).disc((1, 0), 0.75, BLACK).pixels()
    >>> picture.shape, picture[..., 0].tolist()
    (torch.Size([3, 4, 3]), [[255, 255, 255, 255], [255, 191, 255, 255], [191, 0, 191, 255]])
    """
    width, height = frame
    size = (height, width) if size is None else size
    if not (isinstance(size, Sequence) and len(size) == 2 and all(isinstance(n, int) for n in size)):
        raise TypeError(f"draw: size is {size!r} but must be a pair of integers, (H, W), in pixels.")
    check.at_least("draw", {"size[0]": size[0], "size[1]": size[1]}, 1)
    rows, columns = size
    x = (torch.arange(columns, device=device) + 0.5) * (width / columns) - 0.5
    y = height - 0.5 - (torch.arange(rows, device=device) + 0.5) * (height / rows)
    pixel = max(width / columns, height / rows)
    return Canvas(x, y.unsqueeze(-1), pixel, torch.full((3, rows, columns), 255.0, device=device))


def cell(row: Number, column: Number, rows: int, side: float) -> Point:
    """The centre of a cell of a grid, whose `rows` are counted downwards from 0.

    >>> cell(0, 2, rows=3, side=20)
    (49.5, 49.5)
    """
    return (column + 0.5) * side - 0.5, (rows - 0.5 - row) * side - 0.5


def everywhere(value: Number, like: Tensor) -> Tensor:
    """[*B] -> [*B, 1, 1]: one value for all pixels of a picture, with the dtype and the device of `like`.

    >>> everywhere(2, torch.zeros(3)), everywhere(torch.ones(5), torch.zeros(3)).shape
    (tensor([[2.]]), torch.Size([5, 1, 1]))
    """
    return torch.as_tensor(value, dtype=like.dtype, device=like.device)[..., None, None]


def _length(x: Tensor, y: Tensor) -> Tensor:
    return (x * x + y * y).sqrt()
