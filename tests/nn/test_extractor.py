import math

import pytest
import torch
from torch import nn

from frl.nn import NormalParamExtractor, NormalParamWrapper, biased_softplus


def test_the_first_half_is_loc_and_the_second_a_positive_scale():
    loc, scale = NormalParamExtractor()(torch.tensor([[3.0, -4.0, 0.0, 1.0]]))
    assert loc.tolist() == [[3.0, -4.0]]
    assert scale[0, 0].item() == pytest.approx(1.0)
    assert scale[0, 1].item() == pytest.approx(0.01 + math.log(1 + math.e * math.expm1(0.99)))


def test_the_scale_has_a_lower_bound():
    assert NormalParamExtractor()(torch.tensor([0.0, -100.0]))[1].item() == pytest.approx(0.01)
    assert NormalParamExtractor(torch.exp)(torch.tensor([0.0, -100.0]))[1].item() == pytest.approx(1e-4)
    assert NormalParamExtractor(scale_lb=0.5)(torch.tensor([0.0, -100.0]))[1].item() == 0.5


def test_another_mapping_may_be_given():
    assert NormalParamExtractor(torch.exp)(torch.tensor([0.0, 0.0]))[1].item() == 1.0


@pytest.mark.parametrize("bias", [0.1, 1.0, 3.0])
def test_biased_softplus_maps_zero_to_the_bias(bias):
    assert biased_softplus(torch.zeros(()), bias).item() == pytest.approx(bias)
    assert biased_softplus(torch.tensor(-100.0), bias, min_val=0.05).item() == pytest.approx(0.05)


def test_an_odd_size_is_refused():
    with pytest.raises(ValueError, match=r"NormalParamExtractor: the input has shape \[2, 3\].* twice as many outputs"):
        NormalParamExtractor()(torch.ones(2, 3))


def test_the_wrapper_splits_the_output_of_a_network():
    net = nn.Linear(5, 4)
    loc, scale = NormalParamWrapper(net)(torch.ones(3, 5))
    assert torch.equal(loc, net(torch.ones(3, 5))[:, :2])
    assert scale.shape == (3, 2)
