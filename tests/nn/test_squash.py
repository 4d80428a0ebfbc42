import pytest
import torch

from frl.nn import SquashDims, Squeeze2dLayer


def test_the_last_axes_become_one_in_row_major_order():
    x = torch.arange(48).reshape(2, 2, 3, 4)
    assert torch.equal(SquashDims()(x), x.reshape(2, 24))
    assert SquashDims(ndims_in=2)(x).shape == (2, 2, 12)
    assert SquashDims(ndims_in=1)(x).shape == x.shape


def test_it_takes_an_image_without_batch_and_a_batch_of_none():
    assert SquashDims()(torch.zeros(2, 3, 4)).shape == (24,)
    assert SquashDims()(torch.zeros(0, 2, 3, 4)).shape == (0, 24)


def test_it_prints_as_in_the_tutorials():
    assert repr(SquashDims()) == "SquashDims()"


def test_too_few_axes_are_refused():
    with pytest.raises(ValueError, match=r"SquashDims: the input has shape \[3, 4\] but needs at least 3 axes"):
        SquashDims()(torch.zeros(3, 4))
    with pytest.raises(ValueError, match="ndims_in is 0 but must be at least 1"):
        SquashDims(0)


def test_only_axes_of_size_one_are_squeezed():
    assert Squeeze2dLayer()(torch.zeros(1, 1, 1, 1)).shape == (1, 1)
    with pytest.raises(ValueError, match=r"has shape \[2, 3, 1, 4\] but its last two axes must have size 1; pool it"):
        Squeeze2dLayer()(torch.zeros(2, 3, 1, 4))
