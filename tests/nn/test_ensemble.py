"""Members of one network: they start apart, and one call is the call of each."""

from functools import partial

import pytest
import torch
from torch import nn

from frl import TensorDict, random
from frl.distributions import Normal
from frl.nn import (
    MLP,
    ProbabilisticActor,
    TensorDictModule,
    ensemble_call,
    functional_call,
    initialize,
    initialize_ensemble,
)
from tests.traced import traced


@pytest.fixture
def net():
    with torch.random.fork_rng(devices=[]):
        return MLP(3, 2, num_cells=[4])


def test_members_start_apart_and_each_as_its_key_says(net):
    members = initialize_ensemble(partial(initialize, net), 3, random.key(0))
    alone = initialize(net, random.split(random.key(0), 3)[1])
    assert torch.equal(members["0", "weight"][1], alone["0", "weight"])
    assert not torch.equal(members["0", "weight"][0], members["0", "weight"][1])
    assert members.batch_size == (3,)


def test_a_call_of_the_ensemble_is_a_call_of_each_member(net):
    members = initialize_ensemble(partial(initialize, net), 3, random.key(0))
    x = random.normal((5, 3), random.key(1))
    together = ensemble_call(net, members, x)
    for i in range(3):
        torch.testing.assert_close(together[i], functional_call(net, members[i], x))
    torch.testing.assert_close(traced(lambda members, x: ensemble_call(net, members, x))(members, x), together)


def test_entries_of_a_tensordict_have_an_axis_for_the_members(net):
    module = TensorDictModule(net, ["observation"], ["value"])
    members = initialize_ensemble(partial(initialize, module), 3, random.key(0))
    out = ensemble_call(module, members, TensorDict({"observation": torch.zeros(5, 3)}, [5]))
    assert (out["value"].shape, out.batch_size) == ((3, 5, 2), (3, 5))


def test_members_that_draw_draw_apart():
    spread = TensorDictModule(Spread(), ["observation"], ["loc", "scale"])
    policy = ProbabilisticActor(spread, ["loc", "scale"], distribution_class=Normal)
    td = TensorDict({"observation": torch.zeros(5, 3)}, [5])
    members = initialize_ensemble(partial(initialize, policy), 3, random.key(0))
    action = ensemble_call(policy, members, td, key=random.key(1))["action"]
    assert action.shape == (3, 5, 3)
    assert not torch.equal(action[0], action[1])


class Spread(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return torch.zeros_like(x), self.scale.expand_as(x)


def test_gradients_of_one_member_do_not_reach_the_others(net):
    members = initialize_ensemble(partial(initialize, net), 3, random.key(0))
    x = random.normal((5, 3), random.key(1))
    grads = torch.func.grad(lambda members: ensemble_call(net, members, x)[1].square().sum())(members)
    assert not grads["0", "weight"][0].any()
    assert grads["0", "weight"][1].any()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"a": torch.zeros(3, 2), "b": torch.zeros(2)}, "b has 2 members but a has 3"),
        ({"a": torch.zeros(3, 2), "b": torch.tensor(0.0)}, "b has no axis for members but a has 3"),
        ({"a": torch.tensor(0.0)}, "a has no axis for members but a has none"),
        ({}, "params holds no tensor"),
    ],
)
def test_parameters_that_are_no_ensemble_are_named(net, params, message):
    with pytest.raises(ValueError, match=message):
        ensemble_call(net, TensorDict(params), torch.zeros(3))
