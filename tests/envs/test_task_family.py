"""Families of tasks: what is drawn, and several as one."""

import pytest
import torch

from frl import random, tree
from frl.envs import make, stack_tasks, uniform_tasks
from frl.envs.classic import CartPoleParams, PendulumParams
from frl.envs.navigation import PointNavigationParams

HALF = torch.full((2,), 0.5)
GOALS = uniform_tasks(PointNavigationParams(), {"goal": (-HALF, HALF), "step_size": (0.1, 0.2)})


def test_what_has_a_range_is_drawn_and_the_rest_is_what_it_was():
    drawn = GOALS(random.key(0))
    assert drawn.goal.shape == (2,)
    assert drawn.step_size.shape == ()
    assert drawn._replace(goal=(), step_size=0.1) == PointNavigationParams()


def test_draws_are_uniform_on_their_ranges():
    goals = torch.vmap(lambda key: GOALS(key).goal)(random.split(random.key(1), 4000))
    assert goals.abs().max() < 0.5
    torch.testing.assert_close(goals.mean(0), torch.zeros(2), atol=0.02, rtol=0)
    torch.testing.assert_close(goals.std(0), torch.full((2,), 1 / 12**0.5), atol=0.01, rtol=0)


def test_a_range_may_be_one_number():
    assert uniform_tasks(CartPoleParams(), {"length": (0.7, 0.7)})(random.key(0)).length == pytest.approx(0.7)


def test_tasks_vary_physics_under_vmap():
    env = make("Pendulum-v1")
    tasks = uniform_tasks(env.params, {"gravity": (1.0, 20.0)})

    def total(key):
        return env.with_params(tasks(key)).rollout(3, key=random.key(0), break_when_any_done=False)["next", "reward"]

    together = torch.vmap(total)(random.split(random.key(0), 3))
    assert len(set(together.sum((1, 2)).tolist())) == 3


def test_a_stack_of_tasks_gives_each_back():
    tasks = [PendulumParams(gravity=g) for g in (1.0, 2.0, 3.0)]
    stacked = stack_tasks(tasks)
    assert [tree.map(lambda x, i=i: x[i].item(), stacked).gravity for i in range(3)] == [1.0, 2.0, 3.0]
    drawn = stack_tasks([GOALS(key) for key in random.split(random.key(0), 4)])
    assert drawn.goal.shape == (4, 2)


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ([], "there is no task"),
        ([PendulumParams(), CartPoleParams()], "task 1 has the entries"),
        ([PointNavigationParams(), PointNavigationParams(goal=HALF)], "task 1 has the entries"),
        ([PendulumParams(), PendulumParams(gravity=torch.ones(2))], "entries of one shape"),
    ],
)
def test_tasks_of_unequal_structure_are_no_stack(tasks, message):
    with pytest.raises(ValueError, match=message):
        stack_tasks(tasks)
