import numpy as np
import pytest
import torch
from gymnasium import spaces

from frl.envs.spaces import scalar_type, single_precision, to_action_spec, to_observation_spec
from frl.specs import Binary, Bounded, Categorical, MultiCategorical, MultiOneHot, OneHot

BOX = spaces.Box(-1, 1, (2,))

ACTIONS = [
    (spaces.Discrete(3), False, OneHot(3)),
    (spaces.Discrete(3), True, Categorical(3)),
    (spaces.MultiDiscrete([2, 3]), False, MultiOneHot([2, 3])),
    (spaces.MultiDiscrete([2, 3]), True, MultiCategorical([2, 3])),
    (spaces.MultiBinary(3), False, Binary(3)),
    (spaces.MultiBinary(3), True, Binary(3)),
    (BOX, False, Bounded(-1.0, 1.0, 2)),
]


@pytest.mark.parametrize(("space", "categorical", "spec"), ACTIONS)
def test_the_spec_of_an_action(space, categorical, spec):
    assert to_action_spec(space, categorical) == spec


def test_several_actions_at_once_are_refused():
    with pytest.raises(TypeError, match="several entries; flatten"):
        to_action_spec(spaces.Dict({"a": BOX}))


def test_an_observation_is_one_entry_or_those_of_a_dict():
    assert list(to_observation_spec(BOX)) == ["observation"]
    assert list(to_observation_spec(spaces.Dict({"b": BOX, "a": BOX}))) == ["a", "b"]


def test_float64_becomes_float32_and_nothing_else_changes():
    double = spaces.Box(-1, 1, (2,), np.float64)
    assert single_precision(spaces.Dict({"x": double}))["x"] == BOX
    assert single_precision(spaces.Discrete(3)) == spaces.Discrete(3)
    assert single_precision(spaces.Box(0, 255, (2,), np.uint8)).dtype == np.uint8


def test_spaces_have_the_floating_point_numbers_of_the_tensors():
    assert scalar_type("CartPole", torch.float32) is np.float32
    with pytest.raises(TypeError, match=r"CartPole: dtype is torch\.bool but must be one of"):
        scalar_type("CartPole", torch.bool)
