"""Replay buffers of the host: a storage, a sampler, and a random key that they advance themselves."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor
from typing_extensions import Self

from frl import check
from frl.replay.prefetch import Prefetch
from frl.replay.samplers import PrioritizedSampler, RandomSampler, Sampler
from frl.replay.storages import ListStorage, Storage
from frl.tensordict import TensorDict

_FILE = "replay.safetensors"


class ReplayBuffer:
    """A ring of items of any kind, from which batches are drawn.

    Equal seeds and equal calls give equal samples. Calls from several threads take turns. Batches that are fetched
    ahead are those that would be drawn anyway: a write or a new priority takes them back, so that no sample is older
    than the last of these, nor sees half of it.

    Args: storage: by default a `ListStorage` of 1000 items. sampler: by default uniform with replacement.
        collate_fn: makes a batch of what the storage returns, a list or stacked tensors; by default the tensors and
        TensorDicts of a list are stacked, other things stay a list. batch_size: of `sample()`. prefetch: how many
        batches a thread of its own fetches ahead.

    >>> rb = ReplayBuffer(collate_fn=lambda x: x)
    >>> rb.add(1), rb.sample(1)
    (0, [1])
    >>> rb.extend([2, 3]).tolist(), len(rb), sorted(set(rb.sample(100)))
    ([1, 2], 3, [1, 2, 3])
    """

    def __init__(
        self,
        storage: Storage | None = None,
        sampler: Sampler | None = None,
        collate_fn: Callable[[Any], Any] | None = None,
        batch_size: int | None = None,
        prefetch: int = 0,
        seed: int = 0,
    ):
        name = type(self).__name__
        if storage is not None and not isinstance(storage, Storage):
            raise TypeError(
                f"{name}: storage is a {type(storage).__name__}; pass a Storage, such as LazyTensorStorage(100_000)."
            )
        check.at_least(name, {"prefetch": prefetch}, 0)
        if batch_size is not None:
            check.at_least(name, {"batch_size": batch_size}, 1)
        self.storage = ListStorage() if storage is None else storage
        self.sampler = RandomSampler() if sampler is None else sampler
        self.batch_size = batch_size
        self._collate = _stacked if collate_fn is None else collate_fn
        self._ahead = Prefetch(self._compute, prefetch) if prefetch else None
        self._lock = threading.RLock()
        self.set_seed(seed)
        self._wrote(torch.arange(len(self.storage)))

    def __len__(self) -> int:
        return len(self.storage)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.storage}, {type(self.sampler).__name__}, batch_size={self.batch_size})"

    def set_seed(self, seed: int) -> None:
        """Begins the random draws anew."""
        with self._lock:
            self._take_back()
            self.sampler.set_seed(seed)
            self._seen = self.sampler.snapshot()

    def add(self, item: Any) -> int:
        """Stores one item; returns its row."""
        with self._lock:
            self._take_back()
            row = self.storage.add(item)
            self._wrote(torch.tensor([row]))
            return row

    def extend(self, items: Any) -> Tensor:
        """Stores several items: a sequence, or a tree of tensors with one row for each; returns their rows [M]."""
        with self._lock:
            self._take_back()
            rows = self.storage.extend(items)
            self._wrote(rows)
            return rows

    def sample(self, batch_size: int | None = None) -> Any:
        """A batch of `batch_size` items, by default the buffer's.

        Raises: ValueError if the buffer is empty or no batch size is known.
        """
        return self.draw(batch_size)[0]

    def draw(self, batch_size: int | None = None) -> tuple[Any, dict[str, Tensor]]:
        """A batch, and what is known of its items: the "index" of their rows and, with priorities, their "_weight".

        >>> rb = ReplayBuffer(collate_fn=lambda x: x)
        >>> rb.add("a"), rb.draw(2)
        (0, (['a', 'a'], {'index': tensor([0, 0])}))
        """
        size = self.batch_size if batch_size is None else batch_size
        if size is None or size < 1:
            raise ValueError(
                f"{type(self).__name__}: batch_size is {size}; pass sample(batch_size) of at least 1, or make the "
                "buffer with batch_size=."
            )
        with self._lock:
            if len(self.storage) == 0:
                raise ValueError(f"{type(self).__name__}: it is empty, so there is nothing to sample; extend it first.")
            if self._ahead is None:
                batch, self._seen = self._compute(size)
                return batch
            if not self._ahead.serves(size):
                self._take_back()
            batch, self._seen = self._ahead.next(size)
            return batch

    def __iter__(self) -> Iterator[Any]:
        """Batches of `batch_size`: one epoch of a sampler without replacement, else without end."""
        while True:
            yield self.sample()
            if self.ran_out:
                return

    @property
    def ran_out(self) -> bool:
        """Whether the last batch was the last one of an epoch."""
        return self.sampler.ended(self._seen)

    def __getitem__(self, index: Any) -> Any:
        """The items at a row, or at a tensor or a list of rows; of a list storage, a list of them."""
        rows = torch.as_tensor(index, device="cpu")
        with self._lock:
            self._take_back()
            if bool(((rows < 0) | (rows >= len(self))).any()):
                raise IndexError(f"{type(self).__name__}: row {index} is none of the {len(self)} that hold data.")
            items = self.storage.get(rows)
        return items[0] if rows.ndim == 0 and isinstance(items, list) else items

    def update_priority(self, index: Any, priority: Any) -> None:
        """Gives rows other priorities, at least 0; of several for one row the largest counts.

        A row that holds nothing yet is left without one.

        Args: index: a row or several. priority: one number, or one for each of the rows.
        Raises: TypeError if the sampler knows no priorities; ValueError for a priority or a row out of range.
        """
        index, priority = torch.as_tensor(index), torch.as_tensor(priority)
        if priority.ndim == 0:
            priority = priority.expand(index.shape)
        with self._lock:
            self._take_back()
            self.sampler.update_priority(index, priority)

    def clear(self) -> None:
        """Forgets all items."""
        with self._lock:
            self._take_back()
            self.storage.clear()
            self.sampler.cleared()
            self._seen = self.sampler.snapshot()

    # ---- keeping

    def state(self) -> TensorDict:
        """Everything of it as one TensorDict, a copy: items, priorities, and where the random stream stands."""
        with self._lock:
            self._take_back()
            return TensorDict({"storage": self.storage.state(), "sampler": self.sampler.state()})

    def load_state(self, state: TensorDict) -> None:
        """Goes on as the buffer whose `state` this was: the next samples are the same.

        Raises: ValueError if it had another capacity or items of another kind.
        """
        with self._lock:
            self._take_back()
            self.storage.load_state(state["storage"])
            self.sampler.load_state(state["sampler"])
            self._seen = self.sampler.snapshot()

    def save(self, directory: str | os.PathLike[str]) -> None:
        """Writes `state` into a directory; what was saved there before is replaced at the end.

        >>> import tempfile
        >>> rb, directory = ReplayBuffer(), tempfile.mkdtemp()
        >>> rb.extend([1, 2, 3]).tolist(), rb.save(directory)
        ([0, 1, 2], None)
        >>> again = ReplayBuffer()
        >>> again.load(directory)
        >>> again.sample(4) == rb.sample(4)
        True
        """
        Path(directory).mkdir(parents=True, exist_ok=True)
        self.state().save(Path(directory) / _FILE)

    def load(self, directory: str | os.PathLike[str]) -> None:
        """Reads what `save` wrote, for a buffer that is made as that one was.

        Raises: FileNotFoundError; ValueError if the file is damaged or of another buffer.
        """
        self.load_state(TensorDict.load(Path(directory) / _FILE))

    def close(self) -> None:
        """Ends the thread that fetches ahead; what it fetched is taken back."""
        with self._lock:
            self._take_back()
            if self._ahead is not None:
                self._ahead.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # ---- the parts of a call

    def _compute(self, batch_size: int) -> tuple[tuple[Any, dict[str, Tensor]], Any]:
        """A batch, and where the sampler stands after it."""
        index, info = self.sampler.draw(self.storage, batch_size)
        info["index"] = index
        return (self._finish(self.storage.get(index), info), info), self.sampler.snapshot()

    def _finish(self, items: Any, info: dict[str, Tensor]) -> Any:
        """The batch that a user sees."""
        return self._collate(items)

    def _take_back(self) -> None:
        """Waits until nothing is fetched ahead, and forgets what was: nobody has seen it."""
        if self._ahead is not None and self._ahead.drop():
            self.sampler.restore(self._seen)

    def _wrote(self, rows: Tensor) -> None:
        self.sampler.added(self.storage, rows)
        self._seen = self.sampler.snapshot()


class PrioritizedReplayBuffer(ReplayBuffer):
    """A `ReplayBuffer` that draws in proportion to priorities; `draw` returns the "index" and "_weight" of each item.

    Args: alpha, beta, eps: see `PrioritizedSampler`. The others are those of `ReplayBuffer`.

    >>> rb = PrioritizedReplayBuffer(alpha=0.7, beta=1.1, collate_fn=lambda x: x)
    >>> rb.extend(["often", "never"]).tolist()
    [0, 1]
    >>> rb.update_priority([0, 1], [1.0, 0.0])
    >>> rb.sample(3)
    ['often', 'often', 'often']
    """

    def __init__(
        self,
        alpha: float,
        beta: float,
        eps: float = 1e-8,
        storage: Storage | None = None,
        collate_fn: Callable[[Any], Any] | None = None,
        batch_size: int | None = None,
        prefetch: int = 0,
        seed: int = 0,
    ):
        storage = ListStorage() if storage is None else storage
        sampler = PrioritizedSampler(storage.max_size, alpha, beta, eps)
        super().__init__(storage, sampler, collate_fn, batch_size, prefetch, seed)


def _stacked(items: Any) -> Any:
    """A list of tensors or TensorDicts as one; anything else as it is."""
    kind = type(items[0]) if isinstance(items, list) else None
    return torch.stack(items) if kind is Tensor or kind is TensorDict else items
