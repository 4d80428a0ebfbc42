"""The loop: a whole training as two pure functions over one state, and a population of such."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from frl import check, control
from frl.tensordict import TensorDict


class Loop(NamedTuple):
    """A whole training, one step at a time: what one compiles, vmaps, differentiates and checkpoints.

    init: `init(key) -> state`. step: `step(state) -> (state, metrics)`. The state is one TensorDict:
    {"train", "runner", "key", "step", "stats"}, with a "buffer" where there is replay; "step" counts environment steps.
    """

    init: Callable[[Tensor], TensorDict]
    step: Callable[[TensorDict], tuple[TensorDict, TensorDict]]


def begin(train: TensorDict, runner: TensorDict, key: Tensor) -> TensorDict:
    """The state of a loop before its first step: nothing was stepped, and no episode has ended yet."""
    stats = {name: torch.zeros(()) for name in ("episode_return", "episode_length", "episodes")}
    step = torch.zeros((), dtype=torch.int64)
    return TensorDict({"train": train, "runner": runner, "key": key, "step": step, "stats": stats})


def episode_statistics(last: TensorDict, after: TensorDict) -> TensorDict:
    """The mean return and length of the episodes that ended in this batch, or the last known ones if none did."""
    ended = (after["terminated"] | after["truncated"]).to(after["episode_return"].dtype)
    count = ended.sum()

    def mean(name: str) -> Tensor:
        return torch.where(count > 0, (ended * after[name]).sum() / count.clamp(min=1), last[name])

    return TensorDict(
        {"episode_return": mean("episode_return"), "episode_length": mean("episode_length"), "episodes": count}
    )


def population(loop: Loop, n: int) -> Loop:
    """`n` trainings at once: the same two functions over states that have one more, leading, axis.

    `init` takes keys [n, 2]. Compiled, the members are one vmapped program; in eager mode they take turns, so that each
    is bitwise the run of its key alone. In either, member i draws the same random integers as that run.

    Raises: ValueError if `n` is below 1, or, when called, if the keys are not one for each member.
    """
    check.at_least("population", {"n": n}, 1)

    def init(keys: Tensor) -> TensorDict:
        if keys.shape != (n, 2):
            raise ValueError(
                f"population: keys have shape {list(keys.shape)}, expected {[n, 2]}; use random.split(key, {n})."
            )
        return control.members(loop.init)(keys)

    return Loop(init, control.members(loop.step))
