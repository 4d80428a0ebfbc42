"""The printed form, compared letter by letter."""

import textwrap

import torch
from torch import nn

from frl import TensorDict


def printed(text):
    return textwrap.dedent(text).strip()


def test_fields_come_by_key_and_keys_may_have_spaces():
    td = TensorDict({"key 2": torch.zeros(5, 5, 6, dtype=torch.bool), "key 1": torch.zeros(5, 3)}, [5])
    assert repr(td) == printed("""
        TensorDict(
            fields={
                key 1: Tensor(shape=torch.Size([5, 3]), device=cpu, dtype=torch.float32, is_shared=False),
                key 2: Tensor(shape=torch.Size([5, 5, 6]), device=cpu, dtype=torch.bool, is_shared=False)},
            batch_size=torch.Size([5]),
            device=None,
            is_shared=False)
    """)


def test_an_indexed_tensordict():
    td = TensorDict({"key 1": torch.zeros(5, 3), "key 2": torch.zeros(5, 5, 6, dtype=torch.bool)}, [5])
    assert str(td[2]) == printed("""
        TensorDict(
            fields={
                key 1: Tensor(shape=torch.Size([3]), device=cpu, dtype=torch.float32, is_shared=False),
                key 2: Tensor(shape=torch.Size([5, 6]), device=cpu, dtype=torch.bool, is_shared=False)},
            batch_size=torch.Size([]),
            device=None,
            is_shared=False)
    """)


def test_the_device_once_it_is_set():
    td = TensorDict({"key 1": torch.zeros(2, 5, 1)}, [2, 5]).to("cpu")
    assert repr(td) == printed("""
        TensorDict(
            fields={
                key 1: Tensor(shape=torch.Size([2, 5, 1]), device=cpu, dtype=torch.float32, is_shared=False)},
            batch_size=torch.Size([2, 5]),
            device=cpu,
            is_shared=False)
    """)


def test_shared_memory():
    td = TensorDict({"key 1": torch.zeros(2, 5, 1), "n": {"b": torch.zeros(2, 5)}}, [2, 5]).share_memory()
    assert repr(td) == printed("""
        TensorDict(
            fields={
                key 1: Tensor(shape=torch.Size([2, 5, 1]), device=cpu, dtype=torch.float32, is_shared=True),
                n: TensorDict(
                    fields={
                        b: Tensor(shape=torch.Size([2, 5]), device=cpu, dtype=torch.float32, is_shared=True)},
                    batch_size=torch.Size([2, 5]),
                    device=None,
                    is_shared=True)},
            batch_size=torch.Size([2, 5]),
            device=None,
            is_shared=True)
    """)


def test_nested_entries_with_a_longer_batch():
    inner = TensorDict({"sub 1": torch.zeros(5, 2, 1)}, [5, 2])
    assert repr(TensorDict({"key 1": torch.zeros(5, 3), "key 2": inner}, [5])) == printed("""
        TensorDict(
            fields={
                key 1: Tensor(shape=torch.Size([5, 3]), device=cpu, dtype=torch.float32, is_shared=False),
                key 2: TensorDict(
                    fields={
                        sub 1: Tensor(shape=torch.Size([5, 2, 1]), device=cpu, dtype=torch.float32, is_shared=False)},
                    batch_size=torch.Size([5, 2]),
                    device=None,
                    is_shared=False)},
            batch_size=torch.Size([5]),
            device=None,
            is_shared=False)
    """)


def test_parameters_and_empty_entries():
    td = TensorDict({"0": {"bias": nn.Parameter(torch.zeros(4))}, "1": {}})
    assert repr(td) == printed("""
        TensorDict(
            fields={
                0: TensorDict(
                    fields={
                        bias: Parameter(shape=torch.Size([4]), device=cpu, dtype=torch.float32, is_shared=False)},
                    batch_size=torch.Size([]),
                    device=None,
                    is_shared=False),
                1: TensorDict(
                    fields={
                    },
                    batch_size=torch.Size([]),
                    device=None,
                    is_shared=False)},
            batch_size=torch.Size([]),
            device=None,
            is_shared=False)
    """)


def test_rows_written_one_by_one_print_the_devices_of_the_rows():
    step = TensorDict({"action": torch.zeros(1), "next": {"reward": torch.zeros(1)}}, [], "cpu")
    assert repr(TensorDict({}, [100]).at[0].set(step)) == printed("""
        TensorDict(
            fields={
                action: Tensor(shape=torch.Size([100, 1]), device=cpu, dtype=torch.float32, is_shared=False),
                next: TensorDict(
                    fields={
                        reward: Tensor(shape=torch.Size([100, 1]), device=cpu, dtype=torch.float32, is_shared=False)},
                    batch_size=torch.Size([100]),
                    device=cpu,
                    is_shared=False)},
            batch_size=torch.Size([100]),
            device=None,
            is_shared=False)
    """)


def test_printing_inside_vmap_shows_the_shapes_that_the_function_sees():
    texts = []
    torch.func.vmap(lambda td: texts.append(repr(td)) or td)(TensorDict({"a": torch.zeros(4, 3)}, [4]))
    assert "a: Tensor(shape=torch.Size([3])" in texts[0]
    assert "batch_size=torch.Size([])" in texts[0]


def test_leaves_that_are_no_tensors_print_as_themselves():
    td = TensorDict({"a": torch.zeros(1)})
    assert "a: 3" in repr(td._map(lambda x: 3))
