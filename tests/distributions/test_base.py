import torch

from frl import tree
from frl.distributions import Independent, Normal
from frl.distributions.base import sum_last


def test_rows_of_a_batch_are_stacked_like_tensors():
    rows = [Normal(torch.full([2], float(i)), torch.ones(2)) for i in range(3)]
    stacked = tree.stack(rows)
    assert isinstance(stacked, Normal)
    assert stacked.mean[:, 0].tolist() == [0.0, 1.0, 2.0]


def test_a_tree_of_other_things_than_tensors_has_the_same_structure():
    normal = Normal(torch.zeros(2), torch.ones(2))
    assert tree.leaves(tree.map(lambda x: x.shape[0], normal)) == [2, 2]


def test_what_is_static_is_part_of_the_structure():
    normal = Normal(torch.zeros(2), torch.ones(2))
    one, two = Independent(normal, 0), Independent(normal, 1)
    assert len(tree.leaves(two)) == 2
    assert tree.flatten(one)[1] != tree.flatten(two)[1]
    assert tree.map(torch.neg, two).event_dims == 1


def test_a_sum_over_no_axes_is_the_tensor_itself():
    x = torch.ones(2, 3)
    assert sum_last(x, 0) is x
    assert sum_last(x, 2).item() == 6.0
    assert sum_last(torch.ones(0, 3), 1).shape == (0,)
