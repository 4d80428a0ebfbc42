"""Replay buffers of TensorDicts, which label their samples."""

from typing import Any

from torch import Tensor

from frl.replay.base import labelled
from frl.replay.buffers import ReplayBuffer
from frl.replay.samplers import PrioritizedSampler, Sampler
from frl.replay.storages import LazyTensorStorage, Storage
from frl.tensordict import Key, TensorDict


class TensorDictReplayBuffer(ReplayBuffer):
    """A `ReplayBuffer` of TensorDicts: a sample has, beside the stored entries, the "index" of each row.

    An item may be a step or a whole trajectory, [T]: the sample is then [batch_size, T] and so is its index.

    Args: storage: by default a `LazyTensorStorage` of 1000 rows. priority_key: of what `update_tensordict_priority`
        reads. The others are those of `ReplayBuffer`.

    >>> import torch
    >>> rb = TensorDictReplayBuffer(batch_size=4)
    >>> rb.extend(TensorDict({"reward": torch.zeros(3, 50, 1)}, [3, 50])).tolist()
    [0, 1, 2]
    >>> rb.sample().batch_size, rb.sample()["index"].shape
    (torch.Size([4, 50]), torch.Size([4, 50]))
    """

    def __init__(
        self,
        storage: Storage | None = None,
        sampler: Sampler | None = None,
        batch_size: int | None = None,
        prefetch: int = 0,
        priority_key: Key = "td_error",
        seed: int = 0,
    ):
        self.priority_key = priority_key
        storage = LazyTensorStorage(1000) if storage is None else storage
        super().__init__(storage, sampler, None, batch_size, prefetch, seed)

    def add(self, item: TensorDict) -> int:
        """Stores one TensorDict; returns its row."""
        _require(self, item, 0)
        return super().add(item)

    def extend(self, items: TensorDict) -> Tensor:
        """Stores a TensorDict's rows, the elements along its first batch axis; returns where, [M].

        Raises: TypeError if it is none; ValueError if it has no batch axis.
        """
        _require(self, items, 1)
        return super().extend(items)

    def update_tensordict_priority(self, td: TensorDict) -> None:
        """Gives the rows of a sample, named by its "index", the priorities under `priority_key`.

        Those are [*B] as the index is, or [*B, 1]; of a trajectory the largest counts.

        Raises: KeyError if the sample lacks either; TypeError if the sampler knows no priorities.
        """
        for key in ("index", self.priority_key):
            if key not in td:
                raise KeyError(
                    f"{type(self).__name__}: the sample has no entry {key!r}, only {list(td)}; set it with "
                    f"td.set({key!r}, value) on what sample() returned."
                )
        index, priority = td["index"], td[self.priority_key]
        self.update_priority(index, priority.squeeze(-1) if priority.ndim == index.ndim + 1 else priority)

    def _finish(self, items: Any, info: dict[str, Tensor]) -> TensorDict:
        device = self.storage.device
        return labelled(
            super()._finish(items, info), {name: x.to(device) for name, x in info.items()} if device else info
        )


class TensorDictPrioritizedReplayBuffer(TensorDictReplayBuffer):
    """A `TensorDictReplayBuffer` that draws in proportion to priorities: a sample has its "_weight" too.

    Args: alpha, beta, eps: see `PrioritizedSampler`. priority_key: of what `update_tensordict_priority` reads.

    >>> import torch
    >>> rb = TensorDictPrioritizedReplayBuffer(alpha=0.7, beta=1.1)
    >>> rows = rb.extend(TensorDict({"a": torch.randn(2, 3, generator=torch.Generator())}, [2]))
    >>> td = rb.sample(2)
    >>> list(td), td["_weight"]
    (['_weight', 'a', 'index'], tensor([1., 1.]))
    >>> rb.update_tensordict_priority(td.set("td_error", torch.tensor([0.5, 2.0])))
    """

    def __init__(
        self,
        alpha: float,
        beta: float,
        priority_key: Key = "td_error",
        eps: float = 1e-8,
        storage: Storage | None = None,
        batch_size: int | None = None,
        prefetch: int = 0,
        seed: int = 0,
    ):
        storage = LazyTensorStorage(1000) if storage is None else storage
        sampler = PrioritizedSampler(storage.max_size, alpha, beta, eps)
        super().__init__(storage, sampler, batch_size, prefetch, priority_key, seed)


def _require(buffer: ReplayBuffer, items: Any, axes: int) -> None:
    if not isinstance(items, TensorDict):
        raise TypeError(
            f"{type(buffer).__name__}: it stores TensorDicts but got a {type(items).__name__}; use ReplayBuffer."
        )
    if items.batch_dims < axes:
        raise ValueError(f"{type(buffer).__name__}: the items have no batch axis; add one TensorDict by add(td).")
