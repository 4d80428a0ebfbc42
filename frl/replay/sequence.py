"""Replay of sequences of steps, for recurrent policies (Hausknecht & Stone 2015; Kapturowski et al. 2019)."""

from functools import partial

import torch
from torch import Tensor

from frl.replay import rings
from frl.replay.base import Buffer, labelled
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
    rings.require_length("sequence", shape, "length", length)

    def read(state: TensorDict, index: Tensor) -> TensorDict:
        followers, count = rings.follow(shape, state, index, length)
        steps = torch.arange(length, device=index.device).expand_as(followers)
        last = count.unsqueeze(-1) - 1
        td = state["data"][followers.gather(-1, torch.minimum(steps, last))]
        return labelled(td.set("mask", steps <= last), {"index": index})

    laid = partial(rings.streams, "sequence", shape)
    return rings.buffer("sequence", shape, batch_size, laid, read, _NEEDED)
