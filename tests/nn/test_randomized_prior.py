from functools import partial

import pytest
import torch
from torch import nn

from frl import TensorDict, random
from frl.nn import (
    MLP,
    RandomizedPrior,
    TensorDictModule,
    ensemble_call,
    functional_call,
    initialize,
    initialize_ensemble,
)


def network(cells=(8,)):
    with torch.random.fork_rng(devices=[]):
        return TensorDictModule(MLP(1, 1, num_cells=list(cells)), ["x"], ["y"])


def at(*x):
    return TensorDict({"x": torch.tensor(x).unsqueeze(-1)}, [len(x)])


def test_it_adds_the_prior_times_its_scale():
    module, prior = network(), network((4,))
    both = RandomizedPrior(module, prior, scale=2.0)
    td = at(0.5, -1.0)
    torch.testing.assert_close(both(td)["y"], module(td)["y"] + 2 * prior(td)["y"])


def test_no_gradient_reaches_the_prior():
    both = RandomizedPrior(network(), network())
    params = initialize(both, random.key(0))
    slope = torch.func.grad(lambda p: functional_call(both, p, at(1.0))["y"].sum())(params)
    assert all(bool((x == 0).all()) for x in slope["prior"].values(True, True))
    assert any(bool((x != 0).any()) for x in slope["module"].values(True, True))


def test_another_scale_is_a_leaf_of_the_parameters():
    both = RandomizedPrior(network(), network())
    params, td = initialize(both, random.key(0)), at(1.0)

    def written(scale):
        return functional_call(both, params.set("scale", scale), td)["y"]

    slope = torch.func.grad(lambda scale: written(scale).sum())(torch.tensor(2.0))
    torch.testing.assert_close(slope, functional_call(both.prior, params["prior"], td)["y"].sum())


def test_members_that_fit_one_point_agree_there_and_differ_elsewhere():
    both = RandomizedPrior(network((16,)), network((16,)), scale=3.0)
    members = initialize_ensemble(partial(initialize, both), 8, random.key(0))

    def loss(params):
        return ensemble_call(both, params, at(0.0))["y"].square().mean()

    for _ in range(100):
        slope = torch.func.grad(loss)(members)
        members = members - slope
    values = ensemble_call(both, members, at(0.0, 3.0))["y"].squeeze(-1)
    near, far = values.std(0).tolist()
    assert near < 0.01
    assert far > 0.3


def test_it_prints_its_scale():
    assert "scale=2.5" in repr(RandomizedPrior(network(), network(), 2.5))


@pytest.mark.parametrize("prior", [nn.Linear(1, 1), torch.tanh])
def test_a_prior_without_keys_is_refused(prior):
    with pytest.raises(TypeError, match=r"prior is a .* but must be a module over TensorDicts"):
        RandomizedPrior(network(), prior)


def test_a_prior_of_something_else_is_refused():
    other = TensorDictModule(nn.Identity(), ["x"], ["z"])
    with pytest.raises(ValueError, match=r"module writes \['y'\] but prior writes \['z'\]"):
        RandomizedPrior(network(), other)
