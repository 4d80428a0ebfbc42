import math

import pytest
import torch

from frl import random
from frl.envs.classic import CartPole, CartPoleParams
from tests.envs.classic.reference import worst_difference

KEY = random.key(0)


def inject(env, state):
    env.state, env.steps_beyond_terminated = state, None


def compare(num_seeds, num_steps, dtype):
    return worst_difference(CartPole(dtype), "CartPole-v1", inject, num_seeds, num_steps, dtype)


def test_equals_gymnasium_step_by_step_in_float64():
    worst, flags = compare(5, 200, torch.float64)
    assert worst <= 1e-12
    assert flags == 0


def test_equals_gymnasium_step_by_step_in_float32():
    assert compare(5, 200, torch.float32)[0] <= 1e-5


@pytest.mark.slow
def test_equals_gymnasium_over_100_seeds_of_1000_steps():
    worst, flags = compare(100, 1000, torch.float64)
    assert worst <= 1e-12
    assert flags == 0
    assert compare(100, 1000, torch.float32)[0] <= 1e-5


def test_a_state_at_rest_is_pushed_in_the_direction_of_the_action():
    state = torch.zeros(2, 4)
    left, right = CartPole().transition(state, torch.tensor([0, 1]), KEY)
    assert left.tolist() == (-right).tolist()
    assert right[1] == pytest.approx(0.02 * 10 / 1.1 * (1 + 0.05 / 1.1 / (0.5 * (4 / 3 - 0.1 / 1.1))))


@pytest.mark.parametrize("state", [[2.41, 0, 0, 0], [-2.41, 0, 0, 0], [0, 0, 0.21, 0], [0, 0, -0.21, 0]])
def test_terminates_beyond_each_threshold(state):
    assert CartPole().terminal(torch.tensor(state), KEY)


def test_does_not_terminate_on_a_threshold():
    on = torch.tensor([2.4, 0, 12 * 2 * math.pi / 360, 0], dtype=torch.float64)
    assert not CartPole().terminal(on, KEY)


def test_the_last_step_is_rewarded_too():
    fallen = torch.tensor([0.0, 0.0, 1.0, 0.0])
    assert CartPole().reward(fallen, torch.tensor(0), fallen, KEY) == 1.0


def test_an_episode_begins_near_the_origin_with_other_numbers_in_every_row():
    state = CartPole().initial(random.split(KEY, 1000))
    assert state.shape == (1000, 4)
    assert state.abs().max() <= 0.05
    assert state.unique().numel() > 3900


def test_a_heavier_cart_is_pushed_less_for_no_constant_is_stale():
    state, right = torch.zeros(4), torch.tensor(1)
    heavy = CartPole().transition(state, right, KEY, CartPoleParams(masscart=10.0))
    assert heavy[1] < CartPole().transition(state, right, KEY)[1] / 5


def test_physics_of_one_tensor_for_each_row_equals_each_row_alone():
    state, action = CartPole().initial(random.split(KEY, 3)), torch.tensor([0, 1, 0])
    gravity = torch.tensor([1.0, 9.8, 20.0])
    batch = CartPole().transition(state, action, KEY, CartPoleParams(gravity=gravity))
    for i in range(3):
        alone = CartPole().transition(state[i], action[i], KEY, CartPoleParams(gravity=gravity[i]))
        assert torch.equal(batch[i], alone)
