import itertools
import math

import pytest
import torch
from torch.testing import assert_close

from frl import random
from frl.distributions import TanhNormal

key = random.key(0)
dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def test_the_mode_is_the_image_of_loc():
    policy = TanhNormal(torch.tensor([0.0, 0.5]), torch.ones(2), low=0.0, high=10.0)
    assert policy.mode.tolist() == pytest.approx([5.0, 5 + 5 * math.tanh(0.5)])


def test_the_log_density_in_the_middle_by_hand():
    policy = TanhNormal(torch.zeros(2), torch.ones(2), low=0.0, high=4.0)  # half the width is 2, twice
    expected = -math.log(2 * math.pi) - 2 * math.log(2)
    assert policy.log_prob(torch.full([2], 2.0)).item() == pytest.approx(expected)


def test_the_last_axis_is_summed():
    policy = TanhNormal(loc=torch.zeros(3, 2), scale=torch.ones(3, 2))
    assert policy.log_prob(policy.sample(key)).shape == (3,)


@dtypes
@pytest.mark.parametrize("loc", [-50.0, 0.0, 50.0])
@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.0, 1.0), (100.0, 101.0), (-1e6, 0.0), (-0.3, 2.0)])
def test_samples_and_mode_lie_strictly_inside_the_bounds(loc, low, high, dtype):
    policy = TanhNormal(torch.full((1000, 1), loc, dtype=dtype), torch.full((1000, 1), 5.0, dtype=dtype), low, high)
    low, high = (torch.tensor(x, dtype=dtype) for x in (low, high))
    for x in (policy.sample(key), policy.mode):
        assert ((x > low) & (x < high)).all()


@dtypes
def test_saturated_values_have_finite_log_prob_and_gradients(dtype):
    edge = 1 - 1e-7
    grid = itertools.product([-50.0, -1.0, 0.0, 50.0], [1e-3, 1.0, 20.0], [-1.0, -edge, 0.0, edge, 1.0, 1.5])
    loc, scale, x = torch.tensor(list(grid), dtype=dtype).unsqueeze(-1).unbind(1)

    def total(loc, scale, x):
        return TanhNormal(loc, scale).log_prob(x).sum()

    assert TanhNormal(loc, scale).log_prob(x).isfinite().all()
    gradients = torch.func.grad(total, argnums=(0, 1, 2))(loc, scale, x)
    assert all(g.isfinite().all() for g in gradients)


@dtypes
def test_saturated_samples_have_finite_gradients(dtype):
    loc = torch.tensor([[-50.0], [0.0], [50.0]], dtype=dtype)
    gradient = torch.func.grad(lambda loc: TanhNormal(loc, torch.ones_like(loc)).rsample(key).sum())(loc)
    assert gradient.isfinite().all()
    assert gradient[1] > 0


@dtypes
@pytest.mark.parametrize("u", [-3.0, -0.1, 0.0, 2.0])
def test_the_inverse_recovers_what_was_squashed(u, dtype):
    wide, narrow = (TanhNormal(torch.full([1], m, dtype=dtype), torch.ones(1, dtype=dtype)) for m in (0.0, u))
    x = narrow.mode
    ratio = narrow.log_prob(x) - wide.log_prob(x)  # of normal densities at u: ½u²
    assert_close(ratio, torch.tensor(0.5 * u * u, dtype=dtype), rtol=1e-4, atol=1e-5)


def test_bounds_of_each_action_survive_an_added_axis():
    bounds = torch.tensor([-2.0, -1.0]), torch.tensor([2.0, 3.0])
    made = torch.vmap(lambda loc: TanhNormal(loc, torch.ones(4, 2), *bounds))(torch.zeros(5, 4, 2))
    assert made.mode.shape == (5, 4, 2)
    assert made.mode[0, 0].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        (1.0, 1.0, r"TanhNormal: low is 1.0 but must be below 1.0"),
        (torch.zeros(3), 1.0, r"TanhNormal: low has shape \[3\] but loc has \[4, 2\]; pass a number, \[A\]"),
        (-1.0, torch.ones(4, 1), r"TanhNormal: high has shape \[4, 1\] but loc has \[4, 2\]"),
    ],
)
def test_bounds_that_do_not_fit_are_named(low, high, message):
    with pytest.raises(ValueError, match=message):
        TanhNormal(torch.zeros(4, 2), torch.ones(4, 2), low, high)


def test_a_single_number_needs_an_axis():
    with pytest.raises(ValueError, match="number of axes of loc: ndim is 0"):
        TanhNormal(torch.tensor(0.0), torch.tensor(1.0))


def test_its_mean_has_no_closed_form_and_the_error_names_the_mode():
    with pytest.raises(NotImplementedError, match=r"TanhNormal has no mean; take .mode, or average samples"):
        _ = TanhNormal(torch.zeros(2), torch.ones(2)).mean


@dtypes
@pytest.mark.parametrize("loc", [-1e4, -30.0, -6.0, 0.0, 6.0, 30.0, 1e4])
def test_a_sample_beyond_what_a_bound_can_tell_has_its_log_probability_and_gradient(loc, dtype):
    loc, scale = torch.full((100, 1), loc, dtype=dtype), torch.full((100, 1), 0.5, dtype=dtype)
    x, log_prob = TanhNormal(loc, scale).rsample_and_log_prob(key)
    noise = random.normal((100, 1), key, dtype=dtype).double()
    u = loc.double() + 0.5 * noise
    stretch = 2 * (math.log(2) - u.abs() - torch.log1p(torch.exp(-2 * u.abs())))
    exact = -0.5 * noise**2 - math.log(0.5) - 0.5 * math.log(2 * math.pi) - stretch
    assert_close(log_prob.double(), exact.squeeze(-1), rtol=1e-5, atol=1e-5)
    grad = torch.func.grad(lambda loc: TanhNormal(loc, scale).rsample_and_log_prob(key)[1].sum())(loc)
    assert_close(grad, 2 * torch.tanh(u).to(dtype), rtol=1e-4, atol=1e-4)  # of -log(1 - tanh(u)^2)
    assert (x.abs() < 1).all()
