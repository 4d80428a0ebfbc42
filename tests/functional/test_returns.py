import pytest
import torch
from torch.testing import assert_close

from frl import functional as F
from frl import random
from tests.functional.reference import lanes, n_step_loop, patterns, reward_to_go_loop

no = torch.zeros(3, dtype=torch.bool)


def steps(T):
    keys = random.split(random.key(0))
    return (*(random.normal((T, 3**T), key, dtype=torch.float64) for key in keys), *patterns(T))


def test_a_discount_of_zero_ends_an_episode():
    returns = F.discounted_returns(torch.ones(3), torch.tensor([0.5, 0.0, 0.5]), torch.tensor(8.0))
    assert returns.tolist() == [1.5, 1.0, 5.0]


def test_the_bootstrap_must_be_one_value_for_each_lane():
    with pytest.raises(
        ValueError, match=r"last has shape \[4\] but must have \[2\]; pass the value after the last step"
    ):
        F.discounted_returns(torch.ones(4, 2), torch.ones(4, 2), torch.ones(4))


def test_three_step_returns_by_hand():
    reward, next_value = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([16.0, 16.0, 32.0])
    assert F.n_step_returns(reward, next_value, no, no, gamma=0.5, n=2).tolist() == [6.0, 12.0, 20.0]


def test_an_n_step_return_stops_at_termination_and_bootstraps_at_truncation():
    ones, eights = torch.ones(3), torch.full([3], 8.0)
    ends = torch.tensor([False, True, False])
    assert F.n_step_returns(ones, eights, ends, no, gamma=0.5, n=3).tolist() == [1.5, 1.0, 5.0]
    assert F.n_step_returns(ones, eights, no, ends, gamma=0.5, n=3).tolist() == [3.5, 5.0, 5.0]


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("n", [1, 2, 3, 6, 7])
@pytest.mark.parametrize("T", range(1, 7))
def test_every_pattern_of_ends_equals_the_loop(T, n, gamma):
    x = steps(T)
    assert_close(F.n_step_returns(*x, gamma, n), lanes(n_step_loop(gamma, n), *x), rtol=0, atol=1e-12)


def test_one_step_is_td0():
    reward, next_value, terminated, truncated = steps(6)
    returns = F.n_step_returns(reward, next_value, terminated, truncated, gamma=0.9, n=1)
    assert_close(returns, F.td0_targets(reward, next_value, terminated, gamma=0.9), rtol=1e-12, atol=1e-12)


def test_n_steps_are_one_step_iterated():
    reward, next_value, terminated, truncated = steps(6)
    last = terminated | truncated
    last[-1] = True
    value = next_value
    for n in range(1, 7):
        returns = F.n_step_returns(reward, next_value, terminated, truncated, gamma=0.9, n=n)
        assert_close(returns, F.td0_targets(reward, value, terminated, gamma=0.9), rtol=1e-12, atol=1e-12)
        value = torch.where(last, next_value, torch.cat([returns[1:], returns[-1:]]))


def test_more_steps_than_the_batch_has_are_the_lambda_return_at_one():
    reward, next_value, terminated, truncated = steps(5)
    returns = F.n_step_returns(reward, next_value, terminated, truncated, gamma=0.9, n=100)
    expected = F.td_lambda_returns(reward, next_value, terminated, truncated, gamma=0.9, lambda_=1.0)
    assert_close(returns, expected, rtol=1e-12, atol=1e-12)


def test_n_must_be_at_least_one():
    with pytest.raises(ValueError, match="n_step_returns: n is 0 but must be at least 1"):
        F.n_step_returns(torch.ones(3), torch.ones(3), no, no, gamma=0.9, n=0)


def test_rewards_to_go_stop_at_either_end_and_bootstrap_from_nothing():
    ones, ends = torch.ones(4), torch.tensor([False, True, False, False])
    assert F.reward_to_go(ones, ends, ~ones.bool(), gamma=0.5).tolist() == [1.5, 1.0, 1.5, 1.0]
    assert F.reward_to_go(ones, ~ones.bool(), ends, gamma=0.5).tolist() == [1.5, 1.0, 1.5, 1.0]


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("T", range(1, 7))
def test_rewards_to_go_of_every_pattern_of_ends_equal_the_loop(T, gamma):
    reward, _, *ends = steps(T)
    expected = lanes(reward_to_go_loop(gamma), reward, *ends)
    assert_close(F.reward_to_go(reward, *ends, gamma), expected, rtol=0, atol=1e-12)


def test_rewards_to_go_are_the_lambda_return_of_a_value_of_zero():
    reward, _, *ends = steps(6)
    expected = F.td_lambda_returns(reward, torch.zeros_like(reward), *ends, gamma=0.9, lambda_=1.0)
    assert_close(F.reward_to_go(reward, *ends, gamma=0.9), expected, rtol=0, atol=1e-12)
