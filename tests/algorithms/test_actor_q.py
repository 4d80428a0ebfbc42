"""The deterministic policy and the value network that are made for given specs."""

import pytest
import torch

from frl import TensorDict, random, specs
from frl.algorithms import actor_q, stochastic_actor_q
from frl.nn import functional_call

SEEN = specs.Composite({"observation": specs.Unbounded(3)})


def test_actions_lie_between_the_bounds_whatever_is_seen():
    spec = specs.Bounded(torch.tensor([-1.0, 0.0]), torch.tensor([1.0, 10.0]))
    networks = actor_q(SEEN, spec, (8,))
    td = TensorDict({"observation": 1e4 * random.normal((100, 3), random.key(0))}, [100])
    acted = functional_call(networks.actor, networks.init(random.key(1))["actor"], td)
    assert spec.expand(100).contains(acted["action"])
    assert acted["action"][:, 1].max() > 5


def test_a_state_and_an_action_have_one_value():
    networks = actor_q(SEEN, specs.Bounded(-1.0, 1.0, (2,)), (8,))
    td = TensorDict({"observation": torch.ones(5, 3), "action": torch.zeros(5, 2)}, [5])
    valued = functional_call(networks.value, networks.init(random.key(1))["value"], td)
    assert valued["state_action_value"].shape == (5, 1)


@pytest.mark.parametrize("action", [specs.OneHot(2), specs.Unbounded(2), specs.Bounded(-torch.inf, 1.0, (2,))])
def test_an_action_without_finite_bounds_is_refused(action):
    with pytest.raises(TypeError, match="must be Bounded, of floats, with finite bounds"):
        actor_q(SEEN, action)


def test_a_stochastic_policy_draws_between_the_bounds_and_knows_its_density():
    spec = specs.Bounded(torch.tensor([-1.0, 0.0]), torch.tensor([1.0, 10.0]))
    networks = stochastic_actor_q(SEEN, spec, (8,))
    td = TensorDict({"observation": random.normal((100, 3), random.key(0))}, [100])
    params = networks.init(random.key(1))["actor"]
    acted = functional_call(networks.actor, params, td, key=random.key(2))
    assert spec.expand(100).contains(acted["action"])
    assert acted["action"][:, 1].max() > 5
    assert functional_call(networks.actor.get_dist, params, td).log_prob(acted["action"]).shape == (100,)


@pytest.mark.parametrize("spec", [specs.OneHot(4), specs.Categorical(4)])
def test_a_stochastic_policy_of_choices_has_a_value_for_each(spec):
    networks = stochastic_actor_q(SEEN, spec, (8,))
    td = TensorDict({"observation": torch.ones(5, 3)}, [5])
    params = networks.init(random.key(1))
    acted = functional_call(networks.actor, params["actor"], td, key=random.key(2))
    assert acted["action"].shape == (5, *spec.shape)
    assert functional_call(networks.value, params["value"], td)["action_value"].shape == (5, 4)


def test_an_ensemble_is_one_policy_and_critics_that_start_apart():
    networks = actor_q(SEEN, specs.Bounded(-1.0, 1.0, (2,)), (8,))
    params = networks.init_ensemble(3, random.key(0))
    weight = params["qvalue", "module", "0", "weight"]
    assert (weight.shape, params["actor", "module", "net", "0", "weight"].shape) == ((3, 8, 5), (8, 3))
    assert not torch.equal(weight[0], weight[1])


@pytest.mark.parametrize("action", [specs.MultiCategorical([2, 3]), specs.Unbounded(2)])
def test_an_action_without_a_known_distribution_is_refused(action):
    with pytest.raises(TypeError, match="no distribution is known for the action spec"):
        stochastic_actor_q(SEEN, action)
