"""Domain randomisation: new physics with each episode of each row, the same until its end."""

import pytest
import torch
from torch.testing import assert_close

from frl import random, transforms, tree
from frl.collectors import collect, start
from frl.envs import GymEnv, RandomizedEnv, check, check_env, make, uniform_tasks
from frl.envs.randomized import parametric
from frl.transforms import TransformedEnv
from tests.purity import Purity
from tests.traced import traced

KEY = random.key(0)
BASE = make("CartPole-v1", 4)
TASKS = uniform_tasks(BASE.params, {"length": (0.25, 1.0), "force_mag": (5.0, 15.0)})
ENV = RandomizedEnv(BASE, TASKS)


def test_every_row_has_physics_of_its_own_and_steps_by_them():
    td = ENV.rand_step(ENV.reset(KEY), KEY)
    physics = td["physics"]
    assert len(set(physics["length"].tolist())) == 4
    for i in range(4):
        params = BASE.params._replace(**{name: physics[name][i] for name in physics})
        alone = make("CartPole-v1").with_params(params).step(td.exclude("next", "physics")[i], KEY)
        assert_close(td["next", "observation"][i], alone["next", "observation"])


def test_physics_stay_until_the_episode_ends_and_are_new_in_the_next():
    td, changes = ENV.reset(KEY), 0
    for key in random.split(KEY, 40):
        k_action, k_step = random.split(key)
        step, following = ENV.step_and_reset(ENV.rand_action(td, k_action), k_step)
        same = following["physics", "length"] == td["physics", "length"]
        assert torch.equal(step["next", "physics", "length"], td["physics", "length"])
        assert torch.equal(same, ~step["next", "done"].squeeze(-1))
        changes += int((~same).sum())
        td = following
    assert changes > 3


def test_a_policy_sees_of_the_physics_what_is_observed_and_nothing_else():
    env = RandomizedEnv(BASE, TASKS, observed=["length"])
    assert set(env.single_observation_spec) == {"observation", "length"}
    act = lambda train, td, key: env.rand_action(td, key)  # noqa: E731
    batch = collect(env, act, KEY, start(env, KEY), KEY, 3)[1]
    assert set(batch) == {"observation", "length", "action", "next"}
    assert "physics" not in batch["next"]
    assert_close(batch["length"][:, 0, 0], env.reset(KEY)["physics", "length"])


def test_a_row_draws_the_same_however_many_are_beside_it():
    few = RandomizedEnv(make("CartPole-v1", 2), TASKS).reset(random.split(KEY, 4)[:2])
    assert torch.equal(few["physics", "length"], ENV.reset(random.split(KEY, 4))["physics", "length"][:2])


def test_one_environment_has_no_batch():
    env = RandomizedEnv(make("CartPole-v1"), TASKS)
    assert env.reset(KEY)["physics", "length"].shape == ()
    assert env.rollout(5, key=KEY).batch_size == (5,)


def test_transforms_may_stand_inside_and_outside():
    inside = TransformedEnv(make("CartPole-v1", 4), transforms.RewardScaling(0.0, 0.5))
    env = TransformedEnv(
        RandomizedEnv(inside, TASKS), transforms.Compose(transforms.StepCounter(), transforms.RewardSum())
    )
    td = env.rollout(3, key=KEY)
    assert td["next", "episode_reward"].shape == (4, 3, 1)
    assert td["next", "reward"].unique().tolist() == [0.5]


@pytest.mark.parametrize("observed", [(), ("length",)])
def test_it_keeps_the_word_of_every_environment(observed, monkeypatch):
    monkeypatch.setattr(check, "require_pure", lambda env, key: None)  # it compiles; vmap and tracing stand below
    check_env(RandomizedEnv(BASE, TASKS, observed), num_steps=30)


def advance(key):
    k_reset, k_action, k_step = random.split(key, 3)
    return ENV.step_and_reset(ENV.rand_action(ENV.reset(k_reset), k_action), k_step)


def same(found, expected):
    for (name, x), y in zip(tree.named_leaves(found), tree.leaves(expected), strict=True):
        assert_close(x, y, msg=lambda text, name=name: f"{name}: {text}")


def test_vmap_equals_the_loop_and_traced_equals_eager():
    keys = random.split(KEY, 3)
    same(torch.vmap(advance)(keys), tree.stack([advance(key) for key in keys]))
    same(traced(advance)(KEY), advance(KEY))


def test_nothing_is_written():
    td = ENV.rand_action(ENV.reset(KEY), KEY)
    with Purity(td, KEY):
        ENV.step_and_reset(td, KEY)
    with pytest.raises(TypeError, match="immutable"):
        ENV.tasks = TASKS


def test_each_picture_is_of_the_physics_of_its_row_and_step():
    assert ENV.draw(ENV.rollout(2, key=KEY), (8, 12)).shape == (4, 2, 8, 12, 3)


def test_an_environment_without_physics_is_refused():
    with pytest.raises(TypeError, match=r"f: env is a GymEnv but must be a pure environment"):
        parametric("f", GymEnv("CartPole-v1"))
