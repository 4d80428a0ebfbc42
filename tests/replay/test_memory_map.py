"""Memory-mapped storage: there again after any end of its process, whole rows only."""

import errno
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from frl import TensorDict
from frl.replay import LazyMemmapStorage, MemmapStorage, memory_map
from frl.replay.storages import LazyTensorStorage
from tests.replay.test_storages import items, numbers


class DeathError(Exception):
    """What ends a write half-way in these tests."""


def written(directory, max_size: int = 5) -> list[int]:
    """The numbers in a fresh opening, oldest first."""
    storage = LazyMemmapStorage(max_size, directory)
    rows = [(storage.cursor - len(storage) + i) % max_size for i in range(len(storage))]
    return numbers(storage, rows)


def test_it_opens_where_it_was_and_goes_on(tmp_path):
    LazyMemmapStorage(5, tmp_path).extend(items(0, 7))
    storage = MemmapStorage(tmp_path)
    assert (len(storage), storage.cursor) == (5, 2)
    storage.extend(items(7, 2))
    assert written(tmp_path) == [4, 5, 6, 7, 8]


class Mortal:
    """Steps of which the one number `moment` is done by half, and ends everything."""

    def __init__(self, moment: int):
        self.left = moment

    def step(self, half, whole):
        self.left -= 1
        if self.left < 0:
            half()
            raise DeathError
        whole()


def extend_until(moment: int, storage: LazyMemmapStorage, new: TensorDict, monkeypatch) -> bool:
    """Extends the storage, but dies in the given moment; returns whether it lived to the end."""
    put, commit, life = LazyTensorStorage._put, memory_map._Commits.write, Mortal(moment)

    def mortal_put(self, rows, leaves, count):
        torn = [torch.full_like(x, 99) for x in leaves[:1]]  # garbage in one leaf, nothing in the other
        life.step(lambda: put(self, rows[:1], torn, count), lambda: put(self, rows, leaves, count))

    def mortal_commit(self, *ring):
        start = (self._number + 1) % 2 * 48
        half = lambda: self._slots.__setitem__(slice(start, start + 20), bytes(20))  # noqa: E731
        life.step(half, lambda: commit(self, *ring))

    with monkeypatch.context() as patch:
        patch.setattr(LazyTensorStorage, "_put", mortal_put)
        patch.setattr(memory_map._Commits, "write", mortal_commit)
        try:
            storage.extend(new)
        except DeathError:
            return False
    return True


@pytest.mark.parametrize("journal", [1, 2, 1024])
@pytest.mark.parametrize("before", [0, 3, 5, 7])
def test_ended_in_any_moment_of_a_write_it_has_whole_rows_of_it_in_order(before, journal, tmp_path, monkeypatch):
    monkeypatch.setattr(memory_map, "_JOURNAL_ROWS", journal)
    ended, moment = False, 0
    while not ended:
        storage = LazyMemmapStorage(5, tmp_path / str(moment))
        for n in range(before + 1):
            storage.extend(items(n, 1))
        ended = extend_until(moment, storage, items(before + 1, 3), monkeypatch)
        found = written(tmp_path / str(moment))
        last = found[-1]
        assert found == list(range(last + 1))[-5:]
        assert last in ((before, before + 3) if journal == 1024 else range(before, before + 4))
        assert not ended or last == before + 3
        moment += 1
    assert moment >= 3


WRITER = """
import sys, torch
from frl.replay import LazyMemmapStorage
from tests.replay.test_storages import items
torch.set_num_threads(1)
storage = LazyMemmapStorage(50, sys.argv[1])
for n in range(0, 10**9, 3):
    storage.extend(items(n, 3))
    if n == 30:
        print("going", flush=True)
"""


@pytest.mark.slow
def test_killed_it_has_whole_rows_in_order(tmp_path):
    for i in range(4):
        directory = tmp_path / str(i)
        with subprocess.Popen([sys.executable, "-c", WRITER, str(directory)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.03 * i + 0.001)
            os.kill(process.pid, signal.SIGKILL)
        found = written(directory, 50)
        assert len(found) >= 33
        assert found == list(range(found[0], found[-1] + 1))
        assert (found[-1] + 1) % 3 == 0


def test_an_unfinished_directory_is_made_anew(tmp_path):
    (tmp_path / ".storage.abc").mkdir()
    (tmp_path / ".storage.abc" / "rows").mkdir()
    LazyMemmapStorage(5, tmp_path).extend(items(0, 2))
    assert written(tmp_path) == [0, 1]


def test_another_capacity_and_damage_are_refused_by_name(tmp_path):
    LazyMemmapStorage(5, tmp_path).extend(items(0, 2))
    with pytest.raises(ValueError, match="holds a storage of 5 rows but max_size is 6; open it with max_size=5"):
        LazyMemmapStorage(6, tmp_path)
    ring = tmp_path / "storage" / "ring.bin"
    np.memmap(ring, np.int64, "r+")[:] += 1
    with pytest.raises(ValueError, match="damaged: neither of its slots is complete"):
        MemmapStorage(tmp_path)
    ring.write_bytes(b"short")
    with pytest.raises(ValueError, match="damaged: it must have 96 bytes"):
        MemmapStorage(tmp_path)


def test_a_temporary_directory_goes_with_its_storage():
    storage = LazyMemmapStorage(5)
    storage.extend(items(0, 2))
    directory = storage.directory
    assert directory.exists()
    del storage
    assert not directory.exists()


def test_room_is_taken_on_the_disk_as_rows_are_written(tmp_path):
    storage = LazyMemmapStorage(10_000, tmp_path)
    storage.extend(TensorDict({"pixels": torch.ones(2, 84 * 84)}, [2]))
    file = next(tmp_path.rglob("rows/0.bin")).stat()
    assert file.st_size == 10_000 * 84 * 84 * 4
    assert file.st_blocks * 512 < file.st_size / 100


def test_a_full_disk_is_an_error_and_what_was_written_stays(tmp_path, monkeypatch):
    storage = LazyMemmapStorage(5, tmp_path)
    storage.extend(items(0, 3))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        with pytest.raises(OSError, match=r"there is no room for \d+ bytes.*storage/rows/.\.bin"):
            storage.extend(items(3, 2))
        assert written(tmp_path) == [0, 1, 2]
    storage.extend(items(3, 2))
    assert written(tmp_path) == [0, 1, 2, 3, 4]


def test_flushed_and_refused_kinds(tmp_path):
    storage = LazyMemmapStorage(5, tmp_path)
    storage.flush()
    storage.extend(items(0, 2))
    storage.flush()
    with pytest.raises(TypeError, match="it stores TensorDicts but got a dict"):
        storage.extend({"n": torch.zeros(2)})
