"""Device, dtype, memory, plain containers."""

import numpy as np
import pytest
import torch

from frl import TensorDict


@pytest.fixture
def td():
    return TensorDict({"a": torch.ones(2, 3), "n": {"b": torch.ones(2)}}, [2])


def test_to_a_device_names_it_everywhere(td):
    new = td.to("meta")
    assert new.device == new["n"].device == new["a"].device == torch.device("meta")
    assert td.device is None
    assert td.cpu().device == torch.device("cpu")


def test_without_device_undoes_it(td):
    assert td.cpu().without_device()["n"].device is None


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("float", torch.float32),
        ("double", torch.float64),
        ("half", torch.float16),
        ("bfloat16", torch.bfloat16),
        ("int", torch.int32),
        ("long", torch.int64),
        ("bool", torch.bool),
    ],
)
def test_conversions_reach_every_entry(td, name, dtype):
    assert getattr(td, name)()["n", "b"].dtype == dtype
    assert td.to(dtype)["a"].dtype == dtype


def test_clone_owns_its_memory(td):
    assert td.clone()["a"].data_ptr() != td["a"].data_ptr()
    assert (td.clone() == td).all()


def test_contiguous_makes_every_entry_contiguous():
    td = TensorDict({"a": torch.zeros(2, 3)}, [2, 3]).permute(1, 0)
    assert not td.is_contiguous()
    assert td.contiguous().is_contiguous()


def test_detach_drops_the_gradient_history():
    td = TensorDict({"a": torch.ones(2, requires_grad=True) * 2}, [2])
    assert td["a"].requires_grad
    assert not td.detach()["a"].requires_grad


def test_share_memory_gives_shared_entries_and_leaves_the_input(td):
    shared = td.share_memory()
    assert shared.is_shared() is True
    assert td.is_shared() is False
    assert (shared == td).all()
    assert shared.share_memory()["a"] is shared["a"]


def test_an_empty_tensordict_is_not_shared():
    assert TensorDict({}, [2]).is_shared() is False


def test_plain_containers(td):
    assert td.to_dict()["n"]["b"] is td["n", "b"]
    assert isinstance(td.numpy()["n"]["b"], np.ndarray)
    assert td.to_tensordict() is td


def test_unsqueeze_to_tensordict_cpu_reads_as_in_a_loop(td):
    assert td.unsqueeze(0).to_tensordict().cpu().batch_size == torch.Size([1, 2])
