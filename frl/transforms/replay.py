"""Transforms of data: what a transform with a state would have done while the trajectory was collected."""

from typing import Protocol

import torch
from torch import Tensor

from frl import control, tree
from frl.tensordict import TensorDict


class Stateful(Protocol):
    """What is replayed: the two functions of a transform."""

    def reset(self, td: TensorDict, state: TensorDict | None) -> tuple[TensorDict, TensorDict | None]:
        """What a reset shows, and the state."""
        ...

    def step(self, td: TensorDict, after: TensorDict, state: TensorDict | None) -> tuple[TensorDict, TensorDict | None]:
        """The "next" of a step, and the state."""
        ...


def replay(transform: Stateful, td: TensorDict) -> TensorDict:
    """The trajectory as the transform would have shown it.

    An episode begins with the first step, after every step that is done, and where "is_init" says so. One transform
    then sees the same calls as in an environment, so that what it makes of the data is what it makes of the steps.

    Args: td: [*B, T] with "next", "done" (or "terminated" and "truncated") in it.
    Raises: ValueError if there is no time axis, no "next", or nothing that says where episodes end.

    >>> from frl.transforms import StepCounter
    >>> done = torch.tensor([[False], [True], [False]])
    >>> td = TensorDict({"next": {"done": done, "reward": torch.ones(3, 1)}}, [3])
    >>> replay(StepCounter(), td)["next", "step_count"].flatten().tolist()
    [1, 2, 1]
    """
    name = type(transform).__name__
    if not td.batch_dims or "next" not in td:
        raise ValueError(
            f"{name}: data of batch size {list(td.batch_size)} with the entries {list(td)} is no trajectory; a "
            'transform with a state needs [*B, T] with "next".'
        )
    ended = _ended(name, td["next"])
    began = torch.cat([torch.ones_like(ended[..., :1]), ended[..., :-1]], -1)
    if "is_init" in td:
        began = began | td["is_init"].squeeze(-1)
    steps = td.permute(-1, *range(td.batch_dims - 1))
    first, *carry = _advance(transform, steps[0], None, [])
    if steps.batch_size[0] == 1:
        return tree.stack([first], td.batch_dims - 1)

    def body(carry: list[TensorDict], x: tuple[TensorDict, Tensor]) -> tuple[list[TensorDict], TensorDict]:
        out, *carry = _advance(transform, *x, carry)
        return carry, out

    _, rest = control.scan(body, carry, (steps[1:], began.movedim(-1, 0)[1:]))
    whole = tree.map(lambda x, xs: torch.cat([x.unsqueeze(0), xs]), first, rest)
    return whole.permute(*range(1, td.batch_dims), 0)


def _advance(transform: Stateful, step: TensorDict, began: Tensor | None, carry: list[TensorDict]) -> list[TensorDict]:
    """One step as it was shown, what of it is shown at the following root, and the state after it, if there is one."""
    earlier = carry[1] if len(carry) > 1 else None
    root, state = transform.reset(step.exclude("next"), earlier)
    if began is not None:
        root = root.update({key: tree.where(began, root[key], value) for key, value in carry[0].items()})
        state = None if state is None or earlier is None else tree.where(began, state, earlier)
    after, state = transform.step(root, step["next"], state)
    following = after.select(*[key for key in after if key in root and key != "reward"])
    return [root.set("next", after), following, *([] if state is None else [state])]


def _ended(name: str, after: TensorDict) -> Tensor:
    """Which steps end an episode, [*B, T]."""
    if "done" in after:
        return after["done"].squeeze(-1)
    if "terminated" in after and "truncated" in after:
        return (after["terminated"] | after["truncated"]).squeeze(-1)
    raise ValueError(
        f'{name}: "next" has the entries {list(after)}, none of which says where episodes end; it needs "done", or '
        '"terminated" and "truncated".'
    )
