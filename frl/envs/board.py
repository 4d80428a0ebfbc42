"""Memory that a process shares with those it starts, without a name, and the tensors of several environments in it."""

import math
import mmap
import os
import tempfile
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from frl import tree
from frl.envs.outline import Outline

_ALIGNMENT = 64
Size = tuple[torch.Size, torch.dtype]


class Board(NamedTuple):
    """Tensors [num_workers, *B, ...] in shared memory, of which each worker reads and writes its own row.

    The leaves of what came of a step, of where the environments stand, and of what a step is given, in the order of
    the trees of their outline; and the keys, [num_workers, 2].
    """

    after: list[Tensor]
    following: list[Tensor]
    given: list[Tensor]
    keys: Tensor


def allocate(owner: str, outline: Outline, num_workers: int) -> int:
    """A file descriptor of memory for one board; see `reserve`."""
    return reserve(owner, _sizes(outline, num_workers))


def board(fd: int, outline: Outline, num_workers: int) -> Board:
    """The board in that memory, whose descriptor may be closed afterwards."""
    shared = iter(tensors(fd, _sizes(outline, num_workers)))
    parts = [[next(shared) for _ in tree.leaves(part)] for part in (outline.after, outline.begin, outline.given)]
    return Board(parts[0], parts[1], parts[2], next(shared))


def reserve(owner: str, sizes: Sequence[Size]) -> int:
    """A file descriptor of memory for these tensors: it has no name, so the kernel frees it with its last user.

    Raises: OSError that names the size if there is not so much memory.
    """
    size = max(_extent(sizes)[1], 1)
    fd = -1
    try:
        fd = os.memfd_create("frl") if hasattr(os, "memfd_create") else _unnamed_file()
        # Reserved here, for a page that is missing later would end the process that touches it by SIGBUS.
        os.posix_fallocate(fd, 0, size) if hasattr(os, "posix_fallocate") else os.truncate(fd, size)
    except OSError as error:
        if fd >= 0:
            os.close(fd)
        raise OSError(
            error.errno, f"{owner}: {size / 2**20:.0f} MiB of shared memory are not to be had ({error}); free some"
        ) from error
    return fd


def tensors(fd: int, sizes: Sequence[Size]) -> list[Tensor]:
    """The tensors in that memory, whose descriptor may be closed afterwards.

    >>> sizes = [(torch.Size([2]), torch.float32), (torch.Size([]), torch.int64)]
    >>> fd = reserve("an example", sizes)
    >>> tensors(fd, sizes)[0].fill_(1.0), tensors(fd, sizes), os.close(fd)
    (tensor([1., 1.]), [tensor([1., 1.]), tensor(0)], None)
    """
    starts, size = _extent(sizes)
    memory = mmap.mmap(fd, max(size, 1))
    return [_tensor(memory, start, *each) for start, each in zip(starts, sizes, strict=True)]


def view(x: Tensor) -> Any:
    """The tensor as an array of the same memory, which is copied more quickly, or itself if NumPy lacks its dtype.

    >>> type(view(torch.zeros(2))).__name__, type(view(torch.zeros(2, dtype=torch.bfloat16))).__name__
    ('ndarray', 'Tensor')
    """
    try:
        return x.numpy()
    except TypeError:
        return x


def copy(x: Any) -> Tensor:
    """A tensor of its own memory, of what `view` returned.

    >>> x = torch.zeros(2)
    >>> y, _ = copy(view(x)), x.add_(1)
    >>> y
    tensor([0., 0.])
    """
    return x.clone() if isinstance(x, Tensor) else torch.from_numpy(x.copy())


def _sizes(outline: Outline, num_workers: int) -> list[Size]:
    leaves = [x for part in (outline.after, outline.begin, outline.given) for x in tree.leaves(part)]
    return [(torch.Size([num_workers, *x.shape]), x.dtype) for x in (*leaves, torch.zeros(2, dtype=torch.int64))]


def _extent(sizes: Sequence[Size]) -> tuple[list[int], int]:
    """Where each tensor begins, in bytes, and where the last one ends."""
    starts, end = [], 0
    for shape, dtype in sizes:
        starts.append(end)
        end += math.ceil(shape.numel() * dtype.itemsize / _ALIGNMENT) * _ALIGNMENT
    return starts, end


def _tensor(memory: mmap.mmap, start: int, shape: torch.Size, dtype: torch.dtype) -> Tensor:
    if shape.numel() == 0:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(memory, dtype=dtype, count=shape.numel(), offset=start).reshape(shape)


def _unnamed_file() -> int:
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
