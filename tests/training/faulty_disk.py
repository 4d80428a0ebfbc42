"""A disk that fails: it stops the process, or is full, at a given system call, and forgets what was not synced."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from frl import TensorDict
from frl.training import checkpoint


class Killed(BaseException):
    """The process stops here: no handler of errors runs."""


class Disk:
    """Stands for `os` in the checkpoint module and counts its calls; number `fail_at` fails before it acts."""

    def __init__(self, fail_at: int, full: bool = False):
        self.calls, self.fail_at, self.full = 0, fail_at, full
        self.open_files: dict[int, Path] = {}
        self.unsynced_data: set[Path] = set()
        self.unsynced_entries: set[Path] = set()
        self.unsynced_renames: list[tuple[Path, Path]] = []

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        with mock.patch.object(checkpoint, "os", self):
            yield

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def _count(self) -> None:
        self.calls += 1
        if self.calls - 1 == self.fail_at:
            if self.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise Killed

    def mkdir(self, path: Path) -> None:
        self._count()
        os.mkdir(path)

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        self._count()
        descriptor = os.open(path, flags, mode)
        self.open_files[descriptor] = path
        if flags & os.O_CREAT:
            self.unsynced_entries.add(path)
        return descriptor

    def write(self, descriptor: int, data: Any) -> int:
        self._count()
        self.unsynced_data.add(self.open_files[descriptor])
        return os.write(descriptor, bytes(data[: len(data) // 2 + 1]))  # a short write, as a full pipe or disk makes

    def fsync(self, descriptor: int) -> None:
        self._count()
        path = self.open_files[descriptor]
        self.unsynced_data.discard(path)
        self.unsynced_entries -= {entry for entry in self.unsynced_entries if entry.parent == path}
        self.unsynced_renames = [pair for pair in self.unsynced_renames if pair[1].parent != path]

    def rename(self, old: Path, new: Path) -> None:
        self._count()
        os.rename(old, new)
        self.unsynced_renames.append((old, new))

    def lose_what_was_not_synced(self, renames_survive: bool) -> None:
        for path in self.unsynced_data:
            if path.exists():
                os.truncate(path, path.stat().st_size // 2)
        for path in self.unsynced_entries:
            path.unlink(missing_ok=True)
        for old, new in self.unsynced_renames:
            if not renames_survive and new.exists():
                shutil.move(new, old)


def save_for_ever(directory: str) -> None:
    torch.set_num_threads(1)
    step = max([int(path.name[5:]) for path in Path(directory).glob("step_*")], default=0)
    while True:
        step += 1
        checkpoint.save(directory, TensorDict({"w": torch.full((20000,), float(step))}), step, keep=2)
