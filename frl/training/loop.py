"""The loop: a whole training as two pure functions over one state."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

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
    step = torch.zeros((), dtype=torch.int64)
    return TensorDict({"train": train, "runner": runner, "key": key, "step": step, "stats": no_episodes()})


def no_episodes() -> TensorDict:
    """The statistics of episodes before any has ended: zeros.

    >>> sorted(no_episodes())
    ['episode_length', 'episode_return', 'episodes']
    """
    return TensorDict({name: torch.zeros(()) for name in ("episode_return", "episode_length", "episodes")})


def episode_statistics(last: TensorDict, after: TensorDict) -> TensorDict:
    """The mean return and length of the episodes that ended in this batch, or the last known ones if none did."""
    ended = (after["terminated"] | after["truncated"]).to(after["episode_return"].dtype)
    count = ended.sum()

    def mean(name: str) -> Tensor:
        return torch.where(count > 0, (ended * after[name]).sum() / count.clamp(min=1), last[name])

    return TensorDict(
        {"episode_return": mean("episode_return"), "episode_length": mean("episode_length"), "episodes": count}
    )
