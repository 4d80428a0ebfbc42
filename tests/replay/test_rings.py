"""Rings: where steps are written, what is drawn, and which rows follow one another, exhaustively on small sizes."""

from itertools import pairwise, product

import pytest
import torch
from scipy import stats

from frl import TensorDict, random, replay
from frl.replay import rings
from frl.replay.rings import Rings

ENDS = list(product("-TC", repeat=6))  # every history of six steps: goes on, terminated, truncated (cut)


def history(first: int, last: int) -> TensorDict:
    """Steps [first, last) of one environment for each of ENDS; step t observes t and is rewarded with 2ᵗ."""
    time = torch.arange(first, last).expand(len(ENDS), last - first)
    flag = lambda kind: torch.tensor([[e == kind for e in ends[first:last]] for ends in ENDS]).unsqueeze(-1)  # noqa: E731
    after = {"reward": 2.0 ** time.unsqueeze(-1), "terminated": flag("T"), "truncated": flag("C"), "time": time + 1}
    return TensorDict({"time": time, "next": after}, time.shape)


def expected_count(ends, first: int, newest: int, length: int) -> int:
    """How many steps from `first` on belong together: up to the end of the episode and the newest step."""
    for t in range(first, newest + 1):
        if ends[t] != "-" or t - first + 1 == length:
            return t - first + 1
    return newest - first + 1


@pytest.mark.parametrize("cuts", [(0, 1), (0, 2, 3), (0, 4), (0, 3, 6), (0, 1, 2, 5)])
def test_no_window_crosses_an_end_the_write_head_or_environments(cuts):
    n, length = 3, 4
    n_step = replay.n_step(length * len(ENDS), 1, n, gamma=0.5, num_envs=len(ENDS))
    sequence = replay.sequence(length * len(ENDS), 1, n, num_envs=len(ENDS))
    state = n_step.init(history(0, 1)[0, 0])
    for first, last in pairwise(cuts):
        state = n_step.add(state, history(first, last))
    written = cuts[-1]
    present = [(e, t) for e in range(len(ENDS)) for t in range(max(0, written - length), written)]
    index = torch.tensor([e * length + t % length for e, t in present])
    counts = [expected_count(ENDS[e], t, written - 1, n) for e, t in present]
    td, seq = n_step.read(state, index), sequence.read(state, index)
    assert td["time"].tolist() == [t for _, t in present]
    assert td["next", "time"].tolist() == [t + k for (_, t), k in zip(present, counts, strict=True)]
    # reward 2ᵗ and discount 1/2: each of the k steps adds 2ᵗ
    assert td["next", "reward"].flatten().tolist() == [2.0**t * k for (_, t), k in zip(present, counts, strict=True)]
    last = [ENDS[e][t + k - 1] for (e, t), k in zip(present, counts, strict=True)]
    assert td["next", "discount"].flatten().tolist() == [
        0.0 if end == "T" else 0.5**k for end, k in zip(last, counts, strict=True)
    ]
    assert td["next", "terminated"].flatten().tolist() == [end == "T" for end in last]
    assert td["next", "truncated"].flatten().tolist() == [end == "C" for end in last]
    assert seq["mask"].sum(-1).tolist() == counts
    assert seq["time"].tolist() == [
        [t + min(i, k - 1) for i in range(n)] for (_, t), k in zip(present, counts, strict=True)
    ]


def test_steps_go_behind_what_each_ring_holds_and_wrap_around():
    shape = Rings(2, 3)
    state = rings.empty("test", shape, TensorDict({"t": torch.tensor(0)}))
    for first in (1, 3):
        state = rings.write("test", shape, state, TensorDict({"t": torch.tensor([[first, first + 1]] * 2)}, [2, 2]))
    assert state["data"]["t"].tolist() == [4, 2, 3, 4, 2, 3]
    assert (state["cursor"].item(), state["size"].item()) == (1, 6)


@pytest.mark.parametrize("num", [1, 3])
@pytest.mark.parametrize("steps", [4, 7])
def test_every_row_that_holds_data_is_drawn_equally_often_and_no_other(num, steps):
    shape = Rings(num, 5)
    state = rings.empty("test", shape, TensorDict({"t": torch.tensor(0)}))
    batch = TensorDict({"t": torch.arange(1, steps + 1).expand(num, steps)}, [num, steps])
    state = rings.write("test", shape, state, batch)
    counts = rings.draw(shape, state, 100_000, random.key(1)).bincount(minlength=num * 5)
    held = state["data"]["t"] > 0
    assert held.sum() == num * min(steps, 5)
    assert not counts[~held].any()
    assert stats.chisquare(counts[held].numpy()).pvalue > 1e-3


def test_the_capacity_is_divided_evenly_among_the_environments():
    assert rings.rings("test", 10, 1, num_envs=3) == Rings(3, 3)
    assert replay.n_step(10, 1, 2, num_envs=3).capacity == 9
