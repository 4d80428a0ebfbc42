"""Replay of sequences of steps, for recurrent policies (Hausknecht & Stone 2015; Kapturowski et al. 2019)."""

import torch
from torch import Tensor

from frl import check
from frl.replay import rings
from frl.replay.base import Buffer, labelled
from frl.replay.uniform import keep
from frl.tensordict import TensorDict

_NEEDED = (("next", "terminated"), ("next", "truncated"))


def sequence(capacity: int, batch_size: int, length: int, num_envs: int = 1) -> Buffer:
    """A buffer of single steps, sampled as `length` successive steps of one episode, [batch_size, length].

    Each stored step begins a sequence equally often. The "mask" [batch_size, length] is true for the steps up to the
    end of the episode, or up to the newest step; behind them the last of these is repeated, for the loss to leave out.
    The "index" of every step is that of the first, so that a priority belongs to the sequence, and is the largest that
    its steps are given. Successive `add`s go on where the ones before stopped, as those of one runner do.

    Args: capacity: of all `num_envs` rings together, an equal number of rows each.
    Raises: ValueError if a number is out of range; KeyError, by `init`, if the example lacks a flag.

    >>> from frl import random
    >>> buffer = sequence(capacity=8, batch_size=2, length=3)
    >>> flag = torch.zeros(4, 1, dtype=torch.bool)
    >>> end = torch.tensor([[False], [True], [False], [False]])
    >>> batch = TensorDict({"t": torch.arange(4), "next": {"terminated": end, "truncated": flag}}, [4])
    >>> state = buffer.add(buffer.init(batch[0]), batch)
    >>> td = buffer.read(state, torch.tensor([0, 2]))
    >>> td["t"].tolist(), td["mask"].tolist()
    ([[0, 1, 1], [2, 3, 3]], [[True, True, False], [True, True, False]])
    """
    shape = rings.rings("sequence", capacity, batch_size, num_envs)
    check.at_least("sequence", {"length": length}, 1)
    if length > shape.length:
        raise ValueError(
            f"sequence: length is {length} but each of {num_envs} environments has {shape.length} rows; raise capacity."
        )

    def init(example: TensorDict) -> TensorDict:
        return rings.empty("sequence", shape, example, _NEEDED)

    def add(state: TensorDict, batch: TensorDict) -> TensorDict:
        return rings.write("sequence", shape, state, rings.streams("sequence", shape, batch))

    def rows(state: TensorDict, batch: TensorDict) -> Tensor:
        return rings.written(shape, state, batch.batch_size[-1]).reshape(-1)

    def read(state: TensorDict, index: Tensor) -> TensorDict:
        followers, count = rings.follow(shape, state, index, length)
        steps = torch.arange(length, device=index.device).expand_as(followers)
        last = count.unsqueeze(-1) - 1
        td = state["data"][followers.gather(-1, torch.minimum(steps, last))]
        return labelled(td.set("mask", steps <= last), {"index": index})

    def sample(state: TensorDict, key: Tensor) -> TensorDict:
        rings.require_rows("sequence", state)
        return read(state, rings.draw(shape, state, batch_size, key))

    return Buffer(init, add, sample, keep, rows, read, shape.num * shape.length, batch_size)
