"""Sequences of one episode. Their limits, exhaustively: test_rings.py."""

import torch
from scipy import stats

from frl import random, replay
from tests.replay.registry import filled, steps


def test_a_sequence_is_successive_steps_with_time_last():
    buffer = replay.sequence(20, 4, length=3, num_envs=2)
    td = buffer.sample(filled(buffer, 3), random.key(0))
    assert td.batch_size == (4, 3)
    step = td["observation"]
    assert torch.equal((step[:, 1:] - step[:, :-1]).bool(), td["mask"][:, 1:])
    assert td["mask"][:, 0].all()


def test_what_stands_behind_the_end_is_its_last_step_again():
    buffer = replay.sequence(20, 200, length=5, num_envs=2)
    td = buffer.sample(filled(buffer, 3), random.key(0))
    last = td["mask"].sum(-1, keepdim=True) - 1
    repeated = torch.where(td["mask"], td["observation"], td["observation"].gather(1, last))
    assert torch.equal(td["observation"], repeated)


def test_every_step_begins_a_sequence_equally_often():
    buffer = replay.sequence(20, 50_000, length=3, num_envs=2)
    first = buffer.sample(filled(buffer, 4), random.key(2))["observation"][:, 0]
    assert stats.chisquare(first.unique(return_counts=True)[1].numpy()).pvalue > 1e-3
    assert len(first.unique()) == 20


def test_a_priority_belongs_to_the_sequence_and_is_the_largest_of_its_steps():
    buffer = replay.prioritized(replay.sequence(6, 1, length=3), alpha=1.0)
    state = buffer.add(buffer.init(steps(0)[0, 0]), steps(0)[:1])
    index = buffer.read(state, torch.tensor([1]))["index"]
    state = buffer.update_priority(state, index, torch.tensor([[0.5, 3.0, 2.0]]))
    assert state["tree", "sum"][:4].round(decimals=6).tolist() == [1.0, 3.0, 1.0, 0.0]
