import pytest
import torch
from torch.testing import assert_close

from frl import functional as F
from frl import random

values = random.normal((50, 4), random.key(0), dtype=torch.float64)
selector = random.normal((50, 4), random.key(1), dtype=torch.float64)
reward = random.normal((50,), random.key(2), dtype=torch.float64)
terminated = random.uniform((50,), random.key(3)) < 0.3


def test_the_target_by_hand():
    target = F.q_learning_target(
        torch.tensor([1.0, 2.0]), torch.tensor([[4.0, -1.0, 0.0], [9.0, 9.0, 9.0]]), torch.tensor([False, True]), 0.25
    )
    assert target.tolist() == [2.0, 2.0]


def test_it_is_the_one_step_target_of_the_best_value():
    expected = F.td0_targets(reward, values.max(-1).values, terminated, gamma=0.9)
    assert_close(F.q_learning_target(reward, values, terminated, gamma=0.9), expected, rtol=0, atol=0)


def test_one_network_chooses_and_the_other_values():
    best = values[torch.arange(50), selector.argmax(-1)]
    expected = F.td0_targets(reward, best, terminated, gamma=0.9)
    assert_close(F.double_q_target(reward, values, selector, terminated, gamma=0.9), expected, rtol=0, atol=0)


def test_a_network_that_chooses_for_itself_is_q_learning_and_no_other_choice_is_better():
    single = F.q_learning_target(reward, values, terminated, gamma=0.9)
    assert torch.equal(F.double_q_target(reward, values, values, terminated, gamma=0.9), single)
    assert (F.double_q_target(reward, values, selector, terminated, gamma=0.9) <= single).all()


def test_a_terminated_steps_next_values_are_not_read():
    values = torch.tensor([[torch.nan, torch.nan], [1.0, 2.0]], requires_grad=True)
    target = F.q_learning_target(torch.ones(2), values, torch.tensor([True, False]), gamma=0.5)
    assert target.tolist() == [1.0, 2.0]
    assert torch.autograd.grad(target.sum(), values)[0].tolist() == [[0.0, 0.0], [0.0, 0.5]]


def test_no_gradient_flows_into_the_choice():
    selector = torch.zeros(1, 2, requires_grad=True)
    values = torch.ones(1, 2, requires_grad=True)
    F.double_q_target(torch.ones(1), values, selector, torch.tensor([False]), gamma=0.5).sum().backward()
    assert selector.grad is None
    assert values.grad.tolist() == [[0.5, 0.0]]


@pytest.mark.parametrize("batch", [(), (0,), (5,), (2, 3)])
def test_any_batch_will_do(batch):
    no = torch.zeros(batch, dtype=torch.bool)
    assert F.q_learning_target(torch.ones(batch), torch.ones(*batch, 3), no, gamma=0.5).shape == batch
    assert F.double_q_target(torch.ones(batch), *[torch.ones(*batch, 3)] * 2, no, gamma=0.5).shape == batch


@pytest.mark.parametrize("shape", [[4], [4, 1, 3], [1, 3], [4, 0]])
def test_values_that_would_broadcast_are_refused(shape):
    with pytest.raises(ValueError, match=r"q_learning_target: next_action_value has shape .* but reward has \[4\]"):
        F.q_learning_target(torch.ones(4), torch.ones(shape), torch.zeros(4, dtype=torch.bool), 0.9)


def test_values_of_other_actions_are_refused():
    with pytest.raises(ValueError, match=r"double_q_target: selector has shape \[4, 2\] but next_action_value has \[4"):
        F.double_q_target(torch.ones(4), torch.ones(4, 3), torch.ones(4, 2), torch.zeros(4, dtype=torch.bool), 0.9)


def test_rewards_with_an_axis_of_their_own_are_refused():
    with pytest.raises(ValueError, match=r"terminated has shape \[4\] but reward has \[4, 1\]; pass both as \[\*B\]"):
        F.q_learning_target(torch.ones(4, 1), torch.ones(4, 3), torch.zeros(4, dtype=torch.bool), 0.9)
