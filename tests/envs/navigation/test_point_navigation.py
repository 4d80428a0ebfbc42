import math

import pytest
import torch

from frl import random
from frl.envs.navigation import PointNavigation, PointNavigationParams
from frl.envs.navigation.point_navigation import PointNavigationState
from tests.envs.reference import compare, stepped

KEY = random.key(0)


class Reference:
    """The 2D navigation of MAML's authors, actions clipped and scaled to 0.1."""

    def __init__(self, position, goal):
        assert not position.any()
        self.at, self.goal = [0.0, 0.0], goal.tolist()

    def observe(self):
        return self.at

    def step(self, action):
        self.at = [x + 0.1 * min(max(float(a), -1.0), 1.0) for x, a in zip(self.at, action, strict=True)]
        dx, dy = self.at[0] - self.goal[0], self.at[1] - self.goal[1]
        return -math.sqrt(dx * dx + dy * dy), abs(dx) < 0.01 and abs(dy) < 0.01


def test_equals_the_reference_step_by_step():
    lengths = [len(row) for row in compare(PointNavigation(torch.float64), Reference, 20, 100)]
    assert min(lengths) < max(lengths) == 100  # one of them comes upon its goal


def test_goals_fill_a_square():
    goals = PointNavigation().initial(random.split(KEY, 1000)).goal
    assert (goals.abs() <= 0.5).all()
    assert goals.mean(0).abs().max() < 0.05
    assert (goals.amax(0) > 0.45).all()


def test_the_goal_is_reached_within_a_hundredth_along_both_axes():
    goal = torch.tensor([0.3, -0.3])
    for offset, reached in ((0.009, True), (0.011, False), (-0.009, True)):
        state = PointNavigationState(goal + torch.tensor([0.0, offset]), goal)
        assert bool(PointNavigation().terminal(state, KEY)) == reached


def test_who_goes_straight_to_the_goal_gets_there():
    author, params = PointNavigation(), PointNavigationParams(goal=torch.tensor([0.25, -0.4]))
    state = author.initial(KEY, params)
    for _ in range(4):
        state, reward, ended = stepped(author, state, (state.goal - state.position) / 0.1, params)
    assert ended
    assert abs(reward) < 1e-6


def test_steps_and_goals_are_physics_of_each_row():
    params = PointNavigationParams(step_size=torch.tensor([0.5, 2.0]), goal_extent=torch.tensor([0.0, 100.0]))
    author = PointNavigation()
    state = author.initial(random.split(KEY, 2), params)
    assert state.goal[0].tolist() == [0.0, 0.0]
    assert state.goal[1].abs().max() > 1
    assert author.transition(state, torch.ones(2, 2), KEY, params).position.tolist() == [[0.5, 0.5], [2.0, 2.0]]


def test_gradient_of_the_reward_is_that_of_finite_differences():
    def reward(position, action, step_size, goal):
        state = PointNavigationState(position, goal)
        after = PointNavigation().transition(state, action, KEY, PointNavigationParams(step_size=step_size))
        return PointNavigation().reward(state, action, after, KEY)

    inputs = ([0.7, 0.2], [0.5, -0.3], 0.1, [0.1, 0.2])
    assert torch.autograd.gradcheck(reward, [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs])


def test_a_goal_that_is_no_tensor_is_refused():
    with pytest.raises(TypeError, match=r"PointNavigation: goal is \[0.1, 0.2\] but must be a tensor"):
        PointNavigation().initial(KEY, PointNavigationParams(goal=[0.1, 0.2]))
