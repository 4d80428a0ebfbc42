"""Buffers of TensorDicts: labels, priorities by name, trajectories, and agreement with the pure buffers."""

import pytest
import torch

from frl import TensorDict, replay
from frl.replay import (
    LazyMemmapStorage,
    LazyTensorStorage,
    SliceSampler,
    TensorDictPrioritizedReplayBuffer,
    TensorDictReplayBuffer,
)
from tests.replay.test_slices import steps
from tests.replay.test_storages import items


def test_a_prioritised_sample_has_its_index_and_weight_and_gives_priorities_back():
    rb = TensorDictPrioritizedReplayBuffer(alpha=0.7, beta=1.1, priority_key="td_error")
    rb.extend(TensorDict({"a": torch.zeros(2, 3)}, [2]))
    td = rb.sample(2).contiguous()
    assert list(td) == ["_weight", "a", "index"]
    assert [(td[key].shape, td[key].dtype) for key in ("_weight", "index")] == [
        ((2,), torch.float32),
        ((2,), torch.int64),
    ]
    td = td.set("index", torch.tensor([0, 1])).set("td_error", torch.tensor([0.168859, 0.022326]))
    rb.update_tensordict_priority(td)
    read = [float(priority) for _, priority in zip(range(3), rb.sampler.sum_tree, strict=False)]
    assert read == pytest.approx([0.2879167, 0.0698497, 0.0], abs=1e-6)


def test_trajectories_from_a_memory_map_with_prefetching():
    with TensorDictReplayBuffer(storage=LazyMemmapStorage(20_000), batch_size=4, prefetch=10) as rb:
        for i in range(3):
            td = TensorDict(
                {"observation": torch.full((50, 4), float(i)), "next": {"reward": torch.zeros(50, 1)}}, [50]
            )
            rb.extend(td.unsqueeze(0))
        td = rb.sample()
        assert len(rb) == 3
        assert td.batch_size == (4, 50)
        assert td["index"].shape == (4, 50)
        assert torch.equal(td["observation"][..., 0], td["index"].float())


def test_of_a_trajectory_the_largest_priority_counts():
    rb = TensorDictPrioritizedReplayBuffer(alpha=1.0, beta=1.0, storage=LazyTensorStorage(5))
    rb.extend(TensorDict({"a": torch.zeros(2, 3)}, [2, 3]))
    td = TensorDict(
        {"index": torch.tensor([[0] * 3, [1] * 3]), "td_error": torch.tensor([[1.0, 5, 2], [3, 0, 4]])}, [2, 3]
    )
    rb.update_tensordict_priority(td)
    assert rb.sampler.sum_tree.tolist() == pytest.approx([5, 4, 0, 0, 0])
    rb.update_tensordict_priority(td[:, :1].set("td_error", torch.ones(2, 1, 1)))
    assert rb.sampler.sum_tree.tolist() == pytest.approx([1, 1, 0, 0, 0])


def test_slices_are_labelled_step_by_step():
    rb = TensorDictReplayBuffer(LazyTensorStorage(10), SliceSampler(2), batch_size=6)
    rb.extend(steps(list(range(8)), "---T----"))
    td = rb.sample()
    assert td.batch_size == (3, 2)
    assert torch.equal(td["index"], td["n"])


def test_what_a_pure_buffer_keeps_and_prefers_the_host_keeps_and_prefers():
    pure = replay.prioritized(replay.uniform(7, 4), alpha=0.7, beta=1.1)
    host = TensorDictPrioritizedReplayBuffer(0.7, 1.1, storage=LazyTensorStorage(7))
    state, n = pure.init(items(0, 1)[0]), 0
    for count in (2, 3, 1, 9, 4, 2):
        state, n = pure.add(state, items(n, count)), n + count
        host.extend(items(n - count, count))
        index = torch.tensor([0, 1, 0])
        priority = torch.tensor([0.5, 2.0, 1.0]) / count
        state = pure.update_priority(state, index, priority)
        host.update_priority(index, priority)
        assert host.storage.data["n"].tolist() == state["data"]["n"].tolist()
        assert len(host) == state["size"].item()
        assert host.sampler.sum_tree.tolist() == pytest.approx(state["tree", "sum"][:7].tolist(), rel=1e-6)


def test_a_sample_without_priorities_and_a_buffer_without_them_are_refused_by_name():
    rb = TensorDictPrioritizedReplayBuffer(0.7, 1.1)
    rb.extend(items(0, 2))
    with pytest.raises(KeyError, match="no entry 'td_error', only"):
        rb.update_tensordict_priority(rb.sample(2))
    rb = TensorDictReplayBuffer()
    rb.extend(items(0, 2))
    with pytest.raises(TypeError, match="RandomSampler: it knows no priorities"):
        rb.update_tensordict_priority(rb.sample(2).set("td_error", torch.ones(2)))
