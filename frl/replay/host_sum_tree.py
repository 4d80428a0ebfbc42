"""The sum tree of `sum_tree` once more, written in place through NumPy: there each of its small steps costs a tenth."""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from frl.replay import sum_tree
from frl.replay.sum_tree import BELOW_ONE, BITS, FANOUT
from frl.tensordict import TensorDict


class HostSumTree:
    """Priorities of `capacity` rows of a buffer of the host; what its functions do is what those of `sum_tree` do.

    Attributes: tensors: the tree that the pure functions would have made, {"sum", "min"}.

    >>> tree = HostSumTree(3)
    >>> tree.put(np.array([0, 2]), np.array([0.75, 0.25]))
    >>> tree.find(np.array([0.0, 0.74, 0.75, 0.99])).tolist(), tree.tensors["sum"].tolist()
    ([0, 0, 2, 2], [0.75, 0.0, 0.25, 0.0])
    """

    def __init__(self, capacity: int, tensors: TensorDict | None = None):
        self._capacity, self._levels = capacity, sum_tree.offsets(capacity)
        self.tensors = (sum_tree.empty(capacity) if tensors is None else tensors.cpu().without_device()).clone()
        self._sum, self._min = self.tensors["sum"].numpy(), self.tensors["min"].numpy()
        below_top = slice(0, self._levels[-2])
        self._sums, self._mins = (x[below_top].reshape(-1, FANOUT) for x in (self._sum, self._min))

    def put(self, index: Any, value: Any) -> None:
        """Gives the rows `index` [M], each named once, the priorities `value` [M], at least 0."""
        self._write(index, index, value)

    def update(self, index: Any, value: Any) -> None:
        """Gives rows other priorities; of several for one row the largest counts; one without stays without."""
        order = np.lexsort((value, index))
        ordered, value = index[order], value[order]
        largest = np.append(ordered[1:] != ordered[:-1], True)
        value = np.where(largest & (self._sum[ordered] > 0), value, 0)
        self._write(ordered, np.where(largest, ordered, self._levels[-1]), value)

    def _write(self, index: Any, where: Any, value: Any) -> None:
        self._sum[where] = value
        self._min[where] = np.where(value > 0, value, np.inf)
        node = index
        for level, above in pairwise(self._levels[:-1]):
            node = node >> BITS
            children = node + (level >> BITS)
            self._sum[above + node] = self._sums.take(children, axis=0).sum(-1)
            self._min[above + node] = self._mins.take(children, axis=0).T.copy().min(0)

    def least(self) -> float:
        """The least priority of a row that has one."""
        return float(self._min[self._levels[-2] : self._levels[-1]].min())

    def find(self, u: Any) -> Any:
        """The rows [M] at which the running sum passes the fractions `u` [M] of the whole."""
        upto = self._sum[self._levels[-2] : self._levels[-1]].cumsum()
        mass = u * upto[-1]
        node = np.minimum(upto.searchsorted(mass, side="right"), len(upto) - 1)
        mass -= np.where(node > 0, upto[node - 1], 0)
        rows = np.arange(len(u))
        for level in reversed(self._levels[:-2]):
            upto = self._sums.take(node + (level >> BITS), axis=0).cumsum(-1)
            mass = np.minimum(mass, upto[:, -1] * BELOW_ONE)
            child = (upto <= mass[:, None]).argmin(-1)  # the first whose running sum is above
            mass -= np.where(child > 0, upto[rows, child - 1], 0)
            node = (node << BITS) + child
        return np.minimum(node, self._capacity - 1)

    def priorities(self) -> Tensor:
        """The priorities [capacity] of all rows, a copy."""
        return torch.from_numpy(self._sum[: self._capacity].copy())

    def of(self, index: Any) -> Any:
        """The priorities of the rows `index`."""
        return self._sum[index]
