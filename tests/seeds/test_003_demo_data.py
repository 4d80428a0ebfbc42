"""Seed document 003, its data: TensorDicts and replay buffers.

One sampled result is replaced by its law: what the plain buffer draws, three of its items with replacement. The rows
that the prioritised one draws, and the priorities of its tree, are those that are printed.
"""

from collections import Counter

import pytest
import torch

from frl import TensorDict
from frl.replay import PrioritizedReplayBuffer, ReplayBuffer, TensorDictPrioritizedReplayBuffer
from tests.seeds.printed import printed


def pair(fill, width):
    source = {"key 1": fill(5, width), "key 2": fill(5, 5, 6, dtype=torch.bool)}
    return TensorDict(source=source, batch_size=[5])


def stacked():
    return torch.stack([pair(torch.zeros, 1), pair(torch.ones, 1)], 0)


# ---- TensorDicts


def test_a_tensordict_prints_its_fields_and_its_batch_size():
    assert repr(pair(torch.zeros, 3)) == (
        "TensorDict(\n"
        "    fields={\n"
        "        key 1: Tensor(shape=torch.Size([5, 3]), device=cpu, dtype=torch.float32, is_shared=False),\n"
        "        key 2: Tensor(shape=torch.Size([5, 5, 6]), device=cpu, dtype=torch.bool, is_shared=False)},\n"
        "    batch_size=torch.Size([5]),\n"
        "    device=None,\n"
        "    is_shared=False)"
    )


def test_an_index_picks_from_the_batch_and_a_key_an_entry():
    td = pair(torch.zeros, 3)
    assert repr(td[2]) == printed({"key 1": "float32 3", "key 2": "bool 5 6"}, [])
    assert td["key 1"] is td.get("key 1")


def test_two_are_stacked():
    td = stacked()
    assert td.batch_size == torch.Size([2, 5])
    assert td["key 1"].tolist() == [[[0.0]] * 5, [[1.0]] * 5]


def test_the_batch_is_viewed_permuted_and_expanded():
    td = stacked()
    assert (td.view(-1).batch_size, td.view(-1).get("key 1").shape) == ((10,), (10, 1))
    assert (td.permute(1, 0).batch_size, td.permute(1, 0).get("key 1").shape) == ((5, 2), (5, 2, 1))
    wide = td.expand(3, *td.batch_size)
    assert (wide.batch_size, wide.get("key 1").shape) == ((3, 2, 5), (3, 2, 5, 1))


def test_it_is_moved_to_a_device_and_to_shared_memory():
    td, fields = stacked(), {"key 1": "float32 2 5 1", "key 2": "bool 2 5 5 6"}
    assert repr(td.to("cpu")) == printed(fields, [2, 5], "cpu")
    assert repr(td.share_memory()) == printed(fields, [2, 5], shared=True)
    assert repr(td) == printed(fields, [2, 5])  # another value: this one stays as it was


def test_a_nested_one_may_have_a_longer_batch():
    inner = TensorDict(source={"sub-key 1": torch.zeros(5, 2, 1)}, batch_size=[5, 2])
    td = TensorDict(source={"key 1": torch.zeros(5, 3), "key 2": inner}, batch_size=[5])
    assert repr(td) == (
        "TensorDict(\n"
        "    fields={\n"
        "        key 1: Tensor(shape=torch.Size([5, 3]), device=cpu, dtype=torch.float32, is_shared=False),\n"
        "        key 2: TensorDict(\n"
        "            fields={\n"
        "                sub-key 1: Tensor(shape=torch.Size([5, 2, 1]), device=cpu, dtype=torch.float32, "
        "is_shared=False)},\n"
        "            batch_size=torch.Size([5, 2]),\n"
        "            device=None,\n"
        "            is_shared=False)},\n"
        "    batch_size=torch.Size([5]),\n"
        "    device=None,\n"
        "    is_shared=False)"
    )


def test_it_is_copied_counted_and_brought_home():
    td = stacked()
    copy = td.clone()
    assert (copy == td).all() is True
    assert copy["key 1"].data_ptr() != td["key 1"].data_ptr()
    assert td.numel() == 10
    assert all(x.is_contiguous() for x in td.permute(1, 0).contiguous().values())
    sent = td.unsqueeze(0).to_tensordict().cpu()
    assert repr(sent) == printed({"key 1": "float32 1 2 5 1", "key 2": "bool 1 2 5 5 6"}, [1, 2, 5], "cpu")
    assert (sent.to("cpu", non_blocking=True)[0] == td).all() is True


# ---- replay buffers


def test_a_replay_buffer_keeps_things_of_any_kind():
    rb = ReplayBuffer(collate_fn=lambda x: x)
    rb.add(1)
    assert rb.sample(1) == [1]
    rb.extend([2, 3])
    assert len(rb.sample(3)) == 3
    count = Counter(rb.sample(3000))
    assert set(count) == {1, 2, 3}
    assert all(900 < n < 1100 for n in count.values())  # uniform; the deviation is 26


def test_a_prioritized_one_takes_priorities():
    rb = PrioritizedReplayBuffer(alpha=0.7, beta=1.1, collate_fn=lambda x: x)
    rb.add(1)
    assert rb.sample(1) == [1]
    rb.update_priority(1, 0.5)  # of a row that holds nothing yet
    assert rb.sampler.sum_tree[:2].tolist() == pytest.approx([1.0, 0.0])


def test_a_replay_buffer_of_tensordicts_stacks_them():
    rb = ReplayBuffer(collate_fn=torch.stack)
    rb.add(TensorDict({"a": torch.randn(3)}, batch_size=[]))
    assert len(rb) == 1
    rb.extend(TensorDict({"a": torch.randn(2, 3)}, batch_size=[2]))
    assert len(rb) == 3
    assert repr(rb.sample(10)) == printed({"a": "float32 10 3"}, [10])
    assert repr(rb.sample(2).contiguous()) == printed({"a": "float32 2 3"}, [2])


def prioritized():
    torch.manual_seed(0)  # as the document does: of its numbers, those that torch's generator draws are the same here
    rb = TensorDictPrioritizedReplayBuffer(alpha=0.7, beta=1.1, priority_key="td_error")
    rb.extend(TensorDict({"a": torch.randn(2, 3)}, batch_size=[2]))
    return rb, rb.sample(2).contiguous()


def test_a_sample_by_priority_has_weights_and_rows():
    _, sample = prioritized()
    assert repr(sample) == printed({"_weight": "float32 2", "a": "float32 2 3", "index": "int64 2"}, [2])
    assert sample["index"].tolist() == [1, 0]  # the buffer's own first seed draws them in the order that is printed
    assert sample["_weight"].tolist() == [1.0, 1.0]


def test_the_tree_holds_the_priorities_to_the_power_alpha():
    rb, sample = prioritized()
    rb.update_tensordict_priority(sample.set("td_error", torch.rand(2)))
    tree = rb.sampler.sum_tree[: len(rb) + 1].tolist()
    assert tree == pytest.approx([0.28791671991348267, 0.06984967738389969, 0.0], abs=1e-7)
