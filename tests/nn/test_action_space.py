import pytest
import torch

from frl.nn.action_space import ActionSpace, action_space
from frl.specs import Binary, Categorical, Composite, MultiCategorical, OneHot

VALUE = torch.tensor([[1.0, 3.0, -2.0, 5.0, 4.0]])
EXPECTED = {
    "one_hot": ((5,), [0, 0, 0, 1, 0], 5.0),
    "categorical": ((5,), 3, 5.0),
    "binary": ((5,), [1, 1, 0, 1, 1], 13.0),
    "mult_one_hot": ((2, 3), [0, 1, 0, 1, 0], 8.0),
    "mult_categorical": ((2, 3), [1, 1], 8.0),
}


@pytest.mark.parametrize("kind", EXPECTED)
def test_the_greedy_action_and_its_value(kind):
    sizes, action, value = EXPECTED[kind]
    space = ActionSpace(kind, sizes)
    greedy = space.greedy(VALUE)
    assert greedy.tolist() == [action]
    assert greedy.dtype == torch.int64
    assert space.value_of(VALUE, greedy).tolist() == [[value]]


@pytest.mark.parametrize(
    ("kind", "action", "value"),
    [
        ("one_hot", [0, 0, 1, 0, 0], -2.0),
        ("categorical", 2, -2.0),
        ("binary", [0, 0, 1, 0, 1], 2.0),
        ("mult_one_hot", [1, 0, 0, 0, 1], 5.0),
        ("mult_categorical", [0, 2], 5.0),
    ],
)
def test_the_value_of_another_action(kind, action, value):
    space = ActionSpace(kind, EXPECTED[kind][0])
    assert space.value_of(VALUE, torch.tensor([action])).tolist() == [[value]]


def test_the_first_of_equal_values_is_taken_and_only_that():
    equal = torch.zeros(4, 3)
    assert ActionSpace("one_hot").greedy(equal).tolist() == [[1, 0, 0]] * 4
    assert ActionSpace("categorical").greedy(equal).tolist() == [0] * 4


@pytest.mark.parametrize(
    ("spec", "kind", "sizes"),
    [
        (OneHot(3, dtype=torch.int32), "one_hot", (3,)),
        (Categorical(3).expand(4), "categorical", (3,)),
        (Binary(3), "binary", (3,)),
        (MultiCategorical([2, 3]), "mult_categorical", (2, 3)),
        (Composite({"action": OneHot(3)}), "one_hot", (3,)),
    ],
)
def test_a_spec_says_kind_sizes_and_dtype(spec, kind, sizes):
    space = action_space("test", spec)
    dtype = spec["action"].dtype if isinstance(spec, Composite) else spec.dtype
    assert space == ActionSpace(kind, sizes, dtype) == action_space("test", None, spec)
    assert space.greedy(torch.zeros(sum(sizes))).dtype == dtype


def test_a_spec_of_several_one_hot_vectors_is_known_by_its_name():
    class MultiOneHot(OneHot):
        nvec = (2, 3)

    assert action_space("test", MultiOneHot(5)) == ActionSpace("mult_one_hot", (2, 3))


def test_names_may_have_hyphens():
    assert action_space("test", "mult-one-hot", var_nums=[2, 3]) == ActionSpace("mult_one_hot", (2, 3))
