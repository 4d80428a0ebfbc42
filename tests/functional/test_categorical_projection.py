import pytest
import torch
from torch.testing import assert_close

from frl import functional as F
from frl import random
from tests.functional.reference import projection_loop

N, V_MIN, V_MAX = 11, -3.0, 2.0
atoms = torch.linspace(V_MIN, V_MAX, N, dtype=torch.float64)
reward = random.normal((200,), random.key(0), dtype=torch.float64)
probs = random.normal((200, N), random.key(1), dtype=torch.float64).softmax(-1)
terminated = random.uniform((200,), random.key(2)) < 0.3
no = torch.zeros(200, dtype=torch.bool)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99, 1.0])
def test_it_is_algorithm_1(gamma):
    rows = zip(reward.tolist(), probs.tolist(), terminated.tolist(), strict=True)
    expected = torch.tensor([projection_loop(*row, gamma, V_MIN, V_MAX) for row in rows], dtype=torch.float64)
    mine = F.categorical_projection(reward, probs, terminated, gamma, V_MIN, V_MAX)
    assert_close(mine, expected, rtol=1e-12, atol=1e-12)


def test_a_move_by_half_the_spacing_is_shared_by_two_neighbours():
    moved = F.categorical_projection(torch.tensor(0.25), torch.tensor([0.0, 1.0, 0.0]), no[0], 1.0, 0.0, 1.0)
    assert moved.tolist() == [0.0, 0.5, 0.5]


def test_nothing_happens_without_reward_and_discount():
    still = F.categorical_projection(torch.zeros_like(reward), probs, no, 1.0, V_MIN, V_MAX)
    assert_close(still, probs, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("value", "atom"), [(-100.0, 0), (100.0, N - 1), (V_MIN, 0), (V_MAX, N - 1)])
def test_what_lies_outside_goes_to_the_ends(value, atom):
    mass = F.categorical_projection(torch.full_like(reward, value), probs, ~no, 0.9, V_MIN, V_MAX)
    assert (mass.argmax(-1) == atom).all()
    assert_close(mass[:, atom], torch.ones_like(reward), rtol=0, atol=1e-12)


def test_probabilities_add_to_one_and_the_mean_is_kept_where_nothing_is_cut():
    small = 0.1 * reward
    target = F.categorical_projection(small, probs, terminated, 0.5, V_MIN, V_MAX)
    assert (target >= 0).all()
    assert_close(target.sum(-1), torch.ones_like(reward), rtol=0, atol=1e-12)
    expected = F.td0_targets(small, probs @ atoms, terminated, gamma=0.5)
    assert_close(target @ atoms, expected, rtol=0, atol=1e-12)


def test_a_terminated_steps_probabilities_are_not_read():
    broken = torch.full((1, 3), torch.nan, requires_grad=True)
    target = F.categorical_projection(torch.ones(1), broken, ~no[:1], 0.9, 0.0, 2.0)
    assert target.tolist() == [pytest.approx([0.0, 1.0, 0.0])]
    assert torch.autograd.grad(target.sum(), broken)[0].tolist() == [[0.0, 0.0, 0.0]]


def test_the_bounds_may_be_tensors():
    bounds = torch.tensor(V_MIN, dtype=torch.float64), torch.tensor(V_MAX, dtype=torch.float64)
    mine = F.categorical_projection(reward, probs, terminated, 0.9, *bounds)
    assert_close(mine, F.categorical_projection(reward, probs, terminated, 0.9, V_MIN, V_MAX))


@pytest.mark.parametrize("batch", [(), (0,), (2, 3)])
def test_any_batch_will_do(batch):
    flags = torch.zeros(batch, dtype=torch.bool)
    assert F.categorical_projection(torch.zeros(batch), torch.ones(*batch, 5), flags, 0.9, 0, 1).shape == (*batch, 5)


@pytest.mark.parametrize("shape", [[4], [4, 1], [4, 1, 5], [5, 4]])
def test_probabilities_that_do_not_fit_are_refused(shape):
    with pytest.raises(ValueError, match=r"next_probs has shape .* but reward has \[4\]; pass the rewards as \[\*B\]"):
        F.categorical_projection(torch.ones(4), torch.ones(shape), no[:4], 0.9, 0.0, 1.0)


def test_bounds_upside_down_are_refused():
    with pytest.raises(ValueError, match=r"categorical_projection: v_min is 1.0 but must be below 1.0"):
        F.categorical_projection(reward, probs, no, 0.9, 1.0, 1.0)
