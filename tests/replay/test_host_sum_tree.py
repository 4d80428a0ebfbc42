"""The sum tree in NumPy. That it is the pure one: test_sum_tree.py."""

import numpy as np
import torch

from frl.replay.host_sum_tree import HostSumTree


def test_priorities_are_read_as_a_copy():
    tree = HostSumTree(4)
    tree.put(np.array([1, 3]), np.array([2.0, 0.5]))
    read = tree.priorities()
    tree.update(np.array([1]), np.array([7.0]))
    assert read.tolist() == [0, 2, 0, 0.5]
    assert tree.priorities().tolist() == [0, 7, 0, 0.5]
    assert tree.of(np.array([3])) == [0.5]


def test_it_goes_on_from_tensors_and_leaves_them_alone():
    tree = HostSumTree(9000)
    tree.put(np.arange(9000), np.ones(9000))
    again = HostSumTree(9000, tree.tensors)
    again.update(np.array([5]), np.array([9000.0]))
    assert tree.find(np.array([0.5])) == [4500]
    assert again.find(np.array([0.5])) == [5]
    assert torch.equal(tree.tensors["min"][:9000], torch.ones(9000).double())
