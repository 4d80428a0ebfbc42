"""A sum tree: priorities of rows, drawn from in proportion to their size in O(log capacity).

The tree lies in one vector, level behind level: the rows first, then the sums of every 16 of them, and so on until at
most 8192 are left. Over these the running sum is taken at every draw, which costs less than the levels that would be
above. A second vector holds the least priority under each node instead. A node is always summed anew from its children,
so that nothing drifts, and rows that are written at once cannot disagree about it; in float64, for millions of rows.
"""

from functools import cache
from itertools import pairwise

import torch
from torch import Tensor

from frl.tensordict import TensorDict

BITS = 4
FANOUT = 1 << BITS
BELOW_ONE = 1 - 2.0**-53
_TOP = 8192


@cache
def offsets(capacity: int) -> tuple[int, ...]:
    """Where each level begins in the vector, rows first, and where the last level ends.

    One more element follows: of several priorities for one row, those that do not count are written there, as zeros.

    >>> offsets(100), offsets(10_000)
    ((0, 100), (0, 10000, 10625))
    """
    found, nodes = [0], capacity
    while nodes > _TOP:
        padded = -(-nodes // FANOUT) * FANOUT
        found.append(found[-1] + padded)
        nodes = padded // FANOUT
    return (*found, found[-1] + nodes)


def empty(capacity: int, device: torch.device | None = None) -> TensorDict:
    """The tree of `capacity` rows without priority: {"sum", "min"}, vectors whose first elements are the rows.

    >>> empty(3)["sum"].tolist(), empty(3)["min"].tolist()
    ([0.0, 0.0, 0.0, 0.0], [inf, inf, inf, inf])
    """
    zeros = torch.zeros(offsets(capacity)[-1] + 1, dtype=torch.float64, device=device)
    return TensorDict({"sum": zeros, "min": torch.full_like(zeros, torch.inf)})


def put(tree: TensorDict, capacity: int, index: Tensor, value: Tensor) -> TensorDict:
    """The tree in which the rows `index` [M], each named once, have the priorities `value` [M], at least 0.

    >>> put(empty(3), 3, torch.tensor([0, 2]), torch.tensor([0.5, 0.25]).double())["sum"][:3].tolist()
    [0.5, 0.0, 0.25]
    """
    return _write(tree, capacity, index, index, value)


def update(tree: TensorDict, capacity: int, index: Tensor, value: Tensor) -> TensorDict:
    """The tree in which the rows `index` [M] have other priorities; of several for one row the largest counts.

    A row without priority, which holds nothing, stays without.

    >>> tree = put(empty(3), 3, torch.tensor([0, 1]), torch.ones(2).double())
    >>> update(tree, 3, torch.tensor([1, 1, 2]), torch.tensor([0.5, 0.25, 9.0]).double())["sum"][:3].tolist()
    [1.0, 0.5, 0.0]
    """
    order = value.argsort()
    order = order[index[order].argsort(stable=True)]
    ordered, value = index[order], value[order]
    largest = torch.cat([ordered[1:] != ordered[:-1], torch.ones_like(ordered[:1], dtype=torch.bool)])
    value = torch.where(largest & (tree["sum"][ordered] > 0), value, 0)
    return _write(tree, capacity, ordered, torch.where(largest, ordered, offsets(capacity)[-1]), value)


def _write(tree: TensorDict, capacity: int, index: Tensor, where: Tensor, value: Tensor) -> TensorDict:
    """The tree with `value` at the elements `where`; above the rows `index` nodes agree with their children."""
    sums = tree["sum"].index_put((where,), value)
    least = tree["min"].index_put((where,), torch.where(value > 0, value, torch.inf))
    children = torch.arange(FANOUT, device=index.device).expand(*index.shape, FANOUT)
    node = index
    for level, above in pairwise(offsets(capacity)[:-1]):
        node = node >> BITS
        below = (level + (node << BITS)).unsqueeze(-1) + children
        sums = sums.index_put((above + node,), sums[below].sum(-1))
        least = least.index_put((above + node,), least[below].amin(-1))
    return TensorDict({"sum": sums, "min": least})


def least(tree: TensorDict, capacity: int) -> Tensor:
    """The least priority of a row that has one, infinite where there is none.

    >>> least(put(empty(3), 3, torch.tensor([0, 2]), torch.tensor([0.5, 0.25]).double()), 3).item()
    0.25
    """
    first, end = offsets(capacity)[-2:]
    return tree["min"][first:end].amin()


def find(tree: TensorDict, capacity: int, u: Tensor) -> Tensor:
    """The rows at which the running sum of the priorities passes the fraction `u` of the whole, of the shape of `u`.

    A row without priority is never found, as long as there is one with.

    Args: u: float64 in [0, 1).

    >>> tree = put(empty(3), 3, torch.tensor([0, 2]), torch.tensor([0.75, 0.25]).double())
    >>> find(tree, 3, torch.tensor([0.0, 0.74, 0.75, 0.99]).double()).tolist()
    [0, 0, 2, 2]
    """
    *levels, end = offsets(capacity)
    upto = tree["sum"][levels[-1] : end].cumsum(0)
    mass = u * upto[-1]
    node = torch.searchsorted(upto, mass, right=True).clamp(max=upto.shape[0] - 1)
    mass = mass - torch.where(node > 0, upto[(node - 1).clamp(min=0)], 0)
    children = torch.arange(FANOUT, device=u.device).expand(*u.shape, FANOUT)
    for level in reversed(levels[:-1]):
        upto = tree["sum"][(level + (node << BITS)).unsqueeze(-1) + children].cumsum(-1)
        mass = torch.minimum(mass, upto[..., -1] * BELOW_ONE)  # rounding may have left a little too much
        child = (upto <= mass.unsqueeze(-1)).sum(-1).clamp(max=FANOUT - 1)
        before = upto.gather(-1, (child - 1).clamp(min=0).unsqueeze(-1)).squeeze(-1)
        mass = mass - torch.where(child > 0, before, 0)
        node = (node << BITS) + child
    return node.clamp(max=capacity - 1)
