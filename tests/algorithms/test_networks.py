"""The networks an actor-critic takes for given specs, and those that somebody else may give it."""

import math

import pytest
import torch
from torch import nn

from frl import TensorDict, random, specs, tree
from frl.algorithms import ActorCritic, actor_critic
from frl.algorithms.networks import carried_on
from frl.distributions import Categorical, Normal, OneHotCategorical
from frl.nn import ProbabilisticActor, TensorDictModule, ValueOperator, from_module

OBSERVATION = specs.Composite({"observation": specs.Unbounded(3)})
ACTIONS: dict[str, tuple[specs.Spec, type]] = {
    "one-hot": (specs.OneHot(4), OneHotCategorical),
    "index": (specs.Categorical(4), Categorical),
    "box": (specs.Bounded(-1.0, 1.0, (2,)), Normal),
    "unbounded": (specs.Unbounded((2, 2)), Normal),
}
every_action = pytest.mark.parametrize(("action", "drawn"), ACTIONS.values(), ids=ACTIONS.keys())


def networks_for(action: specs.Spec, observation: specs.Composite = OBSERVATION) -> tuple[ActorCritic, TensorDict]:
    networks = actor_critic(observation, action, (8,))
    return networks, networks.init(random.key(0))


def seen(*batch: int) -> TensorDict:
    return TensorDict({"observation": torch.ones(*batch, 3)}, batch)


@every_action
@pytest.mark.parametrize("explore", [True, False])
def test_an_action_is_one_of_the_spec(action: specs.Spec, drawn: type, explore: bool) -> None:
    networks, params = networks_for(action)
    acted = networks.act(params["actor"], seen(5), random.key(1), explore)["action"]
    assert acted.shape == (5, *action.shape)
    assert acted.dtype == action.dtype


@every_action
def test_the_distribution_fits_the_kind_of_action(action: specs.Spec, drawn: type) -> None:
    networks, params = networks_for(action)
    assert isinstance(networks.distribution(params["actor"], seen(5)), drawn)


@every_action
def test_the_log_probability_is_that_of_the_action(action: specs.Spec, drawn: type) -> None:
    networks, params = networks_for(action)
    acted = networks.act(params["actor"], seen(5), random.key(1), explore=True)
    again = networks.distribution(params["actor"], acted).log_prob(acted["action"])
    assert torch.equal(acted["sample_log_prob"], again)


@every_action
def test_a_state_has_one_value(action: specs.Spec, drawn: type) -> None:
    networks, params = networks_for(action)
    assert networks.value(params["critic"], seen(5, 2)).shape == (5, 2)


def test_a_greedy_action_is_the_mode_and_has_no_log_probability() -> None:
    networks, params = networks_for(specs.OneHot(4))
    acted = networks.act(params["actor"], seen(5), None, explore=False)
    assert torch.equal(acted["action"], networks.distribution(params["actor"], seen(5)).mode)
    assert "sample_log_prob" not in acted


def test_the_first_policy_is_almost_indifferent() -> None:
    networks, params = networks_for(specs.OneHot(4))
    entropy = networks.distribution(params["actor"], seen(1)).entropy()
    assert entropy.item() == pytest.approx(math.log(4), abs=1e-3)


def test_the_first_standard_deviation_is_one_in_every_state() -> None:
    networks, params = networks_for(specs.Bounded(-1.0, 1.0, (2,)))
    assert networks.distribution(params["actor"], seen(3)).scale.tolist() == [[1.0, 1.0]] * 3


def test_the_parameters_come_from_the_key_alone() -> None:
    one, other = (networks_for(specs.OneHot(2))[1] for _ in range(2))
    assert all(torch.equal(x, y) for x, y in zip(tree.leaves(one), tree.leaves(other), strict=True))


def test_an_ensemble_is_made_by_vmap() -> None:
    networks, _ = networks_for(specs.OneHot(2))
    params = torch.vmap(networks.init)(random.split(random.key(0), 3))
    assert params.batch_size == (3,)
    assert torch.vmap(networks.value, (0, None))(params["critic"], seen(5)).shape == (3, 5)


def test_several_observations_are_read_side_by_side() -> None:
    both = specs.Composite({"position": specs.Unbounded(2), "speed": specs.Unbounded(1)})
    networks, params = networks_for(specs.OneHot(2), both)
    td = TensorDict({"position": torch.ones(5, 2), "speed": torch.ones(5, 1)}, 5)
    assert networks.actor.in_keys == ["position", "speed"]
    assert networks.value(params["critic"], td).shape == (5,)


def test_modules_of_ones_own_do() -> None:
    with torch.random.fork_rng(devices=[]):
        head, value = nn.Linear(3, 2), nn.Linear(3, 1)
    net = TensorDictModule(head, ["observation"], ["logits"])
    actor = ProbabilisticActor(net, ["logits"], distribution_class=Categorical, return_log_prob=True)
    critic = ValueOperator(value)
    mine = ActorCritic(
        actor, critic, lambda key: TensorDict({"actor": from_module(actor), "critic": from_module(critic)})
    )
    params = mine.init(random.key(0))
    assert mine.act(params["actor"], seen(5), random.key(1), explore=True)["action"].shape == (5,)
    assert mine.value(params["critic"], seen(5)).shape == (5,)


def test_an_action_without_a_distribution_is_refused() -> None:
    with pytest.raises(TypeError, match="no distribution is known for the action spec Binary"):
        networks_for(specs.Binary(3))


@pytest.mark.parametrize("spec", [specs.MultiCategorical([2, 3]), specs.MultiOneHot([2, 3])])
def test_several_choices_at_once_are_drawn_each_for_itself(spec: specs.Spec) -> None:
    networks, params = networks_for(spec)
    td = networks.act(params["actor"], seen(5), random.key(2), explore=True)
    assert spec.expand(5).contains(td["action"])
    assert td["sample_log_prob"].exp().tolist() == pytest.approx([1 / 6] * 5, abs=0.02)


def test_a_network_without_memory_carries_nothing_on() -> None:
    networks, params = networks_for(specs.OneHot(4))
    td = seen(5)
    assert not networks.recurrent
    assert carried_on(networks.actor) == []
    assert networks.remember(params["critic"], td) is td


def test_what_is_asked_for_is_kept_of_an_action() -> None:
    networks, params = networks_for(specs.OneHot(4))
    acted = networks.act(params["actor"], seen(5), random.key(1), True, ["logits"])
    assert acted["logits"].shape == (5, 4)


def test_pictures_come_to_the_networks_flat_and_numbers_as_vectors() -> None:
    seen_spec = specs.Composite({"board": specs.Unbounded((2, 3)), "count": specs.Unbounded(())})
    networks = actor_critic(seen_spec, specs.OneHot(2), (8,))
    td = TensorDict({"board": torch.ones(5, 2, 3), "count": torch.ones(5)}, [5])
    params = networks.init(random.key(0))
    assert networks.value(params["critic"], td).shape == (5,)
    assert networks.act(params["actor"], td, random.key(1), explore=True)["action"].shape == (5, 2)
