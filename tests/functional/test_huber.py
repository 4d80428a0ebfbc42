import pytest
import torch
from torch.testing import assert_close

from frl import random
from frl.functional import huber

error = 3 * random.normal((1000,), random.key(0), dtype=torch.float64)


@pytest.mark.parametrize("delta", [0.1, 1.0, 2.5])
def test_it_is_that_of_torch_and_so_is_its_slope(delta):
    expected = torch.nn.functional.huber_loss(error, torch.zeros_like(error), reduction="none", delta=delta)
    assert_close(huber(error, delta), expected, rtol=1e-14, atol=1e-14)
    slope = torch.func.grad(lambda e: huber(e, delta).sum())(error)
    assert_close(slope, error.clamp(-delta, delta), rtol=1e-14, atol=1e-14)


def test_the_curvature_is_one_near_zero_and_zero_far_from_it():
    second = torch.func.grad(torch.func.grad(huber))
    assert [second(torch.tensor(x)).item() for x in (-2.0, -0.5, 0.5, 2.0)] == [0.0, 1.0, 1.0, 0.0]


def test_at_zero_loss_and_slope_are_zero():
    assert torch.func.grad_and_value(huber)(torch.tensor(0.0)) == (0.0, 0.0)


def test_delta_may_be_a_tensor_and_receives_a_gradient():
    delta = torch.tensor(0.5, requires_grad=True)
    loss = huber(torch.tensor([2.0]), delta)
    assert loss.item() == 0.5 * (2 - 0.25)
    assert torch.autograd.grad(loss, delta)[0].item() == 1.5


@pytest.mark.parametrize("delta", [0.0, -1.0, float("nan")])
def test_delta_must_be_above_zero(delta):
    with pytest.raises(ValueError, match=r"huber: delta is .* but must be above 0"):
        huber(error, delta)
