import contextlib
import multiprocessing
import os
import random
import resource
import time
from pathlib import Path

import pytest
import torch

from frl import TensorDict
from frl.training import checkpoint
from frl.training.checkpoint import CorruptCheckpoint, discard, load, load_latest, save
from tests.training.faulty_disk import Disk, Killed, save_for_ever


def state(value: float) -> TensorDict:
    return TensorDict({"w": torch.full((3,), value), "key": torch.tensor([1, 2]), "done": torch.tensor(True)})


def value(directory: Path) -> float:
    return load_latest(directory).state["w"][0].item()


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_checkpoint_comes_back_with_its_step_and_metadata(tmp_path: Path):
    path = save(tmp_path, state(1.0), 100352, {"config": {"seed": 3, "rate": 2.5e-4}})
    assert path == tmp_path / "step_000000100352"
    found = load(path)
    assert torch.equal(found.state["w"], torch.ones(3))
    assert (found.step, found.metadata) == (100352, {"config": {"seed": 3, "rate": 2.5e-4}})


def test_the_latest_is_the_highest_step(tmp_path: Path):
    for step in (9, 10, 2):
        save(tmp_path, state(step), step)
    assert value(tmp_path) == 10


def test_only_the_newest_are_kept(tmp_path: Path):
    for step in range(5):
        save(tmp_path, state(step), step, keep=2)
    assert names(tmp_path) == ["step_000000000003", "step_000000000004"]


def test_saving_the_same_state_again_changes_nothing(tmp_path: Path):
    path = save(tmp_path, state(1.0), 1)
    before = (path / "manifest.json").stat().st_mtime_ns
    assert save(tmp_path, state(1.0), 1) == path
    assert (path / "manifest.json").stat().st_mtime_ns == before


def test_a_valid_checkpoint_is_never_overwritten(tmp_path: Path):
    save(tmp_path, state(1.0), 1)
    with pytest.raises(FileExistsError, match="holds another state of step 1; save to another directory"):
        save(tmp_path, state(2.0), 1)
    assert value(tmp_path) == 1.0


def test_a_corrupt_checkpoint_of_the_same_step_is_replaced(tmp_path: Path):
    (save(tmp_path, state(1.0), 1) / "state.safetensors").write_bytes(b"")
    save(tmp_path, state(2.0), 1)
    assert value(tmp_path) == 2.0


def test_corrupt_newer_checkpoints_do_not_push_out_what_is_saved(tmp_path: Path):
    for step in (1, 8, 9):
        path = save(tmp_path, state(step), step)
        if step > 1:
            (path / "manifest.json").unlink()
    save(tmp_path, state(2.0), 2, keep=1)
    assert value(tmp_path) == 2.0


def test_the_latest_falls_back_past_a_corrupt_one_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    save(tmp_path, state(1.0), 1)
    newest = save(tmp_path, state(2.0), 2)
    (newest / "state.safetensors").write_bytes(b"torn")
    assert value(tmp_path) == 1.0
    warning = capsys.readouterr().err
    assert warning.count("\n") == 1
    assert "step_000000000002/state.safetensors is corrupt" in warning


def test_when_all_are_corrupt_the_newest_is_named(tmp_path: Path):
    for step in (1, 2):
        (save(tmp_path, state(step), step) / "manifest.json").write_text("{}")
    with pytest.raises(CorruptCheckpoint, match="step_000000000002"):
        load_latest(tmp_path)


def test_missing_directories_are_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="holds no checkpoint"):
        load_latest(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no directory"):
        load(tmp_path / "step_000000000001")


@pytest.mark.parametrize(("step", "keep"), [(-1, 3), (0, 0)])
def test_a_negative_step_and_an_empty_history_are_refused(tmp_path: Path, step: int, keep: int):
    with pytest.raises(ValueError, match=f"step is {step} and keep is {keep}"):
        save(tmp_path, state(1.0), step, keep=keep)


@pytest.mark.parametrize("name", ["state.safetensors", "manifest.json"])
def test_every_flipped_byte_is_detected(tmp_path: Path, name: str):
    file = save(tmp_path, state(1.0), 1) / name
    data = file.read_bytes()
    for i in range(len(data)):
        file.write_bytes(data[:i] + bytes([data[i] ^ (1 << i % 8)]) + data[i + 1 :])
        with pytest.raises(CorruptCheckpoint) as caught:
            load(file.parent)
        assert caught.value.file == file


@pytest.mark.parametrize("name", ["state.safetensors", "manifest.json"])
def test_every_other_length_is_detected(tmp_path: Path, name: str):
    file = save(tmp_path, state(1.0), 1) / name
    data = file.read_bytes()
    for other in [*(data[:i] for i in range(len(data))), data + b"\0", data + b"\n", data + data, bytes(len(data))]:
        file.write_bytes(other)
        with pytest.raises(CorruptCheckpoint) as caught:
            load(file.parent)
        assert caught.value.file == file


@pytest.mark.parametrize("name", ["state.safetensors", "manifest.json"])
def test_a_missing_file_is_detected(tmp_path: Path, name: str):
    file = save(tmp_path, state(1.0), 1) / name
    file.unlink()
    with pytest.raises(CorruptCheckpoint, match="expected a file, got No such file"):
        load(file.parent)


def test_a_state_of_another_checkpoint_is_detected(tmp_path: Path):
    old, new = save(tmp_path, state(1.0), 1), save(tmp_path, state(2.0), 2)
    os.replace(old / "state.safetensors", new / "state.safetensors")
    with pytest.raises(CorruptCheckpoint, match=r"state.safetensors is corrupt"):
        load(new)


def test_a_format_of_the_future_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoint, "FORMAT", 2)
    path = save(tmp_path, state(1.0), 1)
    monkeypatch.undo()
    with pytest.raises(CorruptCheckpoint, match="expected format 1, got format 2"):
        load(path)


def test_a_pickle_is_not_a_checkpoint(tmp_path: Path):
    path = save(tmp_path, state(1.0), 1)
    torch.save({"w": torch.ones(3)}, path / "state.safetensors")
    with pytest.raises(CorruptCheckpoint):
        load(path)


@pytest.mark.parametrize("renames_survive", [True, False])
@pytest.mark.parametrize("earlier", [True, False])
def test_a_crash_at_any_call_leaves_the_old_or_the_new(tmp_path: Path, earlier: bool, renames_survive: bool):
    """All k: the process stops at its k-th call, and what was not yet synced is lost."""
    k, outcomes = 0, set[float | None]()
    while True:
        directory = tmp_path / str(k)
        if earlier:
            save(directory, state(1.0), 1)
        disk = Disk(fail_at=k)
        try:
            with disk.installed():
                save(directory, state(2.0), 2, keep=1)
        except Killed:
            disk.lose_what_was_not_synced(renames_survive)
        else:
            break
        try:
            outcomes.add(value(directory))
        except FileNotFoundError:
            outcomes.add(None)
        save(directory, state(3.0), 3)
        assert value(directory) == 3.0
        assert not list(directory.glob(".tmp-*"))
        k += 1
    assert k >= 10
    old = 1.0 if earlier else None
    assert outcomes == ({old, 2.0} if earlier or renames_survive else {old})


def test_a_full_disk_at_any_call_raises_and_leaves_the_old_or_the_new(tmp_path: Path):
    k = 0
    while True:
        directory = tmp_path / str(k)
        save(directory, state(1.0), 1)
        disk = Disk(fail_at=k, full=True)
        with disk.installed(), contextlib.suppress(OSError):
            save(directory, state(2.0), 2)
        if disk.calls <= k:
            break
        assert value(directory) in (1.0, 2.0)
        assert not list(directory.glob(".tmp-*"))
        k += 1
    assert k >= 8


def test_a_full_disk_is_named_with_what_was_to_be_written(tmp_path: Path):
    with (
        Disk(fail_at=2, full=True).installed(),
        pytest.raises(OSError, match=r"\d+ bytes could not be written to .*step_000000000002: No space left on device"),
    ):
        save(tmp_path, state(2.0), 2)


def test_a_limit_on_the_size_of_files_raises_and_leaves_the_old(tmp_path: Path):
    save(tmp_path, state(1.0), 1)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(
            OSError, match=r"40\d\d\d bytes could not be written to .*step_000000000002: File too large"
        ):
            save(tmp_path, TensorDict({"w": torch.zeros(10000)}), 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names(tmp_path) == ["step_000000000001"]


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        save(tmp_path / "file" / "checkpoints", state(1.0), 1)


def test_a_process_killed_while_saving_leaves_a_valid_checkpoint(tmp_path: Path):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.training.faulty_disk"])
    generator = random.Random(0)
    save(tmp_path, TensorDict({"w": torch.zeros(20000)}), 0)
    for _ in range(8):
        child = context.Process(target=save_for_ever, args=(str(tmp_path),))
        before = set(names(tmp_path))
        child.start()
        while set(names(tmp_path)) <= before:
            assert child.is_alive()
            time.sleep(0.001)
        time.sleep(generator.uniform(0, 0.02))
        child.kill()
        child.join()
        found = load_latest(tmp_path)
        assert torch.equal(found.state["w"], torch.full((20000,), float(found.step)))


def test_what_is_discarded_is_gone_and_what_is_earlier_stays(tmp_path: Path):
    for step in (1, 5, 9):
        save(tmp_path, TensorDict({"w": torch.tensor(step)}), step)
    discard(tmp_path, 10)
    assert load_latest(tmp_path).step == 9
    discard(tmp_path, 5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_000000000001"]
    discard(tmp_path / "none", 0)
