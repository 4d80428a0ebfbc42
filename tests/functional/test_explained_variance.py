import pytest
import torch

from frl.functional import explained_variance

target = torch.tensor([0.0, 1.0, 2.0])


@pytest.mark.parametrize(("value", "expected"), [(target, 1.0), (target + 5, 1.0), (0 * target, 0.0), (-target, -3.0)])
def test_a_perfect_a_shifted_a_constant_and_a_reversed_value(value, expected):
    assert explained_variance(value, target).item() == pytest.approx(expected)


def test_a_constant_target_leaves_nothing_to_explain():
    value = target.clone().requires_grad_()
    result = explained_variance(value, torch.ones(3))
    assert result.item() == 0.0
    assert torch.autograd.grad(result, value)[0].isfinite().all()


def test_an_empty_batch_is_refused():
    with pytest.raises(ValueError, match="number of elements of target: numel is 0"):
        explained_variance(torch.ones(0), torch.ones(0))
