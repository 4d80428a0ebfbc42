import itertools

import pytest
import torch
from torch.testing import assert_close

from frl import functional as F
from frl import random
from tests.functional.reference import gae_loop, lanes, patterns

no = torch.zeros(3, dtype=torch.bool)
grid = pytest.mark.parametrize(("gamma", "lambda_"), list(itertools.product([0.0, 0.5, 1.0], repeat=2)))


def batch(T, N, seed=0):
    """reward, value, next_value [T, N] in float64, where the values of successive states agree."""
    reward, value = (random.normal((n, N), random.key(seed), dtype=torch.float64) for n in (T, T + 1))
    return reward, value[:-1], value[1:]


def test_truncation_bootstraps_but_termination_does_not():
    ones, tens = torch.ones(2), torch.full([2], 10.0)
    terminated, truncated = torch.tensor([True, False]), torch.tensor([False, True])
    assert F.gae(ones, 0 * ones, tens, terminated, truncated, gamma=0.5, lambda_=1.0).tolist() == [1.0, 6.0]


def test_three_steps_by_hand():
    reward, value, next_value = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4.0, 4.0, 4.0]), torch.full([3], 4.0)
    # δ = r + 0.5·4 − 4 = [−1, 0, 1], and each advantage adds a quarter of the next
    assert F.gae(reward, value, next_value, no, no, gamma=0.5, lambda_=0.5).tolist() == [-0.9375, 0.25, 1.0]


def test_a_terminated_steps_next_value_is_not_read():
    next_value = torch.tensor([torch.nan, 1.0]).requires_grad_()
    ones, terminated = torch.ones(2), torch.tensor([True, False])
    advantage = F.gae(ones, ones, next_value, terminated, no[:2], gamma=0.5, lambda_=0.5)
    assert advantage.tolist() == [0.0, 0.5]
    assert torch.autograd.grad(advantage.sum(), next_value)[0].tolist() == [0.0, 0.5]


def test_a_step_both_terminated_and_truncated_counts_as_terminated():
    yes = torch.ones(1, dtype=torch.bool)
    assert F.gae(torch.ones(1), torch.zeros(1), torch.ones(1), yes, yes, gamma=0.5, lambda_=0.5).tolist() == [1.0]


@grid
@pytest.mark.parametrize("T", range(1, 7))
def test_every_pattern_of_ends_equals_the_loop(T, gamma, lambda_):
    ends = patterns(T)
    steps = (*batch(T, 3**T), *ends)
    assert_close(F.gae(*steps, gamma, lambda_), lanes(gae_loop(gamma, lambda_), *steps), rtol=1e-12, atol=1e-12)


def test_a_batch_with_ends_inside_equals_its_trajectories_one_by_one():
    steps = (*batch(12, 1), *(torch.zeros(12, 1, dtype=torch.bool) for _ in range(2)))
    steps[3][4], steps[4][9] = True, True
    parts = [F.gae(*[x[i:j] for x in steps], gamma=0.9, lambda_=0.8) for i, j in [(0, 5), (5, 10), (10, 12)]]
    assert_close(F.gae(*steps, gamma=0.9, lambda_=0.8), torch.cat(parts), rtol=1e-12, atol=1e-12)


def test_steps_after_the_end_of_an_episode_do_not_reach_back():
    reward, value, next_value = batch(8, 5)
    none = torch.zeros(8, 5, dtype=torch.bool)
    truncated = none.clone()
    truncated[4] = True
    padded = F.gae(reward, value, next_value, none, truncated, gamma=0.9, lambda_=0.9)
    alone = F.gae(reward[:5], value[:5], next_value[:5], none[:5], none[:5], gamma=0.9, lambda_=0.9)
    assert_close(padded[:5], alone, rtol=1e-12, atol=1e-12)


def test_lambda_zero_is_the_td_error():
    reward, value, next_value = batch(6, 729)
    terminated, truncated = patterns(6)
    expected = F.td0_targets(reward, next_value, terminated, gamma=0.9) - value
    assert_close(F.gae(reward, value, next_value, terminated, truncated, 0.9, 0.0), expected, rtol=1e-12, atol=1e-12)


def test_advantage_plus_value_is_the_lambda_return():
    reward, value, next_value = batch(6, 729)
    terminated, truncated = patterns(6)
    # they are the same recursion only where successive values agree, as they do in `batch`
    advantage = F.gae(reward, value, next_value, terminated, truncated, gamma=0.9, lambda_=0.7)
    returns = F.td_lambda_returns(reward, next_value, terminated, truncated, gamma=0.9, lambda_=0.7)
    assert_close(advantage + value, returns, rtol=1e-12, atol=1e-12)


def test_advantages_are_linear_in_reward_and_values_together():
    ends = patterns(6)
    x, y = batch(6, 729, seed=0), batch(6, 729, seed=1)
    combined = F.gae(*(2 * a - 3 * b for a, b in zip(x, y, strict=True)), *ends, gamma=0.9, lambda_=0.7)
    separate = 2 * F.gae(*x, *ends, gamma=0.9, lambda_=0.7) - 3 * F.gae(*y, *ends, gamma=0.9, lambda_=0.7)
    assert_close(combined, separate, rtol=1e-12, atol=1e-12)


def test_potential_shaping_with_the_value_shifted_along_changes_nothing():
    reward, value, next_value = batch(6, 729)
    terminated, truncated = patterns(6)
    potential = random.normal((7, 729), random.key(9), dtype=torch.float64)
    before, after = potential[:-1], torch.where(terminated, 0.0, potential[1:])
    shaped = F.gae(
        reward + 0.9 * after - before, value - before, next_value - after, terminated, truncated, gamma=0.9, lambda_=0.7
    )
    plain = F.gae(reward, value, next_value, terminated, truncated, gamma=0.9, lambda_=0.7)
    assert_close(shaped, plain, rtol=1e-12, atol=1e-12)


def test_rates_may_be_tensors_and_receive_gradients():
    gamma = torch.tensor(0.5, requires_grad=True)
    ones, zeros = torch.ones(2), torch.zeros(2)
    advantage = F.gae(ones, zeros, zeros, no[:2], no[:2], gamma, torch.tensor(1.0))
    assert advantage.tolist() == [1.5, 1.0]
    assert torch.autograd.grad(advantage[0], gamma)[0].item() == 1.0
