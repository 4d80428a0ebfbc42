"""Saving to and loading from safetensors files."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from frl import TensorDict


@pytest.fixture
def td():
    inner = TensorDict({"b": torch.arange(6, dtype=torch.int64).reshape(3, 2)}, [3, 2])
    return TensorDict({"a.b": torch.rand(3, 2, generator=torch.Generator()), "n": inner, "e": {"f": {}}}, [3])


def same(x, y):
    assert list(x.keys(True)) == list(y.keys(True))
    assert (x == y).all()
    for key in x.keys(True):
        assert type(x[key]) is type(y[key])
        assert getattr(x[key], "batch_size", None) == getattr(y[key], "batch_size", None)


def test_what_is_saved_is_loaded(td, tmp_path):
    td.save(tmp_path / "td")
    same(TensorDict.load(tmp_path / "td"), td)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int32, torch.float16, torch.bfloat16, torch.float64])
def test_dtypes_and_bits_are_kept(dtype, tmp_path):
    td = TensorDict({"a": torch.tensor([0, 1, 1]).to(dtype), "empty": torch.zeros(3, 0, dtype=dtype)}, [3])
    td.save(tmp_path / "td")
    loaded = TensorDict.load(tmp_path / "td")
    assert loaded["a"].dtype == dtype
    assert loaded["a"].equal(td["a"])
    assert loaded["empty"].shape == torch.Size([3, 0])


def test_entries_that_share_memory_or_are_not_contiguous_are_saved(tmp_path):
    x = torch.arange(6.0).reshape(2, 3)
    td = TensorDict({"row": x[0], "column": x[:, 1], "all": x.T, "grad": torch.nn.Parameter(x)})
    td.save(tmp_path / "td")
    assert (TensorDict.load(tmp_path / "td") == td).all()


def test_an_empty_root_keeps_its_batch_size(tmp_path):
    TensorDict({}, [100]).save(tmp_path / "td")
    assert TensorDict.load(tmp_path / "td").batch_size == torch.Size([100])


def test_the_device_is_kept_and_can_be_chosen(td, tmp_path):
    td.cpu().save(tmp_path / "td")
    assert TensorDict.load(tmp_path / "td").device == torch.device("cpu")
    assert TensorDict.load(tmp_path / "td", device="meta")["n", "b"].device.type == "meta"


def test_other_tools_read_the_leaves_by_their_dotted_names(td, tmp_path):
    td.save(tmp_path / "td")
    assert set(load_file(tmp_path / "td")) == {"a\\.b", "n.b"}


def test_a_save_replaces_the_file_and_leaves_no_other(td, tmp_path):
    td.save(tmp_path / "td")
    (td + 1).save(tmp_path / "td")
    same(TensorDict.load(tmp_path / "td"), td + 1)
    assert [path.name for path in tmp_path.iterdir()] == ["td"]


def test_a_save_that_fails_leaves_the_file_as_it_was(td, tmp_path, monkeypatch):
    td.save(tmp_path / "td")

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        (td + 1).save(tmp_path / "td")
    same(TensorDict.load(tmp_path / "td"), td)
    assert [path.name for path in tmp_path.iterdir()] == ["td"]


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_a_truncated_file_is_named(td, tmp_path, keep):
    path = tmp_path / "weights.safetensors"
    td.save(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"weights\.safetensors' is damaged"):
        TensorDict.load(path)


def test_a_file_of_another_kind_is_named(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "other")
    with pytest.raises(ValueError, match="no TensorDict was saved in it"):
        TensorDict.load(tmp_path / "other")
    with pytest.raises(FileNotFoundError, match="missing"):
        TensorDict.load(tmp_path / "missing")


def test_a_description_that_does_not_fit_the_leaves_is_named(tmp_path):
    text = '{"batch_size": [2], "device": null, "entries": {"a": "b"}}'
    save_file({"a": torch.zeros(2)}, tmp_path / "td", {"frl.TensorDict": text})
    with pytest.raises(ValueError, match="does not fit its leaves"):
        TensorDict.load(tmp_path / "td")
