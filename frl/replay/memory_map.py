"""Rows in memory-mapped files: more than fits into memory, and there again after a crash."""

import os
import shutil
import struct
import tempfile
import weakref
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from frl import tree
from frl.replay.storages import LazyTensorStorage
from frl.tensordict import TensorDict

_STORAGE, _RING = "storage", "ring.bin"
_SLOT = struct.Struct("<6q")
_JOURNAL_ROWS = 1024


class _Commits:
    """Where the ring stands, in two slots of a mapped file that are written in turn, each with a checksum.

    A slot is (number, max_size, cursor, size, journalled, checksum). A process that dies while it writes one leaves the
    other.
    """

    def __init__(self, path: Path):
        if path.stat().st_size != 2 * _SLOT.size:
            raise ValueError(f"LazyMemmapStorage: {str(path)!r} is damaged: it must have {2 * _SLOT.size} bytes.")
        self._path = path
        array: Any = np.memmap(path, np.uint8, "r+")
        self._slots = memoryview(array)
        slots = [_SLOT.unpack_from(self._slots, i * _SLOT.size) for i in range(2)]
        self._number = max((slot[0] for slot in slots if slot == _signed(*slot[:5])), default=0)

    def read(self) -> tuple[int, ...]:
        """The last complete (max_size, cursor, size, journalled)."""
        if self._number == 0:
            raise ValueError(f"LazyMemmapStorage: {str(self._path)!r} is damaged: neither of its slots is complete.")
        return _SLOT.unpack_from(self._slots, self._number % 2 * _SLOT.size)[1:5]

    def write(self, max_size: int, cursor: int, size: int, journalled: int) -> None:
        self._number += 1
        slot = _signed(self._number, max_size, cursor, size, journalled)
        _SLOT.pack_into(self._slots, self._number % 2 * _SLOT.size, *slot)


def _signed(*slot: int) -> tuple[int, ...]:
    return *slot, zlib.crc32(repr(slot).encode()) + 1  # of zeros too it is not 0


class _Room:
    """Room on the disk for the first of `rows` rows of mapped files: to write where there is none kills the process."""

    def __init__(self, directory: Path, rows: int):
        self._files, self._rows, self._taken = list(directory.glob("*.bin")), rows, 0

    def take(self, count: int) -> None:
        """Takes room for `count` rows and some more. Raises: OSError if there is none."""
        if count <= self._taken or not hasattr(os, "posix_fallocate"):
            return
        ahead = min(self._rows, count + self._rows // 256)
        for path in self._files:
            size = path.stat().st_size // self._rows * ahead
            try:
                with path.open("r+b") as file:
                    if size > 0:
                        os.posix_fallocate(file.fileno(), 0, size)
            except OSError as error:
                raise OSError(error.errno, f"LazyMemmapStorage: there is no room for {size} bytes", str(path)) from None
        self._taken = ahead


class LazyMemmapStorage(LazyTensorStorage):
    """Rows of TensorDicts in memory-mapped files, which are made like the first items.

    A directory in which such a storage was kept is opened as it was: killed at any moment, a process leaves all writes
    that had returned, and of the one under way all rows or none, or, if it is longer than 1024 rows, the first of them.
    Against the loss of power, `flush`. Room on the disk is taken as rows are written.

    Args: directory: where the files are, or go; by default a temporary one that goes when the storage does.
    Raises: ValueError if the directory holds a storage of another `max_size`, or is damaged; OSError, by `extend`,
        which then writes nothing more, if the disk is full.

    >>> import torch
    >>> directory = tempfile.mkdtemp()
    >>> LazyMemmapStorage(4, directory).extend(TensorDict({"t": torch.arange(3)}, [3])).tolist()
    [0, 1, 2]
    >>> again = LazyMemmapStorage(4, directory)
    >>> len(again), again.get(torch.tensor([2]))["t"]
    (3, tensor([2]))
    """

    def __init__(self, max_size: int, directory: str | os.PathLike[str] | None = None):
        super().__init__(max_size)
        if directory is None:
            directory = tempfile.mkdtemp(prefix="frl-replay-")
            weakref.finalize(self, shutil.rmtree, directory, ignore_errors=True)
        self.directory = Path(directory)
        self._commits: _Commits | None = None
        self._journal: list[Tensor] = []
        if (self.directory / _STORAGE).exists():
            self._open()

    def add(self, item: Any) -> int:
        """Writes one TensorDict; returns its row."""
        return super().add(_tensordict(item))

    def extend(self, items: Any) -> Tensor:
        """Writes the rows of a TensorDict [M]."""
        return super().extend(_tensordict(items))

    def flush(self) -> None:
        """Returns when all that was written is on the disk."""
        for path in self.directory.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())

    def clear(self) -> None:
        """Forgets all rows."""
        super().clear()
        self._commit(0)

    def load_state(self, state: TensorDict) -> None:
        """Holds what the storage held whose `state` this was."""
        self.clear()
        super().load_state(state)
        self._commit(0)

    def _write(self, leaves: Sequence[Tensor], count: int) -> None:
        """Writes in pieces that fit into the journal, each complete before the ring moves on over it."""
        before = self.cursor, self._size
        most = self._journal[0].shape[0]
        for first in range(0, count, most):
            pieces = [x[first : first + most] for x in leaves] if count > most else leaves
            written = min(most, count - first)
            self._room.take(min(self.cursor + written, self.max_size))
            if self._size + written > self.max_size:  # over rows that a crash must not tear
                self._journal_room.take(written)
                for x, piece in zip(self._journal, pieces, strict=True):
                    x[:written] = piece
                self._commit(written)
            self._put(self._leaves, pieces, written)
            self._move(written)
        self.cursor, self._size = before

    def _move(self, count: int) -> None:
        self.cursor = (self.cursor + count) % self.max_size
        self._size = min(self._size + count, self.max_size)
        self._commit(0)

    def _commit(self, journalled: int) -> None:
        if self._commits is not None:
            self._commits.write(self.max_size, self.cursor, self._size, journalled)

    def _allocate(self, example: Any) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{_STORAGE}.", dir=self.directory))  # it gets its name when it is whole
        row = example[0]
        row.memmap_zeros(made / "rows", self.max_size)
        row.memmap_zeros(made / "journal", min(self.max_size, _JOURNAL_ROWS))
        (made / _RING).write_bytes(bytes(2 * _SLOT.size))
        _Commits(made / _RING).write(self.max_size, 0, 0, 0)
        made.rename(self.directory / _STORAGE)
        self._open()

    def _open(self) -> None:
        """Goes on where the last complete write ended."""
        root = self.directory / _STORAGE
        self._commits = _Commits(root / _RING)
        found = self._commits.read()
        if found[0] != self.max_size:
            raise ValueError(
                f"{type(self).__name__}: {str(self.directory)!r} holds a storage of {found[0]} rows but max_size is "
                f"{self.max_size}; open it with max_size={found[0]}, or take another directory."
            )
        self._adopt(TensorDict.load_memmap(root / "rows"))
        self._journal = tree.leaves(TensorDict.load_memmap(root / "journal"))
        self._room, self._journal_room = (
            _Room(root / "rows", self.max_size),
            _Room(root / "journal", len(self._journal[0])),
        )
        _, self.cursor, self._size, journalled = found
        if journalled:
            self._put(self._leaves, [x[:journalled] for x in self._journal], journalled)
            self._move(journalled)


class MemmapStorage(LazyMemmapStorage):
    """The rows of TensorDicts that a `LazyMemmapStorage` keeps, or kept, in a directory.

    Raises: FileNotFoundError if there are none; ValueError if the directory is damaged.

    >>> import torch
    >>> directory = tempfile.mkdtemp()
    >>> rows = LazyMemmapStorage(4, directory).extend(TensorDict({"t": torch.arange(3)}, [3]))
    >>> MemmapStorage(directory)
    MemmapStorage(max_size=4, len=3)
    """

    def __init__(self, directory: str | os.PathLike[str]):
        ring = Path(directory) / _STORAGE / _RING
        if not ring.is_file():
            raise FileNotFoundError(
                f"MemmapStorage: there is no storage in {str(directory)!r}; make one by LazyMemmapStorage(max_size, "
                "directory)."
            )
        super().__init__(_Commits(ring).read()[0], directory)


def _tensordict(items: Any) -> TensorDict:
    if not isinstance(items, TensorDict):
        raise TypeError(
            f"LazyMemmapStorage: it stores TensorDicts but got a {type(items).__name__}; make a TensorDict of it."
        )
    return items
