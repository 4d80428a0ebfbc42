import pytest
import torch
from torch import nn
from torch.testing import assert_close

from frl import TensorDict, random
from frl.distributions import Normal
from frl.nn import (
    MLP,
    Actor,
    ActorCriticOperator,
    ExplorationType,
    NormalParamExtractor,
    ProbabilisticActor,
    TensorDictModule,
    ValueOperator,
    from_module,
    functional_call,
)
from tests.nn.registry import actor_critic, shared

key = random.key(0)


def test_an_actor_reads_the_observation_and_writes_the_action():
    td = TensorDict({"observation": torch.randn(10, 3)}, [10])
    assert Actor(nn.LazyLinear(1))(td)["action"].shape == (10, 1)


def test_an_actor_may_read_another_key():
    actor = Actor(nn.Linear(5, 3), in_keys=["obs"])
    assert actor(TensorDict({"obs": torch.randn(5)}))["action"].shape == (3,)


def test_a_probabilistic_actor_writes_parameters_action_and_log_prob():
    module = nn.Sequential(MLP(in_features=3, out_features=2), NormalParamExtractor())
    policy = ProbabilisticActor(
        TensorDictModule(module, in_keys=["observation"], out_keys=["loc", "scale"]),
        in_keys=["loc", "scale"],
        out_keys=["action"],
        distribution_class=Normal,
        return_log_prob=True,
    )
    result = policy(TensorDict({"observation": torch.randn(10, 3)}, [10]), key=key)
    assert {name: tuple(result[name].shape) for name in policy.out_keys} == {
        "loc": (10, 1),
        "scale": (10, 1),
        "action": (10, 1),
        "sample_log_prob": (10, 1),
    }


@pytest.mark.parametrize(
    ("in_keys", "out_key"), [(["observation"], "state_value"), (["observation", "action"], "state_action_value")]
)
def test_a_value_operator_names_its_result_by_what_it_reads(in_keys, out_key):
    td = TensorDict({"observation": torch.ones(4, 3), "action": torch.ones(4, 2)}, [4])
    assert ValueOperator(MLP(out_features=1), in_keys)(td)[out_key].shape == (4, 1)


def test_the_operators_of_a_shared_trunk_share_its_parameters():
    operator = shared()
    policy, value = operator.get_policy_operator(), operator.get_value_operator()
    assert policy[0] is value[0] is operator[0]
    assert (policy.out_keys, value.out_keys) == (["hidden", "logits", "action"], ["hidden", "state_value"])


def test_one_set_of_parameters_serves_policy_and_value():
    operator, td = shared(), TensorDict({"observation": torch.ones(3, 5)}, [3])
    params = from_module(operator)
    both = functional_call(operator, params, td, key=key)
    policy = functional_call(operator.policy, params, td, key=key)
    value = functional_call(operator.value, params, td)
    assert_close(policy["action"], both["action"])
    assert_close(value["state_value"], both["state_value"])
    assert "state_value" not in policy
    assert "action" not in value
    greedy = functional_call(operator.policy, params, td, exploration=ExplorationType.DETERMINISTIC)
    assert torch.equal(greedy["action"], both["logits"].argmax(-1))


def test_a_critic_values_the_action_of_the_policy_or_the_one_that_is_there():
    operator, td = actor_critic(), TensorDict({"observation": torch.ones(3, 5)}, [3])
    assert operator.get_critic_operator() is operator
    own, critic = operator(td), operator.get_value_operator()
    assert own["state_action_value"].shape == (3, 1)
    assert critic.in_keys == ["observation", "action"]
    given = td.set("action", own["action"])
    assert_close(critic(given)["state_action_value"], own["state_action_value"])
    assert not torch.equal(
        critic(given.set("action", own["action"] + 1))["state_action_value"], own["state_action_value"]
    )


def test_the_policy_is_improved_through_its_critic_with_one_set_of_parameters():
    operator, td = actor_critic(), TensorDict({"observation": torch.ones(3, 5)}, [3])
    params = from_module(operator)
    gradient = torch.func.grad(lambda p: functional_call(operator, p, td)["state_action_value"].sum())(params)
    assert (gradient["module", "1", "module", "weight"] != 0).any()
    value = functional_call(operator.value, params, td.set("action", torch.ones(3, 2)))
    assert "state_action_value" in value


def test_a_critic_that_does_not_read_the_action_is_refused():
    trunk = TensorDictModule(nn.Linear(5, 8), ["observation"], ["hidden"])
    with pytest.raises(
        ValueError, match=r"reads \['hidden'\] but the policy writes \['action'\]; .* ActorValueOperator"
    ):
        ActorCriticOperator(trunk, Actor(nn.Linear(8, 2), ["hidden"]), ValueOperator(nn.Linear(8, 1), ["hidden"]))


class Concat(nn.Linear):
    """The critic of the tutorials."""

    def forward(self, observation, action):
        return super().forward(torch.cat([observation, action], -1))


@pytest.mark.parametrize("critic", [lambda: Concat(4, 1), lambda: MLP(out_features=1)], ids=["own module", "MLP"])
def test_a_critic_may_take_observation_and_action_as_two_arguments(critic):
    value = TensorDictModule(critic(), ["observation", "action"], ["state_action_value"])
    td = TensorDict({"observation": torch.ones(10, 3), "action": torch.ones(10, 1)}, [10])
    assert value(td)["state_action_value"].shape == (10, 1)
