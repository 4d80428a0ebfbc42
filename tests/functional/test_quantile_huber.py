import pytest
import torch
from torch.testing import assert_close

from frl import functional as F
from frl import random
from tests.functional.reference import quantile_loop

value = random.normal((20, 5), random.key(0), dtype=torch.float64)
target = 2 * random.normal((20, 7), random.key(1), dtype=torch.float64)
levels = random.uniform((20, 5), random.key(2), dtype=torch.float64)
midpoints = torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9], dtype=torch.float64).expand(20, 5)


@pytest.mark.parametrize("kappa", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("tau", [None, levels], ids=["midpoints", "levels"])
def test_every_pair_of_quantile_and_sample_counts_as_in_the_loop(kappa, tau):
    given = midpoints if tau is None else tau
    rows = zip(value.tolist(), target.tolist(), given.tolist(), strict=True)
    expected = torch.tensor([quantile_loop(v, t, kappa, level) for v, t, level in rows], dtype=torch.float64)
    assert_close(F.quantile_huber_loss(value, target, kappa, tau), expected, rtol=1e-12, atol=1e-12)


def test_overestimates_of_a_low_quantile_cost_more():
    low = torch.tensor([[0.25]])
    above, below = (F.quantile_huber_loss(torch.tensor([[x]]), torch.zeros(1, 1), tau=low) for x in (3.0, -3.0))
    assert (above.item(), below.item()) == (0.75 * 2.5, 0.25 * 2.5)


def test_for_a_small_kappa_it_is_the_quantile_regression_loss():
    error = target.unsqueeze(-2) - value.unsqueeze(-1)
    expected = torch.maximum(0.5 * error, -0.5 * error).mean(-1).sum(-1)
    loss = F.quantile_huber_loss(value, target, kappa=1e-9, tau=torch.full_like(value, 0.5))
    assert_close(loss, expected, rtol=1e-6, atol=1e-6)


def test_the_loss_is_least_at_the_quantiles():
    samples = random.normal((1, 20_000), random.key(3), dtype=torch.float64)
    true = samples.quantile(midpoints[0]).unsqueeze(0)
    gradient = torch.func.grad(lambda v: F.quantile_huber_loss(v, samples, kappa=1e-3).sum())(true)
    assert gradient.abs().max() < 1e-3


def test_without_samples_axis_a_batch_of_none_is_one_loss():
    assert F.quantile_huber_loss(value[0], target[0]).shape == ()
    assert_close(F.quantile_huber_loss(value[0], target[0]), F.quantile_huber_loss(value, target)[0])


@pytest.mark.parametrize(
    ("value", "target", "tau", "message"),
    [
        ([4, 5], [7], None, r"target has shape \[7\] but value has \[4, 5\]; pass the quantiles of one batch"),
        ([4, 5], [1, 7], None, r"target has shape \[1, 7\] but value has \[4, 5\]"),
        ([4, 5], [4, 7], [5], r"tau has shape \[5\] but value has \[4, 5\]; pass one level for each quantile"),
        ([], [], None, r"target has shape \[\] but value has \[\]"),
    ],
)
def test_shapes_that_do_not_fit_are_named(value, target, tau, message):
    with pytest.raises(ValueError, match=message):
        F.quantile_huber_loss(torch.ones(value), torch.ones(target), tau=None if tau is None else torch.ones(tau))


def test_kappa_must_be_above_zero():
    with pytest.raises(ValueError, match="quantile_huber_loss: kappa is 0 but must be above 0"):
        F.quantile_huber_loss(value, target, kappa=0)
