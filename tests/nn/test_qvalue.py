import pytest
import torch
from torch import nn
from torch.testing import assert_close

from frl import TensorDict, envs, random
from frl.nn import MLP, QValueActor, QValueModule, TensorDictModule, TensorDictSequential, from_module, functional_call
from frl.specs import Categorical, OneHot

TD = TensorDict({"action_value": torch.tensor([[0.0, 2.0, 1.0], [3.0, 2.0, 1.0]])}, [2])


def test_it_reads_the_values_and_writes_the_greedy_action_and_its_value():
    td = QValueModule(spec=OneHot(3))(TD)
    assert td["action"].tolist() == [[0, 1, 0], [1, 0, 0]]
    assert td["chosen_action_value"].tolist() == [[2.0], [3.0]]
    assert td["action_value"] is TD["action_value"]


def test_the_action_space_is_a_name_a_spec_or_none_beside_a_spec():
    given = [
        QValueModule("one_hot"),
        QValueModule(action_space=OneHot(3)),
        QValueModule(action_space=None, spec=OneHot(3)),
        QValueModule(spec=OneHot(3)),
    ]
    assert all(torch.equal(module(TD)["action"], given[0](TD)["action"]) for module in given)


def test_an_action_that_is_not_allowed_is_not_chosen():
    td = TD.set("mask", torch.tensor([[True, False, True], [False, False, True]]))
    result = QValueModule("categorical", action_mask_key="mask")(td)
    assert result["action"].tolist() == [2, 2]
    assert result["chosen_action_value"].tolist() == [[1.0], [1.0]]


def test_entries_may_have_other_names():
    td = TensorDict({"q": torch.tensor([0.0, 1.0])})
    result = QValueModule("categorical", action_value_key="q", out_keys=["a", ("best", "q")])(td)
    assert (result["a"].item(), result["best", "q"].tolist()) == (1, [1.0])


def test_the_gradient_of_the_chosen_value_goes_into_it_alone():
    value = TD["action_value"].clone().requires_grad_()
    QValueModule("one_hot")(TensorDict({"action_value": value}, [2]))["chosen_action_value"].sum().backward()
    assert value.grad.tolist() == [[0, 1, 0], [1, 0, 0]]


def test_in_an_environment_it_has_the_shapes_of_the_tutorial():
    env = envs.make("CartPole-v1")
    policy = TensorDictSequential(
        TensorDictModule(MLP(4, 2, num_cells=[32, 32]), ["observation"], ["action_value"]),
        QValueModule(spec=env.action_spec),
    )
    td = env.rollout(3, policy, key=random.key(0))
    entries = {name: (tuple(td[name].shape), td[name].dtype) for name in policy.out_keys}
    assert entries == {
        "action_value": ((3, 2), torch.float32),
        "action": ((3, 2), torch.int64),
        "chosen_action_value": ((3, 1), torch.float32),
    }


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_actor_is_the_network_and_the_choice(wrapped):
    net = nn.Linear(4, 3)
    actor = QValueActor(TensorDictModule(net, ["pixels"], ["action_value"]) if wrapped else net, spec=Categorical(3))
    assert actor.in_keys == ["pixels" if wrapped else "observation"]
    td = TensorDict({actor.in_keys[0]: torch.ones(5, 4)}, [5])
    by_hand = QValueModule(spec=Categorical(3))(actor[0](td))
    assert_close(dict(actor(td).items()), dict(by_hand.items()))
    assert_close(dict(functional_call(actor, from_module(actor), td).items()), dict(by_hand.items()))
