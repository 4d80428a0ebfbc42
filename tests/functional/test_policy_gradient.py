"""The policy gradient, by hand."""

import pytest
import torch

from frl import functional as F


def test_the_gradient_of_an_action_is_minus_its_advantage_over_their_number():
    gradient = torch.func.grad(F.policy_gradient_loss)(torch.tensor([-1.0, -2.0]), torch.tensor([3.0, -4.0]))
    assert gradient.tolist() == [-1.5, 2.0]


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"policy_gradient_loss: advantage has shape \[2, 1\] but log_prob has \[2\]"):
        F.policy_gradient_loss(torch.zeros(2), torch.zeros(2, 1))
