import torch

from frl import tree
from frl.distributions import Normal


def test_rows_of_a_batch_are_stacked_like_tensors():
    rows = [Normal(torch.full([2], float(i)), torch.ones(2)) for i in range(3)]
    stacked = tree.stack(rows)
    assert isinstance(stacked, Normal)
    assert stacked.mean[:, 0].tolist() == [0.0, 1.0, 2.0]


def test_a_tree_of_other_things_than_tensors_has_the_same_structure():
    normal = Normal(torch.zeros(2), torch.ones(2))
    assert tree.leaves(tree.map(lambda x: x.shape[0], normal)) == [2, 2]
