"""Specs from Gymnasium's spaces, and back."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from frl import random
from frl.specs import (
    Binary,
    Bounded,
    Categorical,
    Composite,
    MultiCategorical,
    MultiOneHot,
    OneHot,
    Unbounded,
    from_gymnasium,
    to_gymnasium,
)

PAIRS = {
    "bounded": (spaces.Box(-2.0, 2.0, (1,)), Bounded(-2.0, 2.0, 1)),
    "bounds of each element": (
        spaces.Box(np.float32([-1, 0]), np.float32([1, 5])),
        Bounded(torch.tensor([-1.0, 0.0]), torch.tensor([1.0, 5.0])),
    ),
    "half-bounded": (spaces.Box(0.0, np.inf, (2,)), Bounded(0.0, float("inf"), 2)),
    "unbounded": (spaces.Box(-np.inf, np.inf, (3,)), Unbounded(3)),
    "float64": (spaces.Box(-1.0, 1.0, (2,), np.float64), Bounded(-1.0, 1.0, 2, dtype=torch.float64)),
    "pixels": (spaces.Box(0, 255, (4, 4, 3), np.uint8), Bounded(0, 255, (4, 4, 3), dtype=torch.uint8)),
    "discrete": (spaces.Discrete(3), Categorical(3)),
    "multi-discrete": (spaces.MultiDiscrete([2, 3]), MultiCategorical([2, 3])),
    "multi-binary": (spaces.MultiBinary([4]), Binary(4)),
    "multi-binary, two axes": (spaces.MultiBinary([4, 2]), Binary((4, 2))),
    "dict": (
        spaces.Dict({"a": spaces.Discrete(2), "n": spaces.Dict({"b": spaces.Box(0.0, 1.0, (2,))})}),
        Composite({"a": Categorical(2), "n": {"b": Bounded(0.0, 1.0, 2)}}),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_space_and_its_spec_convert_into_each_other(name):
    space, spec = PAIRS[name]
    assert from_gymnasium(space) == spec
    assert to_gymnasium(spec) == space


@pytest.mark.parametrize("name", [name for name in PAIRS if name != "dict"])
def test_draws_of_either_side_are_contained_in_the_other(name):
    space, spec = PAIRS[name]
    assert space.contains(np.asarray(spec.sample(random.key(0))))
    space.seed(0)
    assert spec.contains(torch.as_tensor(space.sample()))


@pytest.mark.parametrize("spec", [OneHot(3), MultiOneHot([2, 3])])
def test_one_hot_vectors_become_a_multi_binary_that_contains_them(spec):
    space = to_gymnasium(spec)
    assert space == spaces.MultiBinary(list(spec.shape))
    assert space.contains(spec.sample(random.key(0)).numpy())


def test_the_choices_of_one_hot_vectors_are_a_multi_discrete():
    assert to_gymnasium(MultiOneHot([2, 3]).to_categorical()) == spaces.MultiDiscrete([2, 3])
    assert from_gymnasium(spaces.MultiDiscrete([2, 3])).to_one_hot() == MultiOneHot([2, 3])


def test_a_categorical_of_several_elements_becomes_a_multi_discrete():
    assert to_gymnasium(Categorical(3, 2)) == spaces.MultiDiscrete([3, 3])


@pytest.mark.parametrize(
    ("space", "error", "words"),
    [
        (spaces.Discrete(3, start=1), ValueError, "starts at 1"),
        (spaces.MultiDiscrete([2, 2], start=[0, 1]), ValueError, "starts at [0 1]"),
        (spaces.MultiDiscrete([[2, 2]]), ValueError, "has 2 axes"),
        (spaces.Tuple([spaces.Discrete(2)]), TypeError, "Turn a Tuple into a Dict"),
        (spaces.Text(3), TypeError, "has no spec"),
    ],
)
def test_spaces_without_a_spec_are_named_with_the_remedy(space, error, words):
    with pytest.raises(error) as caught:
        from_gymnasium(space)
    assert words in str(caught.value)
