"""A point in the plane and its goal: how it moves, how far it has to go, and what they look like."""

import torch
from torch import Tensor

from frl.envs.drawing import Number, canvas


def moved(position: Tensor, action: Tensor, step_size: Number) -> Tensor:
    """Where a point [*B, 2] is after an action [*B, 2], of which each part is clipped to [-1, 1].

    >>> moved(torch.zeros(2), torch.tensor([0.5, -3.0]), 0.1)
    tensor([ 0.0500, -0.1000])
    """
    steps = torch.clamp(action, -1, 1).unbind(-1)
    return torch.stack([at + step_size * step for at, step in zip(position.unbind(-1), steps, strict=True)], -1)


def distance(position: Tensor, goal: Tensor) -> Tensor:
    """Between points [*B, 2], [*B]; where it is 0 so is its gradient.

    >>> distance(torch.tensor([3.0, 0.0]), torch.tensor([0.0, 4.0]))
    tensor(5.)
    """
    return torch.linalg.vector_norm(position - goal, dim=-1)


def picture(position: Tensor, goal: Tensor, goal_radius: Number, extent: float, size: tuple[int, int] | None) -> Tensor:
    """The points [*B, 2] and their goals, [*B, H, W, 3] uint8: `extent` on each side of the origin, 240 × 240 pixels.

    >>> picture(torch.zeros(3, 2), torch.ones(3, 2), 0.2, 1.2, None).shape
    torch.Size([3, 240, 240, 3])
    """
    scale = 120 / extent
    (x, y), (goal_x, goal_y) = ((119.5 + scale * at).unbind(-1) for at in (position, goal))
    drawn = canvas((240, 240), size, position.device).disc((119.5, 119.5), 3, (180, 180, 180))
    drawn = drawn.disc((goal_x, goal_y), goal_radius * scale, (102, 204, 102))
    return drawn.disc((x, y), 6, (204, 51, 51)).pixels()
