"""Replay of n-step returns (Sutton & Barto 2018, chapter 7; Hessel et al. 2018, "Rainbow")."""

from functools import partial

import torch
from torch import Tensor

from frl.functional.steps import check_rate
from frl.replay import rings
from frl.replay.base import Buffer, labelled
from frl.tensordict import TensorDict, scalar

_NEEDED = (("next", "reward"), ("next", "terminated"), ("next", "truncated"))


def n_step(capacity: int, batch_size: int, n: int, gamma: float | Tensor = 0.99, num_envs: int = 1) -> Buffer:
    """A buffer of single steps, sampled as transitions over k ≤ `n` steps of one episode.

    A sample is a stored row whose "next" is that of the k-th step: the true successor and the flags there, and

        ("next", "reward")    Σᵢ γⁱ rᵢ, i = 0 … k−1     [batch_size, 1]
        ("next", "discount")  γᵏ (1 − terminated)        [batch_size, 1]

    so that the target is reward + discount · V(next). k is `n` but where the episode terminates, is truncated, or is
    not written further yet: there the value of the last known successor stands for the rest, which only termination
    makes worth nothing. Successive `add`s go on where the ones before stopped, as those of one runner do.

    Args: capacity: of all `num_envs` rings together, an equal number of rows each. gamma: in [0, 1].
    Raises: ValueError if a number is out of range; KeyError, by `init`, if the example lacks the reward or a flag.

    >>> from frl import random
    >>> buffer = n_step(capacity=8, batch_size=2, n=3, gamma=0.5)
    >>> no = torch.zeros(4, 1, dtype=torch.bool)
    >>> after = {"reward": torch.ones(4, 1), "terminated": torch.tensor([[False], [True], [False], [False]])}
    >>> batch = TensorDict({"next": {**after, "truncated": no}}, [4])
    >>> state = buffer.add(buffer.init(batch[0]), batch)
    >>> after = buffer.read(state, torch.arange(4))["next"]
    >>> after["reward"].flatten().tolist(), after["discount"].flatten().tolist()
    ([1.5, 1.0, 1.5, 1.0], [0.0, 0.0, 0.25, 0.5])
    """
    shape = rings.rings("n_step", capacity, batch_size, num_envs)
    rings.require_length("n_step", shape, "n", n)
    check_rate("n_step", {"gamma": gamma})

    def read(state: TensorDict, index: Tensor) -> TensorDict:
        followers, count = rings.follow(shape, state, index, n)
        after = _bootstrapped(state["data"]["next"], followers, count, gamma)
        return labelled(state["data"].exclude("next")[index].set("next", after), {"index": index})

    laid = partial(rings.streams, "n_step", shape)
    return rings.buffer("n_step", shape, batch_size, laid, read, _NEEDED)


def _bootstrapped(after: TensorDict, rows: Tensor, count: Tensor, gamma: float | Tensor) -> TensorDict:
    """The "next" of the last of the first `count` [*I] steps at `rows` [*I, n], with their return and its discount."""
    steps = torch.arange(rows.shape[-1], device=rows.device).expand_as(rows)
    reward = scalar(after, "reward")[rows]
    gains = torch.where(steps < count.unsqueeze(-1), reward * (gamma**steps).to(reward.dtype), 0)
    last = after[rows.gather(-1, count.unsqueeze(-1) - 1).squeeze(-1)]
    discount = (gamma**count).to(reward.dtype).unsqueeze(-1)
    last = last.set("reward", gains.sum(-1, keepdim=True))
    return last.set("discount", torch.where(last["terminated"], 0, discount))
