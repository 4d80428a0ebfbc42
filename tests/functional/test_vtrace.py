import itertools

import pytest
import torch
from torch.testing import assert_close

from frl import functional as F
from frl import random
from frl.functional.vtrace import at_most
from tests.functional.reference import lanes, patterns, vtrace_loop

no = torch.zeros(3, dtype=torch.bool)
grid = list(itertools.product([0.0, 0.5, 1.0], [(1.0, 1.0), (2.0, 0.5), (0.7, 1.5)]))


def batch(T, N, seed=0):
    """reward, value, next_value [T, N] in float64, where the values of successive states agree, and a log ratio."""
    k_reward, k_value, k_ratio = random.split(random.key(seed), 3)
    reward, value = (random.normal((n, N), k, dtype=torch.float64) for n, k in ((T, k_reward), (T + 1, k_value)))
    return (reward, value[:-1], value[1:]), random.normal((T, N), k_ratio, dtype=torch.float64)


def test_three_steps_by_hand():
    reward, value, next_value = torch.tensor([1.0, 2.0, 3.0]), torch.full([3], 4.0), torch.full([3], 4.0)
    log_ratio = torch.tensor([2.0, 0.5, 4.0]).log()
    # δ = r + 0.5·4 − 4 = [−1, 0, 1], ρ = c = [1, 0.5, 1]; the corrections are [−1 + 0.5·0.25, 0 + 0.5·0.5·1, 1]
    target, advantage = F.vtrace(reward, value, next_value, no, no, log_ratio, gamma=0.5)
    assert target.tolist() == pytest.approx([3.125, 4.25, 5.0])
    # ρ (r + 0.5 vₜ₊₁ − 4) with v = [4.25, 5, 4] behind the steps
    assert advantage.tolist() == pytest.approx([1 + 2.125 - 4, 0.5 * (2 + 2.5 - 4), 3 + 2.0 - 4])


def test_truncation_bootstraps_but_termination_does_not():
    ones, tens, zeros = torch.ones(2), torch.full([2], 10.0), torch.zeros(2)
    terminated, truncated = torch.tensor([True, False]), torch.tensor([False, True])
    for result in F.vtrace(ones, zeros, tens, terminated, truncated, zeros, gamma=0.5):
        assert result.tolist() == [1.0, 6.0]


def test_a_truncated_step_never_bootstraps_from_the_trajectory_that_follows():
    reward, value, log_ratio = torch.zeros(2), torch.tensor([0.0, 100.0]), torch.zeros(2)
    next_value, truncated = torch.tensor([1.0, 100.0]), torch.tensor([True, False])
    target, advantage = F.vtrace(reward, value, next_value, no[:2], truncated, log_ratio, gamma=1.0)
    assert (target[0].item(), advantage[0].item()) == (1.0, 1.0)


def test_a_terminated_steps_next_value_is_not_read():
    next_value = torch.tensor([torch.nan, 1.0]).requires_grad_()
    ones, terminated = torch.ones(2), torch.tensor([True, False])
    target, advantage = F.vtrace(ones, ones, next_value, terminated, no[:2], 0 * ones, gamma=0.5)
    assert (target.tolist(), advantage.tolist()) == ([1.0, 1.5], [0.0, 0.5])
    assert torch.autograd.grad((target + advantage).sum(), next_value)[0].tolist() == [0.0, 1.0]


def test_a_step_both_terminated_and_truncated_counts_as_terminated():
    yes, one = torch.ones(1, dtype=torch.bool), torch.ones(1)
    assert F.vtrace(one, 0 * one, one, yes, yes, 0 * one, gamma=0.5).advantage.tolist() == [1.0]


@pytest.mark.parametrize(("gamma", "clip"), grid)
@pytest.mark.parametrize("T", range(1, 6))
def test_every_pattern_of_ends_equals_the_sum(T, gamma, clip):
    values, log_ratio = batch(T, 3**T)
    ends = patterns(T)
    result = F.vtrace(*values, *ends, log_ratio, gamma, clip)
    for mine, advantage in zip(result, (False, True), strict=True):
        expected = lanes(vtrace_loop(gamma, *clip, advantage), *values, *ends, log_ratio)
        assert_close(mine, expected, rtol=1e-12, atol=1e-12)


def test_a_batch_with_ends_inside_equals_its_trajectories_one_by_one():
    values, log_ratio = batch(12, 1)
    steps = (*values, *(torch.zeros(12, 1, dtype=torch.bool) for _ in range(2)), log_ratio)
    steps[3][4], steps[4][9] = True, True
    parts = [F.vtrace(*[x[i:j] for x in steps], gamma=0.9) for i, j in [(0, 5), (5, 10), (10, 12)]]
    for whole, split in zip(F.vtrace(*steps, gamma=0.9), zip(*parts, strict=True), strict=True):
        assert_close(whole, torch.cat(split), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("lambda_", [0.3, 1.0])
def test_on_policy_the_target_is_the_lambda_return(lambda_):
    (reward, value, next_value), log_ratio = batch(6, 729)
    ends = patterns(6)
    target, advantage = F.vtrace(reward, value, next_value, *ends, 0 * log_ratio, 0.9, clip=(1.0, lambda_))
    expected = F.td_lambda_returns(reward, next_value, *ends, gamma=0.9, lambda_=lambda_)
    assert_close(target, expected, rtol=1e-12, atol=1e-12)
    if lambda_ == 1.0:
        assert_close(advantage, F.gae(reward, value, next_value, *ends, 0.9, 1.0), rtol=1e-12, atol=1e-12)


def test_an_action_that_the_policy_never_takes_leaves_its_value_alone():
    (reward, value, next_value), log_ratio = batch(4, 81)
    target, advantage = F.vtrace(reward, value, next_value, *patterns(4), log_ratio - 1e9, gamma=0.9)
    assert torch.equal(target, value)
    assert (advantage == 0).all()


@pytest.mark.parametrize("limit", [1.0, 1e30, torch.tensor(2.0)])
def test_absurd_ratios_have_finite_weights_and_gradients(limit):
    log_ratio = torch.tensor([-1e9, -100.0, 0.0, 100.0, 1e9], requires_grad=True)
    weight = at_most(log_ratio, limit)
    assert weight.isfinite().all()
    assert torch.autograd.grad(weight.sum(), log_ratio)[0].isfinite().all()


def test_thresholds_may_be_tensors_vmapped_and_differentiated():
    (reward, value, next_value), log_ratio = batch(4, 81)
    ends = patterns(4)

    def advantage(rho_bar):
        clip = (rho_bar, torch.tensor(0.8))
        return F.vtrace(reward, value, next_value, *ends, log_ratio, 0.9, clip).advantage

    limits = torch.tensor([0.5, 2.0], dtype=torch.float64)
    expected = [F.vtrace(reward, value, next_value, *ends, log_ratio, 0.9, (x, 0.8)).advantage for x in (0.5, 2.0)]
    assert_close(torch.vmap(advantage)(limits), torch.stack(expected), rtol=1e-6, atol=1e-6)
    assert torch.func.grad(lambda x: advantage(x).square().sum())(limits[0]) != 0


@pytest.mark.parametrize("clip", [(0.0, 1.0), (1.0, -1.0), (torch.ones(2), 1.0)])
def test_thresholds_that_do_not_fit_are_named(clip):
    ones = torch.ones(3)
    with pytest.raises(ValueError, match=r"vtrace: clip\[[01]\] (is .* but must be above 0|has shape \[2\])"):
        F.vtrace(ones, ones, ones, no, no, ones, 0.9, clip)
