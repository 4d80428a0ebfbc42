import pytest
import torch

from frl import functional as F
from frl.functional.steps import check_rate, check_steps

values, flags = torch.ones(4, 2), torch.zeros(4, 2, dtype=torch.bool)
SEQUENCE_FUNCTIONS = [
    lambda **x: F.gae(value=x["reward"], **x, gamma=0.9, lambda_=0.9),
    lambda **x: F.td_lambda_returns(**x, gamma=0.9, lambda_=0.9),
    lambda **x: F.n_step_returns(**x, gamma=0.9, n=2),
    lambda **x: F.vtrace(value=x["reward"], log_ratio=x["reward"], **x, gamma=0.9),
    lambda **x: F.retrace(action_value=x["reward"], log_ratio=x["reward"], **x, gamma=0.9, lambda_=0.9),
]
fitting = {"reward": values, "next_value": values, "terminated": flags, "truncated": flags}


@pytest.mark.parametrize("function", SEQUENCE_FUNCTIONS)
@pytest.mark.parametrize("name", ["next_value", "terminated", "truncated"])
def test_a_trailing_axis_of_size_one_is_refused_never_broadcast(function, name):
    with pytest.raises(ValueError, match=rf"{name} has shape \[4, 2, 1\] but reward has \[4, 2\]; pass all per-step"):
        function(**{**fitting, name: fitting[name].unsqueeze(-1)})


@pytest.mark.parametrize("function", SEQUENCE_FUNCTIONS)
@pytest.mark.parametrize("name", ["terminated", "truncated"])
def test_flags_must_be_boolean(function, name):
    with pytest.raises(TypeError, match=rf"{name} is torch.float32 but must be torch.bool"):
        function(**{**fitting, name: flags.float()})


@pytest.mark.parametrize("function", SEQUENCE_FUNCTIONS)
def test_dtypes_must_agree(function):
    with pytest.raises(TypeError, match=r"next_value is torch.float64 but reward is torch.float32"):
        function(**{**fitting, "next_value": values.double()})


@pytest.mark.parametrize("function", SEQUENCE_FUNCTIONS)
def test_an_empty_time_axis_is_refused(function):
    with pytest.raises(ValueError, match=r"needs a time axis of at least one step"):
        function(**{name: x[:0] for name, x in fitting.items()})


def test_rewards_must_be_floating_point():
    with pytest.raises(TypeError, match=r"f: reward is torch.int64 but must be floating point"):
        check_steps("f", {"reward": torch.ones(3, dtype=torch.int64)})


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan")])
def test_a_rate_outside_zero_to_one_is_refused(rate):
    with pytest.raises(ValueError, match="f: gamma is"):
        check_rate("f", {"gamma": rate})


def test_a_rate_for_each_lane_is_refused():
    with pytest.raises(ValueError, match=r"f: gamma has shape \[2\] but must have \[\]; pass one number"):
        check_rate("f", {"gamma": torch.ones(2)})
