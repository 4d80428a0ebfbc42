import math

import pytest
import torch

from frl import random
from frl.envs.navigation import PointRobot, PointRobotParams
from tests.envs.reference import compare, stepped

KEY = random.key(0)


class Reference:
    """The sparse point robot: 1 within 0.2 of the goal; it shows what was done and what came of it, and the time."""

    def __init__(self, position, goal, last_action, last_reward, time):
        assert not position.any()
        assert not last_action.any()
        assert (last_reward, time) == (0, 0)
        self.at, self.goal, self.last, self.time = [0.0, 0.0], goal.tolist(), [0.0, 0.0, 0.0], 0

    def observe(self):
        return [*self.at, *self.last, -1 + 2 * self.time / 100]

    def step(self, action):
        action = [min(max(float(a), -1.0), 1.0) for a in action]
        self.at = [x + 0.1 * a for x, a in zip(self.at, action, strict=True)]
        reward = float(math.dist(self.at, self.goal) <= 0.2)
        self.last, self.time = [reward, *action], self.time + 1
        return reward, self.time == 100


def test_equals_the_reference_step_by_step():
    rewards = compare(PointRobot(torch.float64), Reference, 40, 100)
    assert {len(row) for row in rewards} == {100}
    assert 0 < sum(map(sum, rewards)) < 4000


def test_goals_lie_on_the_upper_half_of_a_circle():
    goals = PointRobot().initial(random.split(KEY, 1000)).goal
    assert torch.allclose(goals.norm(dim=-1), torch.ones(1000))
    assert (goals[:, 1] >= 0).all()
    assert goals[:, 0].mean().abs() < 0.08
    assert goals[:, 0].min() < -0.99


def test_who_knows_the_goal_gets_there_and_stays():
    author, params, total = PointRobot(), PointRobotParams(goal=torch.tensor([0.6, 0.85])), 0.0
    state = author.initial(KEY, params)
    for _ in range(100):
        state, reward, ended = stepped(author, state, (state.goal - state.position) / 0.1, params)
        total += reward.item()
    assert ended
    assert total == 94  # within 0.2 after seven steps, the first six of which pay nothing


@pytest.mark.parametrize(("radius", "reward"), [(0.05, 0.0), (0.2, 1.0)])
def test_radius_step_and_length_are_physics(radius, reward):
    params = PointRobotParams(0.1, goal_radius=radius, num_steps=1, goal=torch.tensor([0.0, 0.2]))
    state = PointRobot().initial(KEY, params)
    assert stepped(PointRobot(), state, [0.0, 1.0], params)[1:] == (reward, True)
