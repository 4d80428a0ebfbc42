import os

import pytest
import torch

from frl import random, tree
from frl.envs import board as boards
from frl.envs.board import allocate, board, copy, view
from frl.envs.outline import outline, sketch
from tests.envs.faulty import ALIKE

KEY = random.key(0)


def outline_of(name):
    env = ALIKE[name]()
    return outline(sketch(env, env.reset(KEY)))


@pytest.mark.parametrize("name", ALIKE)
def test_every_entry_has_memory_of_its_own_that_others_see(name):
    shown = outline_of(name)
    fd = allocate("a test", shown, 3)
    ours, theirs = board(fd, shown, 3), board(fd, shown, 3)
    os.close(fd)
    parts = [(*each.after, *each.following, *each.given, each.keys) for each in (ours, theirs)]
    templates = [x for part in (shown.after, shown.begin, shown.given) for x in tree.leaves(part)]
    assert [(x.shape, x.dtype) for x in parts[0][:-1]] == [((3, *x.shape), x.dtype) for x in templates]
    for i, x in enumerate(parts[0]):
        x.fill_(i % 2 == 1)
    assert all(bool((x == (i % 2 == 1)).all()) for i, x in enumerate(parts[1]))


def test_the_memory_has_no_name_and_goes_with_its_last_user():
    def mapped():
        with open("/proc/self/maps") as file:
            return sum("memfd:frl" in line for line in file)

    shown, before, fds = outline_of("Gymnasium's"), mapped(), os.listdir("/proc/self/fd")
    fd = allocate("a test", shown, 2)
    kept = board(fd, shown, 2)
    os.close(fd)
    assert mapped() == before + 1
    del kept
    assert mapped() == before
    assert os.listdir("/proc/self/fd") == fds


def test_memory_that_is_not_to_be_had_is_named(monkeypatch):
    def full(fd, start, size):
        raise OSError(28, "No space left on device")

    fds = os.listdir("/proc/self/fd")
    monkeypatch.setattr(boards.os, "posix_fallocate", full)
    with pytest.raises(OSError, match=r"a test: 0 MiB of shared memory are not to be had.*free some"):
        allocate("a test", outline_of("Gymnasium's"), 2)
    assert os.listdir("/proc/self/fd") == fds


def test_a_system_without_memfd_uses_a_file_without_a_name(monkeypatch):
    monkeypatch.delattr(boards.os, "memfd_create")
    shown = outline_of("Gymnasium's")
    fd = allocate("a test", shown, 2)
    one, other = board(fd, shown, 2), board(fd, shown, 2)
    os.close(fd)
    one.keys.fill_(7)
    assert other.keys.tolist() == [[7, 7], [7, 7]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bool, torch.uint8, torch.int64, torch.bfloat16])
def test_a_copy_has_memory_of_its_own(dtype):
    x = torch.ones(2, 3).to(dtype)
    y = copy(view(x))
    assert torch.equal(x, y)
    assert y.dtype == dtype
    assert y.data_ptr() != x.data_ptr()
