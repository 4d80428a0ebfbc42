"""What fixes a task: one for all rows, one for each, or nothing; and that a task is a leaf like any other physics."""

import pytest
import torch

from frl import random, tree
from frl.envs import make
from frl.envs.task import fixed, settled
from tests.envs.worlds import TASKS

KEY = random.key(0)


def test_a_task_that_is_open_is_what_was_drawn():
    drawn = torch.ones(3, 2)
    assert settled("goal", (), drawn) is drawn
    assert fixed("goal", (), [3], [2]) is None


@pytest.mark.parametrize("given", [torch.tensor([1, 2]), torch.tensor([[1.0, 2.0]] * 3)])
def test_a_task_is_one_for_all_rows_or_one_for_each(given):
    found = settled("goal", given, torch.zeros(3, 2))
    assert torch.equal(found, torch.tensor([[1.0, 2.0]] * 3))
    assert found.is_contiguous()


BAD = [
    ((0.0, 1.0), TypeError, r"goal is \(0.0, 1.0\) but must be a tensor, or \(\) to draw it in every episode"),
    ([0.0, 1.0], TypeError, "but must be a tensor"),
    (None, TypeError, "goal is None"),
    (torch.zeros(3), ValueError, r"goal has shape \[3\] but must have \[3, 2\], or \[2\] to be one for all rows"),
    (torch.zeros(2, 2), ValueError, r"goal has shape \[2, 2\]"),
    (torch.zeros(()), ValueError, r"goal has shape \[\]"),
    (torch.zeros(1, 3, 2), ValueError, r"goal has shape \[1, 3, 2\]"),
]


@pytest.mark.parametrize(("given", "error", "message"), BAD)
def test_what_is_no_task_is_refused(given, error, message):
    with pytest.raises(error, match=message):
        settled("goal", given, torch.zeros(3, 2))


def rollout(env, task, key):
    return env.with_params(env.params._replace(**task)).rollout(8, key=key, break_when_any_done=False)


@pytest.mark.parametrize("id", TASKS)
def test_vmapped_tasks_equal_a_loop_over_them(id):
    env, keys = make(id, [2]), random.split(KEY, 3)
    together = torch.vmap(lambda task, key: rollout(env, task, key))(TASKS[id], keys)
    for i in range(3):
        alone = rollout(env, {name: value[i] for name, value in TASKS[id].items()}, keys[i])
        for (name, x), y in zip(tree.named_leaves(alone), tree.leaves(together[i]), strict=True):
            assert torch.allclose(x.double(), y.double(), atol=1e-6), name


@pytest.mark.parametrize("id", TASKS)
def test_the_tasks_of_a_batch_are_those_of_its_rows(id):
    keys = random.split(KEY, 3)
    env = make(id, [3])
    env = env.with_params(env.params._replace(**TASKS[id]))
    td = env.rand_step(env.reset(keys), keys)
    for i in range(3):
        one = make(id)
        one = one.with_params(one.params._replace(**{name: value[i] for name, value in TASKS[id].items()}))
        alone = one.rand_step(one.reset(keys[i]), keys[i])
        for (name, x), y in zip(tree.named_leaves(alone), tree.leaves(td[i]), strict=True):
            assert torch.allclose(x.double(), y.double(), atol=1e-6), name


@pytest.mark.parametrize("id", TASKS)
def test_a_task_stays_the_same_from_episode_to_episode(id):
    env = make(id, [3])
    env = env.with_params(env.params._replace(**TASKS[id]))
    first, second = env.reset(KEY), env.reset(random.key(1))
    assert all(
        torch.equal(x, y) for x, y in zip(tree.leaves(first["state"]), tree.leaves(second["state"]), strict=True)
    )
