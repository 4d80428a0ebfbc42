"""Several tasks as one environment: each row has one of them, and shows which."""

import pytest
import torch
from torch.testing import assert_close

from frl import random, tree
from frl.envs import MultiTaskEnv, check, check_env, make, stack_tasks
from frl.specs import Categorical
from tests.traced import traced

KEY = random.key(0)
BASE = make("CartPole-v1", 6)
FORCES = (-10.0, 5.0, 10.0)
ENV = MultiTaskEnv(BASE, stack_tasks([BASE.params._replace(force_mag=force) for force in FORCES]))


def test_the_index_that_is_shown_is_that_of_the_physics():
    td = ENV.rand_step(ENV.reset(KEY), KEY)
    assert isinstance(ENV.single_observation_spec["task"], Categorical)
    assert td["task"].dtype == torch.int64
    assert torch.equal(td["task"], td["next", "task"])
    for i, index in enumerate(td["task"].tolist()):
        one = make("CartPole-v1").with_params(BASE.params._replace(force_mag=FORCES[index]))
        alone = one.step(td.select("action", "state", "step_count")[i], KEY)
        assert_close(td["next", "observation"][i], alone["next", "observation"])


def test_all_tasks_come():
    drawn = torch.vmap(lambda key: ENV.reset(key)["task"])(random.split(KEY, 100)).flatten()
    assert drawn.bincount().tolist() == pytest.approx([200, 200, 200], abs=40)


def test_it_keeps_the_word_of_every_environment(monkeypatch):
    monkeypatch.setattr(check, "require_pure", lambda env, key: None)  # it compiles; tracing stands below
    check_env(ENV, num_steps=30)


def test_traced_equals_eager():
    def advance(key):
        return ENV.step_and_reset(ENV.rand_action(ENV.reset(key), key), key)

    for (name, x), y in zip(tree.named_leaves(traced(advance)(KEY)), tree.leaves(advance(KEY)), strict=True):
        assert_close(x, y, msg=lambda text, name=name: f"{name}: {text}")
