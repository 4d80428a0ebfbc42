"""The sets that elements are taken from."""

import torch

from frl.specs import CategoricalBox, ContinuousBox


def test_boxes_are_equal_if_their_bounds_are():
    box = ContinuousBox(torch.zeros(2), torch.ones(2))
    assert box == ContinuousBox(torch.zeros(2), torch.ones(2))
    assert box != ContinuousBox(torch.zeros(2), 2 * torch.ones(2))
    assert box != CategoricalBox(2)
    assert hash(box) == hash(ContinuousBox(torch.zeros(2), torch.ones(2)))
    assert CategoricalBox(2) == CategoricalBox(2) != CategoricalBox(3)
