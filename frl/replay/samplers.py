"""Which rows a host buffer draws: uniformly, without replacement, or in proportion to their priorities."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from frl import check, random
from frl.replay.host_sum_tree import HostSumTree
from frl.replay.prioritized import require_priorities
from frl.replay.storages import Storage
from frl.tensordict import TensorDict


class Draws:
    """A stream of uniform numbers in [0, 1): number i is a function of the key and of i alone.

    NumPy's Philox, a counter-based generator as that of `frl.random`, costs a tenth of it where 256 numbers are drawn
    outside a compiled program.

    Args: key: [2], the words of Philox's key. position: the number that comes next.

    >>> draws = Draws(random.key(0))
    >>> bool((Draws(random.key(0), 3).take(2) == draws.take(5)[3:]).all()), draws.position
    (True, 5)
    """

    def __init__(self, key: Tensor, position: int = 0):
        self.key, self.position = key, position
        self._random = np.random.Generator(np.random.Philox(key=key.tolist(), counter=position // 4))
        self._random.random(position % 4)

    def take(self, count: int) -> Any:
        """The next `count` numbers, a float64 array."""
        self.position += count
        return self._random.random(count)


class Sampler(ABC):
    """Draws rows of a storage: what follows from its seed, its earlier draws, and what the buffer went through.

    Attributes: draws: its stream of random numbers.
    """

    def __init__(self) -> None:
        self.set_seed(0)

    def set_seed(self, seed: int) -> None:
        """Begins anew with the stream of this seed."""
        self.draws = Draws(random.key(seed))

    @abstractmethod
    def draw(self, storage: Storage, batch_size: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Rows [batch_size] that hold data, and what else is to be known of each."""

    def added(self, storage: Storage, rows: Tensor) -> None:  # noqa: B027
        """Called when the storage has written `rows`."""

    def cleared(self) -> None:  # noqa: B027
        """Called when the storage has forgotten all rows."""

    def update_priority(self, index: Tensor, priority: Tensor) -> None:
        """Raises TypeError: this sampler knows no priorities."""
        del index, priority
        raise TypeError(
            f"{type(self).__name__}: it knows no priorities to update; make the buffer with a PrioritizedSampler."
        )

    def ended(self, snapshot: Any) -> bool:
        """Whether, at a `snapshot`, an epoch was over; of samplers that know no epochs, never."""
        del snapshot
        return False

    def snapshot(self) -> Any:
        """What draws change, for `restore` to take back draws that nobody has seen."""
        return self.draws.position

    def restore(self, snapshot: Any) -> None:
        """Goes back to where the sampler stood at `snapshot`."""
        if snapshot != self.draws.position:
            self.draws = Draws(self.draws.key, snapshot)

    def state(self) -> dict[str, Any]:
        """What `load_state` needs to draw the same rows again, as entries of a TensorDict."""
        return {"key": self.draws.key, "position": self.draws.position}

    def load_state(self, state: TensorDict) -> None:
        """Goes on as the sampler whose `state` this was."""
        self.draws = Draws(state["key"], int(state["position"]))


class RandomSampler(Sampler):
    """Uniformly, with replacement.

    >>> from frl.replay.storages import ListStorage
    >>> storage = ListStorage(10)
    >>> rows = storage.extend("abc")
    >>> index, _ = RandomSampler().draw(storage, 100)
    >>> index.unique().tolist()
    [0, 1, 2]
    """

    def draw(self, storage: Storage, batch_size: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Rows [batch_size]."""
        return torch.from_numpy((self.draws.take(batch_size) * len(storage)).astype(np.int64)), {}


class SamplerWithoutReplacement(Sampler):
    """Every row once, in random order, then every row again in another order: epochs over what is stored.

    A write begins a new epoch. The last batch of an epoch has the rows that are left.

    Args: drop_last: whether a last batch of fewer rows is left out.

    >>> from frl.replay.storages import ListStorage
    >>> storage, sampler = ListStorage(10), SamplerWithoutReplacement()
    >>> rows = storage.extend("abc")
    >>> batches = [sampler.draw(storage, 2)[0] for _ in range(2)]
    >>> [len(x) for x in batches], torch.cat(batches).sort().values.tolist(), sampler.ended(sampler.snapshot())
    ([2, 1], [0, 1, 2], True)
    """

    def __init__(self, drop_last: bool = False):
        self._drop_last = drop_last
        super().__init__()

    def set_seed(self, seed: int) -> None:
        """Begins anew with the stream of this seed."""
        super().set_seed(seed)
        self._order, self._left = torch.empty(0, dtype=torch.int64), 0

    def ended(self, snapshot: Any) -> bool:
        """Whether the next draw begins a new epoch."""
        return snapshot[2] == 0

    def draw(self, storage: Storage, batch_size: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Rows [batch_size], or fewer at the end of an epoch."""
        if self._drop_last and batch_size > len(storage):
            raise ValueError(
                f"SamplerWithoutReplacement: batch_size is {batch_size} for {len(storage)} rows, so drop_last leaves "
                "none; take a smaller batch."
            )
        if self._left == 0:
            order = self.draws.take(len(storage)).argsort(kind="stable")
            self._order, self._left = torch.from_numpy(order), len(storage)
        first = len(self._order) - self._left
        index = self._order[first : first + batch_size]
        self._left -= len(index)
        if self._drop_last and self._left < batch_size:
            self._left = 0
        return index, {}

    def added(self, storage: Storage, rows: Tensor) -> None:
        """Begins a new epoch."""
        self.cleared()

    def cleared(self) -> None:
        """Begins a new epoch."""
        self._left = 0

    def snapshot(self) -> Any:
        """What draws change."""
        return self.draws.position, self._order, self._left

    def restore(self, snapshot: Any) -> None:
        """Goes back to where the sampler stood at `snapshot`."""
        position, self._order, self._left = snapshot
        super().restore(position)

    def state(self) -> dict[str, Any]:
        """What `load_state` needs."""
        return {**super().state(), "order": self._order, "left": self._left}

    def load_state(self, state: TensorDict) -> None:
        """Goes on as the sampler whose `state` this was."""
        super().load_state(state)
        self._order, self._left = state["order"], int(state["left"])


class PrioritizedSampler(Sampler):
    """In proportion to priorities, as `prioritized` does: P(i) = pᵢ / Σⱼ pⱼ, where pᵢ = (priorityᵢ + eps)^alpha.

    With each row comes its importance "_weight", (pᵢ / minⱼ pⱼ)^−beta. A new row gets the largest priority that was
    ever given, or 1 before any was; a row that holds nothing has none.

    Args: max_capacity: the `max_size` of the storage. alpha, beta: at least 0. eps: above 0.
    """

    def __init__(self, max_capacity: int, alpha: float = 0.6, beta: float = 0.4, eps: float = 1e-8):
        check.at_least("PrioritizedSampler", {"max_capacity": max_capacity}, 1)
        check.at_least("PrioritizedSampler", {"alpha": alpha, "beta": beta}, 0)
        check.above("PrioritizedSampler", {"eps": eps}, 0)
        super().__init__()
        self.alpha, self.beta, self.eps = alpha, beta, eps
        self._capacity, self._max_priority = max_capacity, 0.0
        self._tree = HostSumTree(max_capacity)

    @property
    def sum_tree(self) -> Tensor:
        """The priorities p [max_capacity] of all rows, 0 where a row holds nothing; a copy.

        >>> PrioritizedSampler(3).sum_tree
        tensor([0., 0., 0.], dtype=torch.float64)
        """
        return self._tree.priorities()

    def draw(self, storage: Storage, batch_size: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Rows [batch_size] and the "_weight" of each."""
        index = self._tree.find(self.draws.take(batch_size))
        weight = (self._tree.of(index) / self._tree.least()) ** -self.beta
        return torch.from_numpy(index), {"_weight": torch.from_numpy(weight.astype(np.float32))}

    def added(self, storage: Storage, rows: Tensor) -> None:
        """Gives the new rows the largest priority so far."""
        if storage.max_size != self._capacity:
            raise ValueError(
                f"PrioritizedSampler: max_capacity is {self._capacity} but the storage has {storage.max_size} rows; "
                "make both equal."
            )
        value = ((self._max_priority or 1.0) + self.eps) ** self.alpha
        self._tree.put(rows.numpy(), np.full(len(rows), value))

    def update_priority(self, index: Tensor, priority: Tensor) -> None:
        """Gives the rows other priorities; of several for one row the largest counts."""
        rows = index.cpu().reshape(-1).numpy()
        given = priority.detach().cpu().reshape(-1).numpy().astype(np.float64)
        fits = len(given) > 0 and given.min() >= 0 and given.max() < np.inf
        if not fits or index.shape != priority.shape or rows.min() < 0 or rows.max() >= self._capacity:
            require_priorities("update_priority", index, priority, self._capacity)
        self._max_priority = max(self._max_priority, float(given.max()))
        self._tree.update(rows, (given + self.eps) ** self.alpha)

    def cleared(self) -> None:
        """Forgets the priorities of the rows, not the largest that was given."""
        self._tree = HostSumTree(self._capacity)

    def state(self) -> dict[str, Any]:
        """What `load_state` needs, with a copy of the tree."""
        largest = torch.tensor(self._max_priority, dtype=torch.float64)
        return {**super().state(), "tree": self._tree.tensors.clone(), "max_priority": largest}

    def load_state(self, state: TensorDict) -> None:
        """Goes on as the sampler whose `state` this was."""
        super().load_state(state)
        self._tree = HostSumTree(self._capacity, state["tree"])
        self._max_priority = float(state["max_priority"])
