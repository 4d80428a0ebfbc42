"""Several choices at once."""

import pytest
import torch

from frl import random
from frl.specs import MultiCategorical, MultiOneHot, OneHot

KEYS = random.split(random.key(1), 2000)


def test_a_multi_one_hot_spec_prints_its_box():
    assert repr(MultiOneHot([2, 3])) == (
        "MultiOneHot(\n"
        "    shape=torch.Size([5]),\n"
        "    space=CategoricalBox(n=(2, 3)),\n"
        "    device=cpu,\n"
        "    dtype=torch.int64,\n"
        "    domain=discrete)"
    )


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.float32])
def test_indices_and_one_hot_vectors_are_inverse_and_work_inside_vmap(dtype):
    spec, index = MultiOneHot([2, 3], dtype=dtype), torch.tensor([[1, 0], [0, 2]])
    value = spec.from_index(index)
    assert value.dtype == dtype
    assert value.int().tolist() == [[0, 1, 1, 0, 0], [1, 0, 0, 0, 1]]
    assert spec.to_index(value).equal(index)
    assert torch.func.vmap(spec.from_index)(index).equal(value)
    assert torch.func.vmap(spec.to_index)(value).equal(index)


def test_one_part_is_a_one_hot():
    one, many = OneHot(3), MultiOneHot([3])
    assert many.sample(KEYS).shape == one.sample(KEYS).shape
    for value in ([0, 1, 0], [1, 1, 0]):
        assert many.contains(torch.tensor(value)) == one.contains(torch.tensor(value))


def test_integers_and_one_hot_vectors_convert_into_each_other():
    assert MultiOneHot([2, 3], (4, 5)).to_categorical() == MultiCategorical([2, 3], (4, 2))
    assert MultiCategorical([2, 3], (4, 2)).to_one_hot() == MultiOneHot([2, 3], (4, 5))


def test_one_key_draws_the_same_choices_written_either_way():
    spec = MultiOneHot([2, 3])
    assert spec.to_index(spec.sample(KEYS)).equal(spec.to_categorical().sample(KEYS))


def test_the_index_of_a_multi_categorical_is_the_value():
    spec = MultiCategorical([2, 3], dtype=torch.int32)
    assert spec.to_index(torch.tensor([1, 2], dtype=torch.int32)).dtype == torch.int64
    assert spec.from_index(torch.tensor([1, 2])).dtype == torch.int32


def test_choices_are_equally_likely_and_parts_independent():
    index = MultiCategorical([2, 4]).sample(KEYS)
    share = torch.bincount(4 * index[:, 0] + index[:, 1]) / 2000
    assert share.shape == (8,)
    assert (share - 1 / 8).abs().max() < 0.03


@pytest.mark.parametrize(
    ("spec", "value", "inside"),
    [
        (MultiCategorical([2, 3]), [[1, 2], [2, 1], [0, -1]], [True, False, False]),
        (
            MultiOneHot([2, 3]),
            [[0, 1, 1, 0, 0], [0, 1, 0, 0, 0], [1, 1, 1, 0, 0], [0, 2, 1, 0, 0]],
            [True, False, False, False],
        ),
        (MultiOneHot([2, 1], (2, 3)), [[[0, 1, 1], [1, 0, 1]], [[0, 1, 1], [1, 0, 0]]], [True, False]),
    ],
)
def test_what_is_inside(spec, value, inside):
    assert spec.inside(torch.tensor(value)).tolist() == inside


def test_projections_are_the_nearest_choices():
    assert MultiCategorical([2, 3]).project(torch.tensor([9, 9])).tolist() == [1, 2]
    value = torch.tensor([0.1, 0.7, 0.2, -1.0, 0.9])
    assert MultiOneHot([2, 3]).project(value).tolist() == [0, 1, 0, 0, 1]


def test_other_numbers_of_choices_are_another_spec():
    assert MultiOneHot([2, 3]) != MultiOneHot([3, 2])
    assert MultiOneHot([2, 3]) != MultiCategorical([2, 3], 2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: MultiCategorical([2, 0]), "n is 0"),
        (lambda: MultiOneHot([0, 2]), "n is 0"),
        (lambda: MultiOneHot([]), "nvec is empty"),
        (lambda: MultiCategorical([2, 2], 3), "must end with len(nvec), which is 2"),
        (lambda: MultiOneHot([2, 2], 2), "must end with sum(nvec), which is 4"),
    ],
)
def test_errors_say_what_was_given(call, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        call()
    assert words in str(caught.value)
