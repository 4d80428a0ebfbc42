"""Replay buffers of the host: the listings of any objects, equal samples with and without prefetching, and keeping."""

import gc
import threading
import time

import pytest
import torch

from frl import TensorDict, random
from frl.replay import (
    LazyMemmapStorage,
    LazyTensorStorage,
    ListStorage,
    PrioritizedReplayBuffer,
    PrioritizedSampler,
    ReplayBuffer,
    SamplerWithoutReplacement,
    TensorDictReplayBuffer,
)
from tests.replay.test_storages import items


def test_any_objects_with_replacement():
    rb = ReplayBuffer(collate_fn=lambda x: x)
    rb.add(1)
    assert rb.sample(1) == [1]
    rb.extend([2, 3])
    assert len(rb) == 3
    assert set(rb.sample(100)) == {1, 2, 3}


def test_priorities_of_any_objects_and_of_a_row_that_is_not_there():
    rb = PrioritizedReplayBuffer(alpha=0.7, beta=1.1, collate_fn=lambda x: x)
    rb.add(1)
    assert rb.sample(1) == [1]
    rb.update_priority(1, 0.5)
    assert rb.sample(20) == [1] * 20
    rb.update_priority(0, 0.5)
    assert rb.sampler.sum_tree[:2].tolist() == pytest.approx([0.5**0.7, 0.0])


def test_rows_of_tensordicts_one_by_one():
    rb = ReplayBuffer(collate_fn=torch.stack)
    rb.add(TensorDict({"a": torch.ones(3)}, []))
    assert len(rb) == 1
    rb.extend(TensorDict({"a": torch.zeros(2, 3)}, [2]))
    assert len(rb) == 3
    assert rb.sample(10).batch_size == (10,)
    assert rb.sample(2).contiguous()["a"].shape == (2, 3)


def test_lists_of_tensors_are_stacked_and_other_lists_are_not():
    rb = ReplayBuffer()
    rb.extend(torch.arange(3))
    assert rb.sample(4).shape == (4,)
    rb = ReplayBuffer()
    rb.extend("ab")
    assert isinstance(rb.sample(4), list)


def test_an_item_is_read_by_its_row_and_a_row_without_one_is_refused():
    rb = ReplayBuffer()
    rb.extend("abc")
    assert (rb[1], rb[[2, 0]]) == ("b", ["c", "a"])
    with pytest.raises(IndexError, match="row 3 is none of the 3"):
        rb[3]
    rb = TensorDictReplayBuffer()
    rb.extend(items(5, 2))
    assert rb[1]["n"].item() == 6


def script(rb) -> list:
    """Writes, samples and new priorities, and what was sampled."""
    found, n = [], 0
    for i, u in enumerate(random.uniform(60, random.key(4)).tolist()):
        if i == 0 or u < 0.2:
            rb.extend(items(n, 1 + i % 4))
            n += 1 + i % 4
        elif u < 0.3 and isinstance(rb.sampler, PrioritizedSampler):
            rb.update_priority(torch.arange(len(rb)), torch.linspace(0, 1, len(rb)))
        elif u < 0.35:
            rb.set_seed(i)
        else:
            found.append(rb.sample(3 + i % 2)["n"].tolist())
    return found


BUFFERS = {
    "list": lambda prefetch: ReplayBuffer(ListStorage(20), prefetch=prefetch),
    "tensor": lambda prefetch: TensorDictReplayBuffer(LazyTensorStorage(20), prefetch=prefetch),
    "memory map": lambda prefetch: TensorDictReplayBuffer(LazyMemmapStorage(20), prefetch=prefetch),
    "prioritised": lambda prefetch: TensorDictReplayBuffer(
        LazyTensorStorage(20), PrioritizedSampler(20), prefetch=prefetch
    ),
    "without replacement": lambda prefetch: TensorDictReplayBuffer(
        LazyTensorStorage(20), SamplerWithoutReplacement(), prefetch=prefetch
    ),
}
every_buffer = pytest.mark.parametrize("make", BUFFERS.values(), ids=BUFFERS.keys())


@every_buffer
def test_prefetching_changes_no_sample(make):
    expected = script(make(0))
    for prefetch in (1, 10):
        with make(prefetch) as rb:
            assert script(rb) == expected


@every_buffer
@pytest.mark.parametrize("prefetch", [0, 3])
def test_saved_and_loaded_the_next_samples_are_the_same(make, prefetch, tmp_path):
    with make(prefetch) as rb, make(0) as again:
        script(rb)
        rb.save(tmp_path)
        again.load(tmp_path)
        assert len(again) == len(rb)
        for buffer in (rb, again):
            buffer.extend(items(1000, 2))
        assert [again.sample(4)["n"].tolist() for _ in range(5)] == [rb.sample(4)["n"].tolist() for _ in range(5)]


@every_buffer
def test_cleared_it_is_as_empty_as_a_new_one(make):
    with make(2) as rb:
        script(rb)
        rb.clear()
        assert len(rb) == 0
        with pytest.raises(ValueError, match="it is empty"):
            rb.sample(1)
        rb.extend(items(7, 1))
        assert set(rb.sample(5)["n"].tolist()) == {7}


def test_iterating_without_replacement_ends_with_the_epoch():
    for prefetch in (0, 2):
        with TensorDictReplayBuffer(LazyTensorStorage(20), SamplerWithoutReplacement(), 4, prefetch) as rb:
            rb.extend(items(0, 10))
            for _ in range(2):
                batches = [batch["n"].tolist() for batch in rb]
                assert [len(batch) for batch in batches] == [4, 4, 2]
                assert sorted(n for batch in batches for n in batch) == list(range(10))


def test_no_sample_sees_half_a_write():
    with TensorDictReplayBuffer(LazyTensorStorage(64), batch_size=32, prefetch=2) as rb:
        rb.extend(items(0, 64))
        end = threading.Event()

        def write():
            for n in range(1, 60):
                rb.extend(items(64 * n, 64))
            end.set()

        writer = threading.Thread(target=write)
        writer.start()
        while not end.is_set():
            td = rb.sample()
            assert torch.equal(td["next", "minus"].squeeze(-1), -td["n"].float())
            assert len(set((td["n"] // 64).tolist())) == 1
        writer.join()


def test_a_storage_that_holds_rows_already_is_sampled_from(tmp_path):
    LazyMemmapStorage(5, tmp_path).extend(items(0, 3))
    rb = TensorDictReplayBuffer(LazyMemmapStorage(5, tmp_path), PrioritizedSampler(5))
    assert set(rb.sample(50)["n"].tolist()) == {0, 1, 2}


@pytest.mark.parametrize("closed", [True, False])
def test_no_thread_outlives_the_buffer(closed):
    before = threading.active_count()
    rb = ReplayBuffer(prefetch=4)
    rb.extend([1, 2])
    rb.sample(2)
    if closed:
        rb.close()
        assert threading.active_count() == before
        assert len(rb.sample(2)) == 2  # it begins anew
    del rb
    end = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < end:
        gc.collect()  # it may have been fetching when the buffer was let go
        time.sleep(0.01)
    assert threading.active_count() == before


def test_a_sampler_of_another_capacity_is_refused_before_anything_is_written():
    storage = ListStorage(5)
    with pytest.raises(ValueError, match="max_capacity is 4 but the storage has 5 rows"):
        ReplayBuffer(storage, PrioritizedSampler(4))
    assert len(storage) == 0
