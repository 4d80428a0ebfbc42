import math

import pytest
import torch

from frl import random
from frl.envs.classic import Pendulum, PendulumParams
from tests.envs.classic.reference import worst_difference

KEY = random.key(0)


def inject(env, state):
    env.state = state


def compare(num_seeds, num_steps, dtype):
    return worst_difference(Pendulum(dtype), "Pendulum-v1", inject, num_seeds, num_steps, dtype)


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


def test_hanging_at_rest_without_a_torque_costs_pi_squared():
    hanging = torch.tensor([math.pi, 0.0])
    reward = Pendulum().reward(hanging, torch.zeros(1), hanging, KEY)
    assert reward == pytest.approx(-(math.pi**2))


def test_upright_at_rest_without_a_torque_stays_and_costs_nothing():
    upright = torch.zeros(2)
    assert Pendulum().transition(upright, torch.zeros(1), KEY).tolist() == [0.0, 0.0]
    assert Pendulum().reward(upright, torch.zeros(1), upright, KEY) == 0


def test_a_turn_more_changes_neither_the_observation_nor_the_reward():
    author, action = Pendulum(torch.float64), torch.zeros(1, dtype=torch.float64)
    one, two = (torch.tensor([angle, 1.0], dtype=torch.float64) for angle in (0.5, 0.5 + 2 * math.pi))
    assert torch.allclose(author.observation(one, KEY), author.observation(two, KEY))
    assert torch.allclose(author.reward(one, action, one, KEY), author.reward(two, action, two, KEY))


def test_a_torque_beyond_its_limit_acts_and_costs_like_the_limit():
    state = torch.tensor([0.3, 0.1])
    strong, limit = torch.tensor([9.0]), torch.tensor([2.0])
    assert torch.equal(Pendulum().transition(state, strong, KEY), Pendulum().transition(state, limit, KEY))
    assert Pendulum().reward(state, strong, state, KEY) == Pendulum().reward(state, limit, state, KEY)


def test_the_speed_is_limited():
    assert Pendulum().transition(torch.tensor([1.0, 7.9]), torch.tensor([2.0]), KEY)[1] == 8.0


def test_never_terminates():
    assert not Pendulum().terminal(Pendulum().initial(random.split(KEY, 100)), KEY).any()


def test_gradient_of_the_dynamics_is_that_of_finite_differences():
    def loss(state, action, gravity):
        params = PendulumParams(gravity=gravity)
        return Pendulum().transition(state, action, KEY, params).square().sum()

    inputs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in ([0.7, 0.2], [0.5], 9.8)]
    assert torch.autograd.gradcheck(loss, inputs)
