import pytest
import torch
from torch import nn

from frl.collectors.weights import checked, nested, weights_of
from frl.nn import buffers, from_module, functional_call


def net() -> nn.Sequential:
    with torch.random.fork_rng():
        return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).eval()


def test_the_weights_are_parameters_and_buffers_by_their_names():
    policy = net()
    found = weights_of(policy)
    assert set(found) == set(policy.state_dict())
    assert found["0.weight"].data_ptr() == policy[0].weight.data_ptr()
    assert weights_of(lambda td: td) == {}


def test_what_fits_comes_back_as_copies_that_the_module_can_be_called_with():
    policy = net()
    params = from_module(policy)
    given = checked("a test", policy, params.update(buffers(policy)))
    assert given["0.bias"].data_ptr() != params["0", "bias"].data_ptr()
    x = torch.ones(4, 2)
    assert torch.equal(functional_call(policy, nested(given), x), policy(x))


def test_buffers_may_be_left_out_and_parameters_may_not():
    policy = net()
    assert set(checked("a test", policy, from_module(policy))) == {name for name, _ in policy.named_parameters()}
    with pytest.raises(ValueError, match=r"a test: params has no 0.bias, which Sequential needs; give what"):
        checked("a test", policy, from_module(policy).exclude(("0", "bias")))


def test_a_parameter_of_two_places_is_given_once():
    policy = net()
    tied = nn.Sequential(policy[0], policy[0])
    assert set(checked("a test", tied, from_module(tied))) == {"0.weight", "0.bias"}


def test_a_lazy_module_must_have_been_called():
    with pytest.raises(ValueError, match=r"lazy|shape"):
        weights_of(nn.LazyLinear(2))
