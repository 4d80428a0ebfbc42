import pytest

from frl.algorithms import DQNConfig, PPOConfig, SACConfig
from frl.cli.errors import UsageError
from frl.cli.vary import Axis, axes, combinations, flag


def values(spec: str) -> tuple[float, ...]:
    return axes([("gamma", spec)], PPOConfig())[0].values


def test_values_are_spaced_by_ratio_or_by_difference_or_given_one_by_one():
    assert values("log:1e-4:1e-2:5") == (0.0001, 0.000316228, 0.001, 0.00316228, 0.01)
    assert values("linear:0.8:1:3") == (0.8, 0.9, 1.0)
    assert values("0.9,0.95,0.99") == (0.9, 0.95, 0.99)
    assert values("linear:0.5:1:1") == values("0.5") == (0.5,)


def test_values_have_six_digits_so_that_they_can_be_given_again():
    assert all(float(f"{value:g}") == value for value in values("log:1e-4:1e-2:32"))


@pytest.mark.parametrize("name", ["learning-rate", "learning_rate", "--learning-rate"])
def test_names_are_those_of_the_flags(name: str):
    assert axes([(name, "log:1:2:2")], PPOConfig()) == [Axis("learning_rate", (1.0, 2.0), True)]


def test_a_name_that_python_reserves_needs_no_underscore():
    assert axes([("lambda", "0.9")], PPOConfig()) == axes([("lambda_", "0.9")], PPOConfig())


def test_what_is_a_number_or_chosen_by_the_algorithm_may_vary():
    assert axes([("target-entropy", "-2,-1")], SACConfig())[0].values == (-2.0, -1.0)


def test_combinations_are_those_of_all_values():
    found = combinations(axes([("gamma", "0.9,0.99"), ("clip", "0.1,0.2,0.3")], PPOConfig()))
    assert [tuple(each.values()) for each in found[:4]] == [(0.9, 0.1), (0.9, 0.2), (0.9, 0.3), (0.99, 0.1)]
    assert len(found) == 6
    assert combinations([]) == [{}]


def test_a_flag_is_spelt_as_on_the_command_line():
    assert [flag(name) for name in ("gamma", "max_grad_norm", "lambda_")] == ["gamma", "max-grad-norm", "lambda_"]


@pytest.mark.parametrize(
    ("name", "spec", "message"),
    [
        ("lerning-rate", "0.1", "there is no hyperparameter 'lerning-rate'; there are: learning-rate, anneal-updates"),
        ("num-epochs", "1,2", "members cannot differ in num-epochs, for they are one program"),
        ("gamma", "lag:1:2:3", "'lag:1:2:3' is no specification of values; write log:LOW:HIGH:COUNT"),
        ("gamma", "log", "'log' is no specification of values"),
        ("gamma", "log:1:2", "'log:1:2' is no specification of values"),
        ("gamma", "log:1:2:0", "the count is 0 but must be a whole number of at least 1"),
        ("gamma", "log:1:2:-3", "the count is -3 but must be a whole number of at least 1"),
        ("gamma", "log:1:2:1.5", "the count is 1.5 but must be a whole number of at least 1"),
        ("gamma", "linear:2:1:3", "the lowest value is 2 but must be below 1, the highest"),
        ("gamma", "linear:1:1:3", "the lowest value is 1 but must be below 1, the highest"),
        ("gamma", "log:0:1:3", "the lowest value is 0 but a logarithm needs one above 0"),
        ("gamma", "log:-1:1:3", "the lowest value is -1 but a logarithm needs one above 0"),
        ("gamma", "0.9,,0.99", "'' is no number; write log:LOW:HIGH:COUNT"),
        ("gamma", "linear:a:1:3", "'a' is no number"),
        ("gamma", "nan", "nan is not finite"),
        ("gamma", "log:1:inf:3", "inf is not finite"),
        ("gamma", "0.9,0.90", "a value is there twice; give each once"),
    ],
)
def test_what_cannot_vary_is_named(name: str, spec: str, message: str):
    with pytest.raises(UsageError, match="--vary") as caught:
        axes([(name, spec)], PPOConfig())
    assert message in str(caught.value)


def test_a_switch_cannot_vary():
    with pytest.raises(UsageError, match="members cannot differ in double"):
        axes([("double", "0,1")], DQNConfig())


def test_a_name_that_is_given_twice_is_named():
    with pytest.raises(UsageError, match="learning-rate is given twice; give all its values at once"):
        axes([("learning-rate", "0.1"), ("learning_rate", "0.2")], PPOConfig())
