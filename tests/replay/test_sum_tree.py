"""The sum tree against a running sum."""

import pytest
import torch

from frl import random
from frl.replay import sum_tree

CAPACITIES = [1, 2, 15, 16, 17, 255, 256, 257, 300, 4097]


def random_tree(capacity: int):
    p = random.uniform(capacity, random.key(capacity), dtype=torch.float64)
    p = torch.where(p < 0.3, 0, p)
    p = p.clone()
    p[capacity // 2] = 0.5  # not all zero
    return sum_tree.put(sum_tree.empty(capacity), capacity, torch.arange(capacity), p), p


@pytest.mark.parametrize("capacity", CAPACITIES)
def test_the_first_elements_are_the_rows_and_the_last_the_whole(capacity):
    tree, p = random_tree(capacity)
    assert torch.equal(tree["sum"][:capacity], p)
    assert torch.allclose(tree["sum"][-1], p.sum(), rtol=1e-14)
    assert tree["min"][-1] == p[p > 0].min()


@pytest.mark.parametrize("capacity", CAPACITIES)
def test_a_mass_finds_the_row_at_which_the_running_sum_passes_it(capacity):
    tree, p = random_tree(capacity)
    mass = random.uniform(1000, random.key(0), dtype=torch.float64) * tree["sum"][-1]
    assert torch.equal(sum_tree.find(tree, capacity, mass), torch.searchsorted(p.cumsum(0), mass, right=True))


@pytest.mark.parametrize("capacity", CAPACITIES)
def test_a_row_without_priority_is_never_found_even_by_the_whole(capacity):
    tree, p = random_tree(capacity)
    edges = torch.cat([p.cumsum(0), tree["sum"][-1:], torch.zeros(1)])
    for mass in (edges, edges * (1 - 2.0**-53), edges * (1 + 2.0**-52)):
        assert (p[sum_tree.find(tree, capacity, mass)] > 0).all()


def test_a_thousand_updates_leave_what_one_would():
    capacity = 300
    tree, p = random_tree(capacity)
    for i in range(1000):
        k_index, k_value = random.split(random.key(i))
        index = random.randint(0, capacity, 20, k_index)
        value = random.uniform(20, k_value, dtype=torch.float64)
        tree = sum_tree.update(tree, capacity, index, value)
        for j in index.unique():
            p[j] = value[index == j].max() if p[j] > 0 else 0
    fresh = sum_tree.put(sum_tree.empty(capacity), capacity, torch.arange(capacity), p)
    assert torch.equal(tree["sum"], fresh["sum"])
    assert torch.equal(tree["min"], fresh["min"])


def test_in_place_writes_give_the_same_tree():
    tree, _ = random_tree(300)
    index, value = torch.tensor([5, 299, 5, 16]), torch.tensor([0.1, 0.2, 0.3, 0.4]).double()
    pure = sum_tree.update(tree, 300, index, value)
    written = sum_tree.update(tree, 300, index, value, torch.index_put_)
    assert written["sum"] is tree["sum"]
    assert torch.equal(written["sum"], pure["sum"])
    assert torch.equal(written["min"], pure["min"])


def test_the_order_of_equal_rows_does_not_matter():
    index, value = torch.tensor([3, 1, 3, 1, 3]), torch.tensor([1.0, 2.0, 5.0, 7.0, 4.0]).double()
    tree = sum_tree.put(sum_tree.empty(20), 20, torch.tensor([1, 3]), torch.ones(2).double())
    forwards = sum_tree.update(tree, 20, index, value)
    backwards = sum_tree.update(tree, 20, index.flip(0), value.flip(0))
    assert torch.equal(forwards["sum"], backwards["sum"])
    assert forwards["sum"][:5].tolist() == [0, 7, 0, 5, 0]
