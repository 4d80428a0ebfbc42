"""Slices of stored trajectories: successive rows that cross neither an episode's end nor the write head."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from frl import check
from frl.replay.samplers import Sampler
from frl.replay.storages import LazyTensorStorage, Storage
from frl.tensordict import Key, TensorDict


class SliceSampler(Sampler):
    """Draws `batch_size` rows as batch_size / slice_len slices, [slices, slice_len], each equally often.

    A slice is `slice_len` rows written one after another, of one trajectory. A row ends a trajectory where
    ("next", "terminated") or ("next", "truncated") holds, where it is the newest, and, if a `traj_key` is given, where
    the number of the trajectory changes: give it where trajectories of several environments lie behind one another.
    Trajectories shorter than a slice are not drawn from.

    Args: slice_len: at least 1. traj_key: the entry that numbers trajectories, such as ("collector", "traj_ids").
    Raises, when it draws: ValueError if `slice_len` does not divide the batch size or there is no slice; KeyError if
        the rows have neither flags nor `traj_key`.

    >>> end = torch.tensor([False, True, False, False, False]).unsqueeze(-1)
    >>> rows = TensorDict({"t": torch.arange(5), "next": {"terminated": end, "truncated": end & ~end}}, [5])
    >>> storage = LazyTensorStorage(10)
    >>> rows = storage.extend(rows)
    >>> index, _ = SliceSampler(slice_len=2).draw(storage, 60)
    >>> index.unique(dim=0).tolist()
    [[0, 1], [2, 3], [3, 4]]
    """

    def __init__(self, slice_len: int, traj_key: Key | None = None):
        check.at_least("SliceSampler", {"slice_len": slice_len}, 1)
        super().__init__()
        self.slice_len, self.traj_key = slice_len, traj_key
        self._first, self._seen = torch.empty(0, dtype=torch.int64), (0, -1)

    def draw(self, storage: Storage, batch_size: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Rows [batch_size / slice_len, slice_len]."""
        if batch_size % self.slice_len:
            raise ValueError(
                f"SliceSampler: batch_size is {batch_size}, which is no multiple of slice_len={self.slice_len}; it "
                "counts rows, not slices."
            )
        first = self._beginnings(storage)
        if len(first) == 0:
            raise ValueError(
                f"SliceSampler: none of the trajectories among the {len(storage)} rows has {self.slice_len} steps; "
                "take shorter slices, or add longer trajectories."
            )
        drawn = first[(self.draws.take(batch_size // self.slice_len) * len(first)).astype(np.int64)]
        steps = torch.arange(self.slice_len).expand(len(drawn), self.slice_len)
        return (drawn.unsqueeze(-1) + steps) % storage.max_size, {}

    def _beginnings(self, storage: Storage) -> Tensor:
        """The rows at which a slice may begin, found once for each write."""
        if self._seen != (id(storage), storage.version):
            rows = (torch.arange(len(storage)) + storage.cursor - len(storage)) % storage.max_size  # the oldest first
            ends = self._ends(storage, rows).nonzero().squeeze(-1)
            position = torch.arange(len(rows))
            left = ends[torch.searchsorted(ends, position)] - position + 1
            self._first, self._seen = rows[left >= self.slice_len], (id(storage), storage.version)
        return self._first

    def _ends(self, storage: Storage, rows: Tensor) -> Tensor:
        """Which of the rows, from the oldest to the newest, end a trajectory."""
        data: Any = storage.data if isinstance(storage, LazyTensorStorage) else None
        flags = [("next", "terminated"), ("next", "truncated")]
        if not isinstance(data, TensorDict) or (self.traj_key or flags[0]) not in data:
            raise KeyError(
                f"SliceSampler: the rows have no entry {self.traj_key or flags[0]!r}; store TensorDicts of steps in a "
                "LazyTensorStorage, with the flags that collect gives, or name traj_key=."
            )
        ends = torch.zeros(len(rows), dtype=torch.bool)
        ends[-1:] = True
        for flag in flags:
            if flag in data:
                ends |= data[flag][rows].reshape(len(rows))
        if self.traj_key is not None:
            number = data[self.traj_key][rows].reshape(len(rows))
            ends[:-1] |= number[1:] != number[:-1]
        return ends
