"""One choice among finitely many."""

import pytest
import torch

from frl import random
from frl.specs import Binary, Categorical, OneHot

KEYS = random.split(random.key(1), 2000)


def test_a_one_hot_spec_prints_its_box():
    assert repr(OneHot(2)) == (
        "OneHot(\n"
        "    shape=torch.Size([2]),\n"
        "    space=CategoricalBox(n=2),\n"
        "    device=cpu,\n"
        "    dtype=torch.int64,\n"
        "    domain=discrete)"
    )


def test_index_and_one_hot_are_inverse_and_work_inside_vmap():
    spec, index = OneHot(3), torch.tensor([[2, 0], [1, 1]])
    value = spec.from_index(index)
    assert value[0].tolist() == [[0, 0, 1], [1, 0, 0]]
    assert spec.to_index(value).equal(index)
    assert torch.func.vmap(spec.from_index)(index).equal(value)


def test_one_hot_of_booleans_has_an_index_too():
    spec = OneHot(3, dtype=torch.bool)
    assert spec.to_index(spec.from_index(torch.tensor([2, 1]))).tolist() == [2, 1]


def test_categorical_and_one_hot_convert_into_each_other():
    assert OneHot(3, (2, 3)).to_categorical() == Categorical(3, 2)
    assert Categorical(3, 2).to_one_hot() == OneHot(3, (2, 3))


def test_the_index_of_a_categorical_is_the_value():
    spec = Categorical(3, dtype=torch.int32)
    assert spec.to_index(torch.tensor([2, 1], dtype=torch.int32)).tolist() == [2, 1]
    assert spec.from_index(torch.tensor([2])).dtype == torch.int32


def test_choices_are_equally_likely():
    for share in (OneHot(4).sample(KEYS).double().mean(0), torch.bincount(Categorical(4).sample(KEYS)) / 2000):
        assert (share - 0.25).abs().max() < 0.05
    assert (Binary(3).sample(KEYS).double().mean(0) - 0.5).abs().max() < 0.05


@pytest.mark.parametrize(
    ("spec", "value", "inside"),
    [
        (OneHot(2), [[0, 1], [1, 1], [0, 0], [0, 2]], [True, False, False, False]),
        (OneHot(2, (2, 2)), [[[0, 1], [1, 0]], [[0, 1], [1, 1]]], [True, False]),
        (Categorical(2), [0, 1, 2, -1], [True, True, False, False]),
        (Binary(2), [[0, 1], [0, 2]], [True, False]),
    ],
)
def test_what_is_inside(spec, value, inside):
    assert spec.inside(torch.tensor(value)).tolist() == inside


def test_projections_are_the_nearest_choices():
    assert OneHot(3).project(torch.tensor([0.1, 0.7, 0.2])).tolist() == [0, 1, 0]
    assert Categorical(3).project(torch.tensor([-2, 1, 9])).tolist() == [0, 1, 2]
    assert Binary(2).project(torch.tensor([-1.0, 0.7])).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: OneHot(0), "n is 0"),
        (lambda: Categorical(-1), "n is -1"),
        (lambda: OneHot(3, (3, 2)), "must end with n, which is 3"),
        (lambda: Categorical(3, dtype=torch.bool), "a boolean has 2 values"),
    ],
)
def test_errors_say_what_was_given(call, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        call()
    assert words in str(caught.value)
