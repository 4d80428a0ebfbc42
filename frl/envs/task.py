"""What a task may fix and an episode draws otherwise: entries of the physics that can be left open."""

from collections.abc import Sequence

from torch import Tensor

Task = Tensor | tuple[()]
"""A tensor, one for all rows or one for each, [*B, ...]; or (), which leaves it open and is a tree without leaves."""


def fixed(name: str, given: Task, batch: Sequence[int], event: Sequence[int]) -> Tensor | None:
    """`given` for each row, expanded to [*batch, *event] without a copy; None where it is left open.

    Args: name: "PointRobot: goal", for the message. given: `event`, one for all rows, or with the last axes of `batch`
        in front.
    Raises: TypeError if it is neither a tensor nor (); ValueError if its shape is another.

    >>> import torch
    >>> fixed("goal", torch.tensor([0.0, 1.0]), [3], [2]).shape, fixed("goal", (), [3], [2])
    (torch.Size([3, 2]), None)
    """
    if isinstance(given, tuple) and not given:
        return None
    if not isinstance(given, Tensor):
        raise TypeError(f"{name} is {given!r} but must be a tensor, or () to draw it in every episode.")
    wanted = [*batch, *event]
    if not len(event) <= given.ndim <= len(wanted) or list(given.shape) != wanted[len(wanted) - given.ndim :]:
        raise ValueError(
            f"{name} has shape {list(given.shape)} but must have {wanted}, or {list(event)} to be one for all rows."
        )
    return given.expand(wanted)


def settled(name: str, given: Task, drawn: Tensor) -> Tensor:
    """What an episode begins with, [*B, n]: `drawn` where the task leaves it open, else `given` for each row.

    Raises: as `fixed`.

    >>> import torch
    >>> goal = torch.tensor([0, 1])
    >>> settled("goal", goal, torch.zeros(2, 2)).tolist(), settled("goal", (), torch.ones(2)).tolist()
    ([[0.0, 1.0], [0.0, 1.0]], [1.0, 1.0])
    """
    found = fixed(name, given, drawn.shape[:-1], drawn.shape[-1:])
    # a copy, for the state of an episode may be written over by the next where it is donated
    return drawn if found is None else found.to(drawn).clone()
