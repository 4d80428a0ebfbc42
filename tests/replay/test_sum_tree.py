"""The sum tree against a running sum."""

import pytest
import torch

from frl import random
from frl.replay import sum_tree
from frl.replay.host_sum_tree import HostSumTree

CAPACITIES = [1, 2, 300, 8192, 8193, 10_001, 140_000]


def random_tree(capacity: int):
    p = random.uniform(capacity, random.key(capacity), dtype=torch.float64)
    p = torch.where(p < 0.3, 0, p)
    p = p.clone()
    p[capacity // 2] = 0.5  # not all zero
    return sum_tree.put(sum_tree.empty(capacity), capacity, torch.arange(capacity), p), p


@pytest.mark.parametrize("capacity", CAPACITIES)
def test_the_first_elements_are_the_rows(capacity):
    tree, p = random_tree(capacity)
    assert torch.equal(tree["sum"][:capacity], p)
    assert sum_tree.least(tree, capacity) == p[p > 0].min()


@pytest.mark.parametrize("capacity", CAPACITIES)
def test_a_fraction_finds_the_row_at_which_the_running_sum_passes_it(capacity):
    tree, p = random_tree(capacity)
    u = random.uniform(1000, random.key(0), dtype=torch.float64)
    upto = p.cumsum(0)
    assert torch.equal(sum_tree.find(tree, capacity, u), torch.searchsorted(upto, u * upto[-1], right=True))


@pytest.mark.parametrize("capacity", CAPACITIES)
def test_a_row_without_priority_is_never_found(capacity):
    tree, p = random_tree(capacity)
    edges = torch.cat([p.cumsum(0) / p.sum(), torch.zeros(1), torch.ones(1)])
    for u in (edges, edges * (1 - 2.0**-53), edges * (1 + 2.0**-52)):
        found = sum_tree.find(tree, capacity, u.clamp(max=1 - 2.0**-53))
        assert (p[found] > 0).all()


@pytest.mark.parametrize("capacity", CAPACITIES)
def test_in_numpy_it_is_the_same_tree(capacity):
    tree, p = random_tree(capacity)
    host = HostSumTree(capacity)
    host.put(torch.arange(capacity).numpy(), p.numpy())
    for i in range(5):
        k_index, k_value = random.split(random.key(i))
        index, value = random.randint(0, capacity, 50, k_index), random.uniform(50, k_value, dtype=torch.float64)
        tree = sum_tree.update(tree, capacity, index, value)
        host.update(index.numpy(), value.numpy())
        assert torch.equal(host.tensors["sum"][:capacity], tree["sum"][:capacity])
        torch.testing.assert_close(host.tensors["sum"], tree["sum"], rtol=1e-14, atol=0)
        assert torch.equal(host.tensors["min"], tree["min"])
        assert host.find(value.numpy()).tolist() == sum_tree.find(tree, capacity, value).tolist()
        assert host.least() == sum_tree.least(tree, capacity)


def test_two_hundred_updates_leave_what_one_would():
    capacity = 8200
    tree, p = random_tree(capacity)
    for i in range(200):
        k_index, k_value = random.split(random.key(i))
        index = random.randint(8180, capacity, 20, k_index)
        value = random.uniform(20, k_value, dtype=torch.float64)
        tree = sum_tree.update(tree, capacity, index, value)
        for j in index.unique():
            p[j] = value[index == j].max() if p[j] > 0 else 0
    fresh = sum_tree.put(sum_tree.empty(capacity), capacity, torch.arange(capacity), p)
    assert torch.equal(tree["sum"], fresh["sum"])
    assert torch.equal(tree["min"], fresh["min"])


def test_several_trees_are_vmapped_level_by_level():
    capacity = 8200
    trees, index, value = [], torch.tensor([[3, 8199], [5, 3]]), torch.tensor([[0.1, 0.9], [0.2, 0.4]]).double()
    for i in range(2):
        p = random.uniform(capacity, random.key(i), dtype=torch.float64)
        trees.append(sum_tree.put(sum_tree.empty(capacity), capacity, torch.arange(capacity), p))
    together = torch.vmap(lambda tree, i, p: sum_tree.update(tree, capacity, i, p))(torch.stack(trees), index, value)
    found = torch.vmap(lambda tree, u: sum_tree.find(tree, capacity, u))(together, value)
    for i in range(2):
        alone = sum_tree.update(trees[i], capacity, index[i], value[i])
        assert (together[i] == alone).all()
        assert torch.equal(found[i], sum_tree.find(alone, capacity, value[i]))


def test_the_order_of_equal_rows_does_not_matter():
    index, value = torch.tensor([3, 1, 3, 1, 3]), torch.tensor([1.0, 2.0, 5.0, 7.0, 4.0]).double()
    tree = sum_tree.put(sum_tree.empty(20), 20, torch.tensor([1, 3]), torch.ones(2).double())
    forwards = sum_tree.update(tree, 20, index, value)
    backwards = sum_tree.update(tree, 20, index.flip(0), value.flip(0))
    assert torch.equal(forwards["sum"], backwards["sum"])
    assert forwards["sum"][:5].tolist() == [0, 7, 0, 5, 0]
