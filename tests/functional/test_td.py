import itertools

import pytest
import torch
from torch.testing import assert_close

from frl import functional as F
from frl import random
from tests.functional.reference import lanes, patterns, td_lambda_loop

no = torch.zeros(3, dtype=torch.bool)
grid = pytest.mark.parametrize(("gamma", "lambda_"), list(itertools.product([0.0, 0.5, 1.0], repeat=2)))


def steps(T, seed=0):
    """reward and next_value [T, 3^T], and every pattern of ends."""
    keys = random.split(random.key(seed))
    return (*(random.normal((T, 3**T), key, dtype=torch.float64) for key in keys), *patterns(T))


def test_only_termination_makes_the_next_value_worthless():
    targets = F.td0_targets(torch.ones(2), torch.full([2], 10.0), torch.tensor([True, False]), gamma=0.5)
    assert targets.tolist() == [1.0, 6.0]


def test_a_truncated_lambda_return_ends_in_the_value_of_its_true_successor():
    reward, next_value = torch.ones(3), torch.tensor([2.0, 4.0, 8.0])
    cut = torch.tensor([False, True, False])
    returns = F.td_lambda_returns(reward, next_value, no, cut, gamma=0.5, lambda_=1.0)
    assert returns.tolist() == [1 + 0.5 * 3, 1 + 0.5 * 4, 1 + 0.5 * 8]


def test_a_terminated_lambda_return_is_its_reward():
    reward, next_value = torch.ones(2), torch.tensor([torch.nan, 8.0])
    returns = F.td_lambda_returns(reward, next_value, torch.tensor([True, False]), no[:2], gamma=0.5, lambda_=0.5)
    assert returns.tolist() == [1.0, 5.0]


@grid
@pytest.mark.parametrize("T", range(1, 7))
def test_every_pattern_of_ends_equals_the_loop(T, gamma, lambda_):
    x = steps(T)
    assert_close(F.td_lambda_returns(*x, gamma, lambda_), lanes(td_lambda_loop(gamma, lambda_), *x), rtol=0, atol=1e-12)


def test_lambda_zero_is_td0():
    reward, next_value, terminated, truncated = steps(6)
    returns = F.td_lambda_returns(reward, next_value, terminated, truncated, gamma=0.9, lambda_=0.0)
    assert_close(returns, F.td0_targets(reward, next_value, terminated, gamma=0.9), rtol=1e-12, atol=1e-12)


def test_lambda_one_is_the_monte_carlo_return():
    reward, next_value, terminated, truncated = steps(6)
    ended = terminated | truncated
    tail = torch.where(truncated & ~terminated, next_value, 0.0)
    discount = torch.where(ended, 0.0, torch.full_like(reward, 0.9))
    expected = F.discounted_returns(reward + 0.9 * tail, discount, next_value[-1])
    returns = F.td_lambda_returns(reward, next_value, terminated, truncated, gamma=0.9, lambda_=1.0)
    assert_close(returns, expected, rtol=1e-12, atol=1e-12)


def test_a_batch_with_ends_inside_equals_its_trajectories_one_by_one():
    keys = random.split(random.key(0))
    x = [random.normal((9, 1), key) for key in keys] + [torch.zeros(9, 1, dtype=torch.bool) for _ in range(2)]
    x[2][2], x[3][6] = True, True
    parts = [F.td_lambda_returns(*[s[i:j] for s in x], gamma=0.9, lambda_=0.8) for i, j in [(0, 3), (3, 7), (7, 9)]]
    assert_close(F.td_lambda_returns(*x, gamma=0.9, lambda_=0.8), torch.cat(parts))


def test_shifting_the_potential_of_states_shifts_the_return():
    reward, _, terminated, truncated = steps(6)
    value, potential = (random.normal((7, 729), random.key(s), dtype=torch.float64) for s in (8, 9))
    before, after = potential[:-1], torch.where(terminated, 0.0, potential[1:])
    shaped = F.td_lambda_returns(
        reward + 0.9 * after - before, value[1:] - after, terminated, truncated, gamma=0.9, lambda_=0.7
    )
    plain = F.td_lambda_returns(reward, value[1:], terminated, truncated, gamma=0.9, lambda_=0.7)
    assert_close(shaped, plain - before, rtol=1e-12, atol=1e-12)
