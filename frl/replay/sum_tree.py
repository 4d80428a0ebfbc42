"""A sum tree: priorities of rows, drawn from in proportion to their size in O(log capacity).

A tree of fan-out 16 in one vector, level behind level: the rows first, the root last. Each node holds the sum of its
children, and in a second vector the least of them that is positive. A node is always summed anew from its children, in
one order, so that nothing drifts and rows written twice at once cannot disagree; in float64, for a million rows.
"""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from frl.tensordict import TensorDict

FANOUT = 16
_BELOW_ONE = 1 - 2.0**-53

Put = Callable[[Tensor, tuple[Tensor, ...], Tensor], Tensor]


@cache
def offsets(capacity: int) -> tuple[int, ...]:
    """Where each level begins in the vector, rows first; the last level is the root, the vector's last element.

    >>> offsets(20)  # 20 rows, filled up to 32, and 2 nodes, filled up to 16, below the root
    (0, 32, 48)
    """
    found, nodes = [0], capacity
    while nodes > 1 or len(found) == 1:
        padded = -(-nodes // FANOUT) * FANOUT
        found.append(found[-1] + padded)
        nodes = padded // FANOUT
    return tuple(found)


def empty(capacity: int, device: torch.device | None = None) -> TensorDict:
    """The tree of `capacity` rows without priority: {"sum", "min"} [nodes], whose first elements are the rows.

    >>> empty(3)["sum"].shape
    torch.Size([17])
    """
    nodes = offsets(capacity)[-1] + 1
    zeros = torch.zeros(nodes, dtype=torch.float64, device=device)
    return TensorDict({"sum": zeros, "min": torch.full_like(zeros, torch.inf)})


def put(tree: TensorDict, capacity: int, index: Tensor, value: Any, write: Put = torch.index_put) -> TensorDict:
    """The tree in which the rows `index` [M], each named once, have the priorities `value` [M].

    Args: value: at least 0, in float64. write: `torch.index_put_` to write into the tree instead.

    >>> put(empty(3), 3, torch.tensor([0, 2]), torch.tensor([0.5, 0.25]).double())["sum"][[0, 1, 2, -1]].tolist()
    [0.5, 0.0, 0.25, 0.75]
    """
    least = torch.where(value > 0, value, torch.inf)
    return _lift(write(tree["sum"], (index,), value), write(tree["min"], (index,), least), capacity, index, write)


def update(tree: TensorDict, capacity: int, index: Tensor, value: Tensor, write: Put = torch.index_put) -> TensorDict:
    """The tree in which the rows `index` [M] have other priorities; of several for one row the largest counts.

    A row without priority, which holds nothing, stays without.

    >>> tree = put(empty(3), 3, torch.tensor([0, 1]), torch.ones(2).double())
    >>> update(tree, 3, torch.tensor([1, 1, 2]), torch.tensor([0.5, 0.25, 9.0]).double())["sum"][[0, 1, 2, -1]].tolist()
    [1.0, 0.5, 0.0, 1.5]
    """
    order = value.argsort()
    order = order[index[order].argsort(stable=True)]
    ordered, value = index[order], value[order]
    largest = torch.cat([ordered[1:] != ordered[:-1], torch.ones_like(ordered[:1], dtype=torch.bool)])
    value = torch.where(largest & (tree["sum"][ordered] > 0), value, 0)
    root = offsets(capacity)[-1]  # where the others write 0, all of them; it is summed anew
    where = torch.where(largest, ordered, root)
    sums = write(tree["sum"], (where,), value)
    least = write(tree["min"], (where,), torch.where(value > 0, value, torch.inf))
    return _lift(sums, least, capacity, ordered, write)


def _lift(sums: Tensor, least: Tensor, capacity: int, index: Tensor, write: Put) -> TensorDict:
    """The tree in which the nodes above the rows `index` agree with their children."""
    children = torch.arange(FANOUT, device=index.device)
    node = index
    for level, above in pairwise(offsets(capacity)):
        node = node // FANOUT
        below = (level + node * FANOUT).unsqueeze(-1) + children.expand(*node.shape, FANOUT)
        sums = write(sums, (above + node,), sums[below].cumsum(-1)[..., -1])
        least = write(least, (above + node,), least[below].amin(-1))
    return TensorDict({"sum": sums, "min": least})


def find(tree: TensorDict, capacity: int, mass: Tensor) -> Tensor:
    """The rows at which the running sum of the priorities passes `mass`, each in [0, total): shape of `mass`.

    A row without priority is never found, as long as there is one with.

    >>> tree = put(empty(3), 3, torch.tensor([0, 2]), torch.tensor([0.5, 0.25]).double())
    >>> find(tree, 3, torch.tensor([0.0, 0.49, 0.5, 0.74]).double()).tolist()
    [0, 0, 2, 2]
    """
    children = torch.arange(FANOUT, device=mass.device).expand(*mass.shape, FANOUT)
    node = torch.zeros_like(mass, dtype=torch.int64)
    for level in reversed(offsets(capacity)[:-1]):
        upto = tree["sum"][(level + node * FANOUT).unsqueeze(-1) + children].cumsum(-1)
        mass = torch.minimum(mass, upto[..., -1] * _BELOW_ONE)  # rounding may have left a little too much
        child = (upto <= mass.unsqueeze(-1)).sum(-1).clamp(max=FANOUT - 1)
        before = upto.gather(-1, (child - 1).clamp(min=0).unsqueeze(-1)).squeeze(-1)
        mass = mass - torch.where(child > 0, before, 0)
        node = node * FANOUT + child
    return node.clamp(max=capacity - 1)
