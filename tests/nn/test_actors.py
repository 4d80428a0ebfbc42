import pytest
import torch
from torch import nn
from torch.testing import assert_close

from frl import TensorDict, random
from frl.distributions import Normal
from frl.nn import (
    MLP,
    Actor,
    ExplorationType,
    NormalParamExtractor,
    ProbabilisticActor,
    TensorDictModule,
    ValueOperator,
    from_module,
    functional_call,
)
from tests.nn.registry import shared

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
