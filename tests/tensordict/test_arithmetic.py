"""Arithmetic and comparison."""

import operator
import re

import pytest
import torch

from frl import TensorDict

X = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "eq", "ne", "lt", "le", "gt", "ge")
UNARY = """
abs neg sign exp expm1 log log1p log2 log10 sqrt rsqrt square reciprocal floor ceil round trunc frac sin cos tan tanh
sigmoid relu erf lgamma isnan isinf isfinite logical_not nan_to_num
"""


@pytest.fixture
def td():
    return TensorDict({"a": X, "n": {"b": X[:, 0]}}, [3])


@pytest.mark.parametrize("name", OPERATORS)
def test_two_tensordicts_meet_entry_by_entry(td, name):
    op = getattr(operator, name)
    result = op(td, td + 1)
    assert result["a"].equal(op(X, X + 1))
    assert result["n", "b"].equal(op(X[:, 0], X[:, 0] + 1))
    assert result.batch_size == torch.Size([3])


@pytest.mark.parametrize("name", OPERATORS)
def test_a_number_meets_every_entry_from_either_side(td, name):
    op = getattr(operator, name)
    assert op(td, 2)["a"].equal(op(X, 2))
    assert op(2, td)["n", "b"].equal(op(2, X[:, 0]))


@pytest.mark.parametrize("name", OPERATORS)
def test_a_tensor_of_the_batch_aligns_with_the_batch_axes_from_either_side(td, name):
    op, weight = getattr(operator, name), torch.tensor([1.0, 2.0, 3.0])
    assert op(td, weight)["a"].equal(op(X, weight[:, None]))
    assert op(weight, td)["a"].equal(op(weight[:, None], X))
    assert op(weight, td)["n", "b"].equal(op(weight, X[:, 0]))


@pytest.mark.parametrize("name", ["and_", "or_", "xor"])
def test_boolean_operators(name):
    op, x, y = getattr(operator, name), torch.tensor([True, True, False]), torch.tensor([True, False, False])
    td = TensorDict({"a": x}, [3])
    assert op(td, TensorDict({"a": y}, [3]))["a"].equal(op(x, y))
    assert op(y, td)["a"].equal(op(x, y))
    assert (~td)["a"].equal(~x)


@pytest.mark.parametrize("name", UNARY.split())
def test_functions_of_one_operand(td, name):
    assert getattr(td, name)()["n", "b"].equal(getattr(torch, name)(X[:, 0]))
    assert getattr(torch, name)(td)["a"].equal(getattr(torch, name)(X))


def test_signs():
    td = TensorDict({"a": torch.tensor([-1.0, 2.0])}, [2])
    assert (-td)["a"].tolist() == [1.0, -2.0]
    assert abs(td)["a"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "maximum", "minimum"])
def test_named_functions_of_two_operands(td, name):
    expected = getattr(torch, name)(X, X + 1)
    assert getattr(td, name)(td + 1)["a"].equal(expected)
    assert getattr(torch, name)(td, td + 1)["a"].equal(expected)


def test_lerp_moves_a_target_towards_parameters(td):
    assert td.lerp(td + 1, 0.25)["a"].equal(X + 0.25)
    assert torch.lerp(td, td + 1, 0.25)["a"].equal(X + 0.25)


def test_clamp_takes_numbers_tensors_of_the_batch_and_none(td):
    assert td.clamp(2, 4)["a"].tolist() == [[2.0, 2.0], [3.0, 4.0], [4.0, 4.0]]
    assert td.clamp(max=torch.tensor([1.0, 1.0, 9.0]))["a"].tolist() == [[1.0, 1.0], [1.0, 1.0], [5.0, 6.0]]


def test_where_takes_a_condition_of_the_batch(td):
    done = torch.tensor([True, False, False])
    assert td.where(done, -td)["a"][:, 0].tolist() == [1.0, -3.0, -5.0]
    assert torch.where(done, td, 0.0)["n", "b"].tolist() == [1.0, 0.0, 0.0]


def test_where_takes_a_condition_for_each_element(td):
    assert td.where(td > 3, 0.0)["a"].tolist() == [[0.0, 0.0], [0.0, 4.0], [5.0, 6.0]]


def test_event_shapes_broadcast_behind_the_batch_and_never_into_it():
    square = TensorDict({"a": torch.zeros(3, 3)}, [3])
    column = TensorDict({"a": torch.tensor([1.0, 2.0, 3.0])}, [3])
    assert (square + column)["a"][:, 0].tolist() == [1.0, 2.0, 3.0]
    assert (column + square).batch_size == torch.Size([3])


def test_the_longer_batch_of_a_nested_entry_stays():
    td = TensorDict({"n": TensorDict({"b": torch.ones(3, 2, 4)}, [3, 2])}, [3])
    assert (td * torch.tensor([1.0, 2.0, 3.0]))["n"].batch_size == torch.Size([3, 2])
    assert (td + td)["n", "b"].unique().tolist() == [2.0]


def test_equality_ignores_the_device(td):
    assert (td == td.to("cpu")).all() is True


def test_equality_with_something_else_is_false(td):
    assert (td == "text") is False
    assert td != None  # noqa: E711


def test_augmented_assignment_binds_a_new_value(td):
    before, sum_ = td, td
    sum_ += 1
    assert sum_["a"].equal(X + 1)
    assert before["a"] is X


def test_dtypes_promote_as_those_of_tensors():
    td = TensorDict({"a": torch.tensor([1, 2])}, [2])
    assert (td / 2)["a"].tolist() == [0.5, 1.0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda td: td + td.select("a"), "only one of the TensorDicts has the entries ['n']"),
        (lambda td: td + td[:2], "batch sizes [3] and [2]"),
        (lambda td: td + td.update({"n": torch.zeros(3)}), "entry 'n' is a tensor in one"),
        (lambda td: td * torch.ones(2), "shape [2], which does not broadcast to the batch size [3]"),
        (lambda td: torch.ones(3, 2) * td, "shape [3, 2], which does not broadcast"),
    ],
)
def test_operands_that_do_not_fit_are_named(td, call, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        call(td)


def test_an_operand_of_another_kind_is_a_type_error(td):
    with pytest.raises(TypeError):
        td + "text"
