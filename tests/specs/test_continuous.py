"""Numbers on an interval, or on the whole line."""

import pytest
import torch

from frl import random
from frl.specs import Bounded, Unbounded

INF, NAN = float("inf"), float("nan")
KEYS = random.split(random.key(1), 4000)


def test_a_bounded_spec_prints_its_box():
    low = torch.full((4, 1), -2.0)
    assert repr(Bounded(low, -low)) == (
        "Bounded(\n"
        "    shape=torch.Size([4, 1]),\n"
        "    space=ContinuousBox(\n"
        "        low=Tensor(shape=torch.Size([4, 1]), device=cpu, dtype=torch.float32, contiguous=True),\n"
        "        high=Tensor(shape=torch.Size([4, 1]), device=cpu, dtype=torch.float32, contiguous=True)),\n"
        "    device=cpu,\n"
        "    dtype=torch.float32,\n"
        "    domain=continuous)"
    )


def test_the_projection_clamps_and_keeps_the_gradient():
    x = torch.tensor([-137.0, 0.5, 640.0], requires_grad=True)
    y = Bounded(-torch.ones(3), torch.ones(3)).project(x)
    y.sum().backward()
    assert y.tolist() == [-1.0, 0.5, 1.0]
    assert x.grad.tolist() == [0.0, 1.0, 0.0]


def test_the_bounds_themselves_are_contained_and_nan_is_not():
    spec = Bounded(-1.0, 1.0)
    assert spec.inside(torch.tensor([-1.0, 1.0, 1.1, NAN, INF])).tolist() == [True, True, False, False, False]
    assert Unbounded().inside(torch.tensor([1.0, INF, NAN])).tolist() == [True, True, False]


def test_a_projected_nan_stays_nan():
    assert Bounded(-1.0, 1.0).project(torch.tensor(NAN)).isnan()


def test_draws_are_uniform_between_two_bounds():
    x = Bounded(2.0, 4.0).sample(KEYS)
    assert abs(x.mean() - 3.0) < 0.05
    assert abs(x.var() - 4 / 12) < 0.02


def test_draws_are_exponential_from_one_bound_and_normal_without():
    x = Bounded(torch.tensor([1.0, -INF, -INF]), torch.tensor([INF, 1.0, INF])).sample(KEYS)
    assert torch.allclose(x.mean(0), torch.tensor([2.0, 0.0, 0.0]), atol=0.06)
    assert torch.allclose(x.std(0), torch.tensor([1.0, 1.0, 1.0]), atol=0.06)


def test_integer_draws_reach_both_bounds():
    assert Bounded(-1, 1, dtype=torch.int64).sample(KEYS).unique().tolist() == [-1, 0, 1]


def test_integers_without_bounds_have_both_signs():
    x = Unbounded(dtype=torch.int64).sample(KEYS)
    assert abs((x < 0).double().mean() - 0.5) < 0.05


def test_the_dtype_is_that_of_the_bounds_or_float32():
    assert Bounded(torch.zeros(1, dtype=torch.float64), 1.0).dtype == torch.float64
    assert Bounded(0, 1).dtype == torch.float32
    assert (Bounded(0, 1).domain, Bounded(0, 1, dtype=torch.uint8).domain) == ("continuous", "discrete")


def test_bounds_broadcast_to_the_shape():
    spec = Bounded(torch.tensor([-1.0, -2.0]), 3.0, (4, 2))
    assert spec.low.shape == spec.high.shape == torch.Size([4, 2])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: Bounded(1.0, -1.0), ValueError, "low must nowhere exceed high"),
        (lambda: Bounded(NAN, 1.0), ValueError, "neither be NaN"),
        (lambda: Bounded(torch.zeros(2), torch.ones(3)), ValueError, "must broadcast to each other"),
        (lambda: Bounded(torch.zeros(2), 1.0, 3), ValueError, "must broadcast to the shape [3]"),
        (lambda: Bounded(-(2**62), 2**62, dtype=torch.int64), ValueError, "use Unbounded"),
        (lambda: Unbounded(dtype=torch.bool), TypeError, "use Binary"),
        (lambda: Bounded(0.0, 1.0).sample(None), TypeError, "key="),
    ],
)
def test_errors_say_what_was_given_and_the_remedy(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)
