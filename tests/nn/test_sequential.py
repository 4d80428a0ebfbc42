import pytest
import torch
from torch import nn
from torch.testing import assert_close

from frl import TensorDict, random
from frl.nn import TensorDictModule, TensorDictSequential, set_exploration_type
from frl.nn.exploration_type import ExplorationType
from tests.nn.registry import composite, demo, drawn_twice, gru

td = TensorDict({"observation": torch.ones(3, 5)}, [3])


def double(in_key, out_key):
    return TensorDictModule(lambda x: 2 * x, [in_key], [out_key])


def test_keys_are_what_no_one_writes_before_and_all_that_is_written():
    sequence = demo()
    assert sequence.in_keys == ["observation"]
    assert sequence.out_keys == ["hidden", "action", "value"]


def test_an_entry_that_is_read_before_it_is_overwritten_is_an_input():
    assert gru().in_keys == ["input", "hidden"]
    assert gru().out_keys == ["hidden", "loc", "scale", "action", "sample_log_prob"]


def test_an_entry_whose_parts_are_written_is_no_input_and_neither_is_a_part_of_one():
    assert composite().in_keys == ["observation"]
    whole = TensorDictModule(lambda x: TensorDict({"a": x}, [3]), ["x"], ["y"])
    assert TensorDictSequential(whole, double(("y", "a"), "z")).in_keys == ["x"]
    assert TensorDictSequential(double("x", ("next", "x")), double(("next", "y"), "z")).in_keys == ["x", ("next", "y")]


def test_it_is_its_modules_called_by_hand():
    backbone, actor, value = sequence = demo()
    by_hand = value(actor(backbone(td)))
    result = sequence(td)
    assert {key: tuple(x.shape) for key, x in result.items()} == {
        "action": (3, 4),
        "hidden": (3, 3),
        "observation": (3, 5),
        "value": (3, 1),
    }
    for key in result:
        assert torch.equal(result[key], by_hand[key])


def test_sequences_nest():
    inner = TensorDictSequential(double("observation", "x"), double("x", "y"))
    outer = TensorDictSequential(inner, double("y", "z"))
    assert (outer.in_keys, outer.out_keys, len(outer)) == (["observation"], ["x", "y", "z"], 2)
    assert outer(td)["z"][0, 0] == 8


def test_the_only_module_that_draws_gets_the_key_itself():
    sequence, key = gru(), random.key(5)
    td = TensorDict({"input": torch.ones(3, 4), "hidden": torch.ones(3, 8)}, [3])
    by_hand = sequence[2](sequence[1](sequence[0](td)), key=key)
    assert torch.equal(sequence(td, key=key)["action"], by_hand["action"])


def test_each_of_several_modules_that_draw_gets_a_key_of_its_own():
    sequence, key = drawn_twice(), random.key(5)
    first, second = random.split(key)
    by_hand = sequence[3](sequence[2](sequence[1](sequence[0](td), key=first)), key=second)
    result = sequence(td, key=key)
    assert torch.equal(result["latent"], by_hand["latent"])
    assert torch.equal(result["action"], by_hand["action"])


def test_without_a_key_a_drawing_sequence_names_the_module_and_the_argument():
    with pytest.raises(TypeError, match=r"ProbabilisticTensorDictModule\(\['loc', 'scale'\].* needs key="):
        drawn_twice()(td)


def test_an_argument_goes_before_the_context():
    sequence, key = drawn_twice(), random.key(0)
    with set_exploration_type(ExplorationType.MODE):
        drawn = sequence(td, key=key, exploration=ExplorationType.RANDOM)
    assert torch.equal(drawn["latent"], sequence(td, key=key)["latent"])


def test_get_dist_is_the_distribution_of_the_last_module():
    sequence = gru()
    before = TensorDict({"input": torch.ones(3, 4), "hidden": torch.ones(3, 8)}, [3])
    after = sequence(before, key=random.key(0))
    assert_close(sequence.get_dist(before).loc, after["loc"])
    assert_close(sequence.log_prob(before.set("action", after["action"])), after["sample_log_prob"])


def test_the_log_prob_of_a_sequence_within_a_sequence_is_that_of_its_value():
    inner = drawn_twice()
    nested = TensorDictSequential(double("observation", "other"), TensorDictSequential(inner[2], inner[3]))
    after = inner(td, key=random.key(0))
    assert_close(nested.log_prob(after), after["sample_log_prob"])


def test_get_dist_of_a_deterministic_sequence_is_refused():
    with pytest.raises(TypeError, match="the last module is a TensorDictModule, without distribution"):
        demo().get_dist(td)


@pytest.mark.parametrize("module", [nn.Linear(1, 1), torch.tanh], ids=["module", "function"])
def test_a_module_without_keys_is_refused_with_the_remedy(module):
    with pytest.raises(TypeError, match=r"TensorDictSequential: module 1 is a .*; wrap it as TensorDictModule\("):
        TensorDictSequential(double("x", "y"), module)


def test_parameters_are_those_of_all_modules():
    assert len(list(demo().parameters())) == 10


def test_training_by_backward_and_torch_optim_works():
    sequence = demo()
    optimizer = torch.optim.SGD(sequence.parameters(), lr=0.1)
    losses = []
    for _ in range(3):
        loss = (sequence(td)["value"] - 1).square().mean()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[2] < losses[1] < losses[0]
