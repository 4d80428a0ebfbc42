import itertools

import pytest
import torch
from torch.testing import assert_close

from frl import functional as F
from frl import random
from tests.functional.reference import lanes, patterns, retrace_loop

no = torch.zeros(3, dtype=torch.bool)
grid = pytest.mark.parametrize(("gamma", "lambda_"), list(itertools.product([0.0, 0.5, 1.0], repeat=2)))


def batch(T, N, seed=0):
    """reward, action_value, next_value and log_ratio [T, N] in float64."""
    return [random.normal((T, N), key, dtype=torch.float64) for key in random.split(random.key(seed), 4)]


def test_three_steps_by_hand():
    reward, fours = torch.tensor([1.0, 2.0, 3.0]), torch.full([3], 4.0)
    log_ratio = torch.tensor([0.0, 0.5, 8.0]).log()
    # δ = r + 0.5·4 − 4 = [−1, 0, 1]; c = [0, 0.5, 1], of which the first plays no part
    target = F.retrace(reward, fours, fours, no, no, log_ratio, gamma=0.5, lambda_=1.0)
    assert target.tolist() == pytest.approx([4 - 1 + 0.25 * 0.5, 4 + 0.5, 5.0])


def test_truncation_bootstraps_but_termination_does_not():
    ones, tens, zeros = torch.ones(2), torch.full([2], 10.0), torch.zeros(2)
    terminated, truncated = torch.tensor([True, False]), torch.tensor([False, True])
    target = F.retrace(ones, zeros, tens, terminated, truncated, zeros, gamma=0.5, lambda_=1.0)
    assert target.tolist() == [1.0, 6.0]


def test_a_terminated_steps_next_value_is_not_read():
    next_value = torch.tensor([torch.nan, 1.0]).requires_grad_()
    ones, terminated = torch.ones(2), torch.tensor([True, False])
    target = F.retrace(ones, ones, next_value, terminated, no[:2], 0 * ones, gamma=0.5, lambda_=0.5)
    assert target.tolist() == [1.0, 1.5]
    assert torch.autograd.grad(target.sum(), next_value)[0].tolist() == [0.0, 0.5]


@grid
@pytest.mark.parametrize("T", range(1, 6))
def test_every_pattern_of_ends_equals_the_sum(T, gamma, lambda_):
    *values, log_ratio = batch(T, 3**T)
    steps = (*values, *patterns(T), log_ratio)
    expected = lanes(retrace_loop(gamma, lambda_), *steps)
    assert_close(F.retrace(*steps, gamma, lambda_), expected, rtol=1e-12, atol=1e-12)


def test_a_batch_with_ends_inside_equals_its_trajectories_one_by_one():
    *values, log_ratio = batch(12, 1)
    steps = (*values, *(torch.zeros(12, 1, dtype=torch.bool) for _ in range(2)), log_ratio)
    steps[3][4], steps[4][9] = True, True
    parts = [F.retrace(*[x[i:j] for x in steps], gamma=0.9, lambda_=0.8) for i, j in [(0, 5), (5, 10), (10, 12)]]
    assert_close(F.retrace(*steps, gamma=0.9, lambda_=0.8), torch.cat(parts), rtol=1e-12, atol=1e-12)


def test_on_policy_it_is_the_advantage_of_the_action_values_and_these():
    reward, value, next_value, log_ratio = batch(6, 729)
    ends = patterns(6)
    target = F.retrace(reward, value, next_value, *ends, 0 * log_ratio, gamma=0.9, lambda_=0.7)
    expected = F.gae(reward, value, next_value, *ends, gamma=0.9, lambda_=0.7) + value
    assert_close(target, expected, rtol=1e-12, atol=1e-12)


def test_lambda_zero_and_actions_never_taken_are_td0():
    reward, value, next_value, log_ratio = batch(6, 729)
    terminated, truncated = patterns(6)
    expected = F.td0_targets(reward, next_value, terminated, gamma=0.9)
    for lambda_, ratio in ((0.0, log_ratio), (1.0, log_ratio - 1e9)):
        target = F.retrace(reward, value, next_value, terminated, truncated, ratio, 0.9, lambda_)
        assert_close(target, expected, rtol=1e-12, atol=1e-12)


def test_how_the_action_itself_was_chosen_does_not_matter():
    reward, value, next_value, log_ratio = batch(1, 3)
    a, b = (
        F.retrace(reward, value, next_value, *patterns(1), ratio, gamma=0.9, lambda_=1.0)
        for ratio in (log_ratio, log_ratio - 5)
    )
    assert torch.equal(a, b)
