"""How a chain of steps is drawn: a line from its beginning to its end, and where on it one stands."""

import torch
from torch import Tensor

from frl.envs.drawing import BLACK, Canvas, Number, canvas

GONE = -1e6
"""The radius of a disc that is nowhere: what is to be seen only at times."""


def place(time: Number, length: Number) -> Tensor:
    """Where on the line the step `time` of `length` is, from 10 to 210, [*B].

    >>> place(torch.tensor([0, 1, 5]), 4)
    tensor([ 10.,  60., 210.])
    """
    return 10 + 200 * torch.clamp(torch.as_tensor(time / length), max=1.0)


def chain(time: Tensor, length: Number, size: tuple[int, int] | None) -> Canvas:
    """The line and the place of `time` [*B]; 80 × 220 pixels by default, of which the upper 50 rows are empty.

    >>> chain(torch.tensor([0, 1]), 4, None).pixels().shape
    torch.Size([2, 80, 220, 3])
    """
    picture = canvas((220, 80), size, time.device).segment((10, 15), (210, 15), 2, BLACK)
    return picture.disc((place(time, length), 15), 7, (204, 51, 51))
