"""Memory-mapped directories."""

import pytest
import torch

from frl import TensorDict


@pytest.fixture
def td():
    return TensorDict({"a/b": torch.arange(6).reshape(3, 2), "n": {"b": torch.zeros(3, 0)}, "e": {}}, [3], "cpu")


def test_what_is_mapped_is_loaded(td, tmp_path):
    mapped, loaded = td.memmap(tmp_path / "data"), TensorDict.load_memmap(tmp_path / "data")
    for result in (mapped, loaded):
        assert (result == td).all()
        assert list(result.keys(True)) == list(td.keys(True))
        assert result.batch_size == result["e"].batch_size == torch.Size([3])
        assert result.device == torch.device("cpu")


def test_a_write_into_a_mapped_entry_reaches_the_files(td, tmp_path):
    td.memmap(tmp_path)["a/b"][1] = 7
    assert TensorDict.load_memmap(tmp_path)["a/b"].tolist() == [[0, 1], [7, 7], [4, 5]]
    assert td["a/b"][1].tolist() == [2, 3]


@pytest.mark.parametrize("dtype", [torch.bool, torch.bfloat16, torch.float64])
def test_dtypes_are_kept(dtype, tmp_path):
    td = TensorDict({"a": torch.tensor([0, 1]).to(dtype), "scalar": torch.tensor(1).to(dtype)})
    assert (td.memmap(tmp_path) == td).all()
    assert TensorDict.load_memmap(tmp_path)["scalar"].shape == torch.Size([])
    assert TensorDict.load_memmap(tmp_path)["a"].dtype == dtype


def test_a_directory_is_not_written_twice(td, tmp_path):
    td.memmap(tmp_path)
    with pytest.raises(ValueError, match="holds a TensorDict already"):
        td.memmap(tmp_path)


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        TensorDict.load_memmap(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "damage",
    [
        lambda root: (root / "0.bin").write_bytes(b"x"),
        lambda root: (root / "0.bin").unlink(),
        lambda root: (root / "tensordict.json").write_text("{"),
        lambda root: (root / "tensordict.json").write_text('{"arrays": {}}'),
    ],
)
def test_a_damaged_directory_is_named(td, tmp_path, damage):
    td.memmap(tmp_path / "data")
    damage(tmp_path / "data")
    with pytest.raises(ValueError, match=r"data' is damaged"):
        TensorDict.load_memmap(tmp_path / "data")


def test_files_of_zeros_are_made_for_many_like_one_without_taking_room(tmp_path):
    one = TensorDict({"pixels": torch.ones(84, 84), "next": {"reward": torch.ones(1)}})
    many = one.memmap_zeros(tmp_path, 10_000)
    assert many.batch_size == many["next"].batch_size == (10_000,)
    assert not many["pixels"][9_999].any()
    assert (tmp_path / "1.bin").stat().st_blocks * 512 < 10_000 * 84
    with pytest.raises(ValueError, match="holds a TensorDict already"):
        one.memmap_zeros(tmp_path, 1)
