import math

import pytest
import torch
from torch.testing import assert_close

from frl import functional as F
from frl import random


def surrogate(ratio, advantage, epsilon=0.2):
    """The loss of one action and its gradient with respect to the log-probability."""
    log_prob = torch.tensor([math.log(ratio)], dtype=torch.float64, requires_grad=True)
    zero, advantage = torch.zeros(1, dtype=torch.float64), torch.tensor([advantage], dtype=torch.float64)
    loss = F.clipped_surrogate(log_prob, zero, advantage, epsilon)
    return loss.item(), torch.autograd.grad(loss, log_prob)[0].item()


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "gradient"),
    [
        (1.5, 1.0, -1.2, 0.0),  # has improved enough: clipped
        (0.5, 1.0, -0.5, -0.5),  # has to come back
        (1.5, -1.0, 1.5, 1.5),  # has to come back
        (0.5, -1.0, 0.8, 0.0),  # has worsened enough: clipped
        (1.1, 2.0, -2.2, -2.2),  # inside the region
    ],
)
def test_the_surrogate_is_flat_only_where_the_ratio_left_in_the_wanted_direction(ratio, advantage, loss, gradient):
    assert surrogate(ratio, advantage) == pytest.approx((loss, gradient))


def test_at_ratio_one_the_gradient_is_that_of_the_policy_gradient():
    log_prob, advantage = (random.normal((8,), random.key(seed), dtype=torch.float64) for seed in (0, 1))
    old = log_prob.clone()
    gradient = torch.func.grad(F.clipped_surrogate)(log_prob, old, advantage, 0.2)
    expected = torch.func.grad(lambda x: -(x * advantage).mean())(log_prob)
    assert_close(gradient, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("log_ratio", [1e4, -1e4])
@pytest.mark.parametrize("advantage", [1e6, -1e6])
def test_an_absurd_ratio_keeps_loss_and_gradient_finite(log_ratio, advantage):
    log_prob = torch.tensor([log_ratio], requires_grad=True)
    loss = F.clipped_surrogate(log_prob, torch.zeros(1), torch.tensor([advantage]), 0.2)
    assert loss.isfinite()
    assert torch.autograd.grad(loss, log_prob)[0].isfinite().all()


def test_a_value_is_not_rewarded_for_moving_further_than_epsilon():
    value = torch.tensor([0.9], requires_grad=True)
    loss = F.clipped_value_loss(value, torch.tensor([0.0]), torch.tensor([1.0]), epsilon=0.5)
    assert loss.item() == 0.125
    assert torch.autograd.grad(loss, value)[0].item() == 0.0


def test_inside_epsilon_the_value_loss_is_half_the_squared_error():
    loss = F.clipped_value_loss(torch.tensor([0.25]), torch.tensor([0.0]), torch.tensor([1.0]), epsilon=0.5)
    assert loss.item() == 0.5 * 0.75**2


def test_epsilon_may_be_a_tensor_and_receives_a_gradient():
    epsilon = torch.tensor(0.25, requires_grad=True)
    loss = F.clipped_surrogate(torch.tensor([1.0]), torch.zeros(1), torch.ones(1), epsilon)
    assert loss.item() == -1.25
    assert torch.autograd.grad(loss, epsilon)[0].item() == -1.0


def test_standardized_values_have_mean_zero_and_deviation_one():
    x = F.standardize(random.normal((5, 7), random.key(0), dtype=torch.float64) * 3 + 2)
    assert x.mean().item() == pytest.approx(0.0, abs=1e-12)
    assert x.std(correction=0).item() == pytest.approx(1.0, abs=1e-6)


def test_equal_values_standardize_to_zero_with_a_zero_gradient():
    x = torch.full([4], 3.0, requires_grad=True)
    y = F.standardize(x)
    assert y.tolist() == [0.0] * 4
    assert torch.autograd.grad(y[0], x)[0].isfinite().all()


def test_equal_policies_have_no_divergence_and_clip_nothing():
    log_prob = random.normal((8,), random.key(0))
    assert F.approx_kl(log_prob, log_prob).item() == 0.0
    assert F.clip_fraction(log_prob, log_prob, 0.2).item() == 0.0


def test_the_estimated_divergence_is_that_of_two_normals():
    x = random.normal((100_000,), random.key(0), dtype=torch.float64)
    old, new = (torch.distributions.Normal(torch.tensor(m).double(), 1.0).log_prob(x) for m in (0.0, 0.3))
    assert F.approx_kl(new, old).item() == pytest.approx(0.3**2 / 2, rel=0.02)


@pytest.mark.parametrize("function", [F.clipped_surrogate, F.clipped_value_loss])
def test_a_trailing_axis_of_size_one_is_refused_never_broadcast(function):
    with pytest.raises(ValueError, match=rf"{function.__name__}: .* has shape \[8, 1\] but .* has \[8\]; pass all as"):
        function(torch.ones(8, 1), torch.ones(8), torch.ones(8), 0.2)


@pytest.mark.parametrize("epsilon", [0.0, -0.2])
def test_epsilon_must_be_above_zero(epsilon):
    with pytest.raises(ValueError, match=r"clipped_surrogate: epsilon is .* but must be above 0"):
        F.clipped_surrogate(torch.ones(2), torch.ones(2), torch.ones(2), epsilon)


def test_without_a_clip_every_ratio_counts():
    log_prob, advantage = torch.tensor([2.0, 0.5]).log(), torch.tensor([1.0, -1.0])
    assert F.surrogate(log_prob, torch.zeros(2), advantage).item() == pytest.approx(-0.75)
    assert torch.func.grad(F.surrogate)(log_prob, torch.zeros(2), advantage).tolist() == pytest.approx([-1.0, 0.25])


@pytest.mark.parametrize(("kl", "expected"), [(0.016, 6.0), (0.015, 3.0), (0.0067, 3.0), (0.006, 1.5), (0.0, 1.5)])
def test_a_penalty_is_doubled_far_above_its_target_and_halved_far_below(kl, expected):
    assert F.adaptive_kl_coefficient(torch.tensor(3.0), torch.tensor(kl), 0.01).item() == expected


def test_a_penalty_can_always_come_back():
    coefficient = torch.tensor(1.0)
    for _ in range(500):
        coefficient = F.adaptive_kl_coefficient(coefficient, torch.tensor(0.0), 0.01)
    assert coefficient > 0
    for _ in range(500):
        coefficient = F.adaptive_kl_coefficient(coefficient, torch.tensor(1.0), 0.01)
    assert coefficient.isfinite()
