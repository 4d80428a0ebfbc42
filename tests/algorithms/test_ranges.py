"""The ranges of hyperparameters, by their names."""

import pytest

from frl.algorithms.ranges import is_fraction, require_ranges


def test_a_setting_out_of_range_is_named():
    with pytest.raises(ValueError, match="a2c: lambda_ is 2 but must be at most 1"):
        require_ranges("a2c", {"lambda_": 2, "max_grad_norm": 1})


@pytest.mark.parametrize(
    ("name", "value", "bound"),
    [
        ("num_epochs", 0, "at least 1"),
        ("target_period", 0.5, "at least 1"),
        ("clip", 0.0, "above 0"),
        ("learning_rate", -1.0, "at least 0"),
        ("gamma", 1.5, "at most 1"),
    ],
)
def test_each_kind_of_setting_has_its_bound(name, value, bound):
    with pytest.raises(ValueError, match=f"sac: {name} is {value} but must be {bound}"):
        require_ranges("sac", {name: value})


def test_a_target_entropy_may_be_any_number():
    require_ranges("sac", {"target_entropy": -3.0})


def test_only_what_has_both_bounds_is_a_fraction():
    assert is_fraction("lambda_")
    assert not is_fraction("entropy_cost")
    assert not is_fraction("target_entropy")
