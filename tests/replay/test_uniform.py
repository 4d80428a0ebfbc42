"""The uniform buffer: single steps, the oldest written over first."""

import torch
from scipy import stats

from frl import TensorDict, random, replay

ROW = TensorDict({"t": torch.tensor(0)})


def times(first: int, last: int) -> TensorDict:
    return TensorDict({"t": torch.arange(first, last)}, [last - first])


def test_a_full_ring_writes_over_the_oldest_rows():
    buffer = replay.uniform(4, 2)
    state = buffer.add(buffer.add(buffer.init(ROW), times(1, 4)), times(4, 7))
    assert state["data"]["t"].tolist() == [5, 6, 3, 4]
    assert (state["cursor"].item(), state["size"].item()) == (2, 4)


def test_steps_of_several_environments_are_kept_in_the_order_of_time():
    buffer = replay.uniform(6, 2)
    batch = TensorDict({"t": torch.tensor([[1, 2], [10, 20], [100, 200]])}, [3, 2])
    assert buffer.add(buffer.init(ROW), batch)["data"]["t"].tolist() == [1, 10, 100, 2, 20, 200]
    assert buffer.add(buffer.init(ROW), batch.reshape(3, 1, 2))["data"]["t"].tolist() == [1, 10, 100, 2, 20, 200]


def test_a_sample_is_rows_and_where_they_stand():
    buffer = replay.uniform(4, 50)
    td = buffer.sample(buffer.add(buffer.init(ROW), times(7, 10)), random.key(0))
    assert torch.equal(td["t"], td["index"] + 7)
    assert td["index"].unique().tolist() == [0, 1, 2]


def test_frequencies_are_uniform_over_the_rows_present():
    buffer = replay.uniform(50, 100_000)
    counts = buffer.sample(buffer.add(buffer.init(ROW), times(0, 37)), random.key(3))["index"].bincount()
    assert counts.shape == (37,)
    assert stats.chisquare(counts.numpy()).pvalue > 1e-3


def test_a_priority_changes_nothing():
    buffer = replay.uniform(4, 2)
    state = buffer.add(buffer.init(ROW), times(0, 4))
    assert buffer.update_priority(state, torch.tensor([0]), torch.tensor([5.0])) is state
