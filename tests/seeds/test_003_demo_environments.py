"""Seed document 003, its environments: Gymnasium's, transformed ones, several at once, and three ways to roll out.

What the environments draw is replaced by what holds of every draw: keys, shapes, dtypes and devices, and that equal
seeds give equal trajectories.
"""

import gymnasium
import pytest
import torch
from torch import nn

from frl import TensorDict
from frl.envs import GymEnv, GymWrapper, ParallelEnv, step_mdp
from frl.nn import SafeModule
from frl.specs import Bounded
from frl.transforms import Compose, NoopResetEnv, ObservationNorm, StepCounter, ToTensorImage, TransformedEnv
from tests.seeds.printed import printed, steps

FLAGS = ("done", "terminated", "truncated")


def pixels():
    return GymEnv("Pendulum-v1", frame_skip=3, from_pixels=True, pixels_only=False)


def of_a_reset(observed, batch=()):
    axes = "".join(f" {n}" for n in batch)
    fields = {**observed, **dict.fromkeys(FLAGS, f"bool{axes} 1")}
    return printed(dict(sorted(fields.items())), list(batch), "cpu")


@pytest.mark.parametrize("make", [GymEnv, lambda name: GymWrapper(gymnasium.make(name))], ids=["GymEnv", "GymWrapper"])
def test_a_random_step_has_what_came_of_it_under_next(make):
    env = make("Pendulum-v1")
    td = env.rand_step(env.reset())
    assert repr(td) == steps({"observation": "float32 3"}, {"action": "float32 1"}, [], "cpu", "cpu")
    assert repr(td) == (
        "TensorDict(\n"
        "    fields={\n"
        "        action: Tensor(shape=torch.Size([1]), device=cpu, dtype=torch.float32, is_shared=False),\n"
        "        done: Tensor(shape=torch.Size([1]), device=cpu, dtype=torch.bool, is_shared=False),\n"
        "        next: TensorDict(\n"
        "            fields={\n"
        "                done: Tensor(shape=torch.Size([1]), device=cpu, dtype=torch.bool, is_shared=False),\n"
        "                observation: Tensor(shape=torch.Size([3]), device=cpu, dtype=torch.float32, "
        "is_shared=False),\n"
        "                reward: Tensor(shape=torch.Size([1]), device=cpu, dtype=torch.float32, is_shared=False),\n"
        "                terminated: Tensor(shape=torch.Size([1]), device=cpu, dtype=torch.bool, is_shared=False),\n"
        "                truncated: Tensor(shape=torch.Size([1]), device=cpu, dtype=torch.bool, is_shared=False)},\n"
        "            batch_size=torch.Size([]),\n"
        "            device=cpu,\n"
        "            is_shared=False),\n"
        "        observation: Tensor(shape=torch.Size([3]), device=cpu, dtype=torch.float32, is_shared=False),\n"
        "        terminated: Tensor(shape=torch.Size([1]), device=cpu, dtype=torch.bool, is_shared=False),\n"
        "        truncated: Tensor(shape=torch.Size([1]), device=cpu, dtype=torch.bool, is_shared=False)},\n"
        "    batch_size=torch.Size([]),\n"
        "    device=cpu,\n"
        "    is_shared=False)"
    )


def test_equal_seeds_give_equal_rollouts():
    with GymEnv("Pendulum-v1") as env:
        rollouts = []
        for seed in (0, 0, 1):
            env.set_seed(seed)
            rollouts.append(env.rollout(10))
    assert (rollouts[0] == rollouts[1]).all() is True
    assert (rollouts[0] == rollouts[2]).all() is False


def test_a_closed_environment_is_not_used_again():
    env = GymEnv("Pendulum-v1")
    env.reset()
    env.close()
    with pytest.raises(RuntimeError, match="close"):
        env.reset()


# ---- pixels and transforms


def test_an_environment_shows_pixels_beside_its_observation():
    with pixels() as env:
        assert repr(env.reset()) == of_a_reset({"observation": "float32 3", "pixels": "uint8 500 500 3"})


def test_an_action_is_taken_for_several_frames():
    with pixels() as env, GymEnv("Pendulum-v1") as single:
        key = torch.tensor([0, 1])
        td = env.step(env.reset(key).set("action", torch.ones(1)))
        one, reward = single.reset(key), 0.0
        for _ in range(3):
            one = single.step(one.set("action", torch.ones(1)))
            reward, one = reward + one["next", "reward"], step_mdp(one)
        assert torch.equal(td["next", "observation"], one["observation"])
        torch.testing.assert_close(td["next", "reward"], reward)


def transformed():
    env = TransformedEnv(pixels(), Compose(NoopResetEnv(3), ToTensorImage()))
    return env.append_transform(ObservationNorm(in_keys=["pixels"], loc=2, scale=1))


def test_a_transformed_environment_prints_its_transforms():
    with transformed() as env:
        assert repr(env) == (
            "TransformedEnv(\n"
            "    env=GymEnv(env=Pendulum-v1, batch_size=torch.Size([]), device=cpu),\n"
            "    transform=Compose(\n"
            "            NoopResetEnv(noops=3, random=True),\n"
            "            ToTensorImage(keys=['pixels']),\n"
            "            ObservationNorm(loc=2.0000, scale=1.0000, keys=['pixels'])))"
        )


def test_the_parent_of_a_transform_has_those_before_it():
    with transformed() as env:
        assert repr(env.transform[2].parent) == (
            "TransformedEnv(\n"
            "    env=GymEnv(env=Pendulum-v1, batch_size=torch.Size([]), device=cpu),\n"
            "    transform=Compose(\n"
            "            NoopResetEnv(noops=3, random=True),\n"
            "            ToTensorImage(keys=['pixels'])))"
        )


def test_the_transforms_make_images_of_pixels():
    with transformed() as env:
        td = env.reset()
        assert repr(td) == of_a_reset({"observation": "float32 3", "pixels": "float32 3 500 500"})
        shown = env.transform[2].parent.reset()["pixels"]
        assert 0 <= shown.min() < shown.max() <= 1
        assert 2 <= td["pixels"].min() < td["pixels"].max() <= 3


def test_an_episode_begins_with_up_to_three_random_steps():
    inside = gymnasium.make("Pendulum-v1")
    env = TransformedEnv(GymWrapper(inside), NoopResetEnv(3))
    count = set()
    for _ in range(30):
        env.reset()
        count.add(inside.get_wrapper_attr("_elapsed_steps"))
    assert count == {1, 2, 3}


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_environments_in_processes_are_transformed_as_one_batch():
    base = ParallelEnv(4, pixels, mp_start_method="fork")
    with TransformedEnv(base, Compose(StepCounter(), ToTensorImage())) as env:
        env = env.append_transform(ObservationNorm(in_keys=["pixels"], loc=2, scale=1))
        observed = {
            "observation": "float32 4 3",
            "pixels": "float32 4 3 500 500",
            "step_count": "int64 4 1",
        }
        assert repr(env.reset()) == of_a_reset(observed, [4])
        assert isinstance(env.action_spec, Bounded)
        assert repr(env.action_spec) == (
            "Bounded(\n"
            "    shape=torch.Size([4, 1]),\n"
            "    space=ContinuousBox(\n"
            "        low=Tensor(shape=torch.Size([4, 1]), device=cpu, dtype=torch.float32, contiguous=True),\n"
            "        high=Tensor(shape=torch.Size([4, 1]), device=cpu, dtype=torch.float32, contiguous=True)),\n"
            "    device=cpu,\n"
            "    dtype=torch.float32,\n"
            "    domain=continuous)"
        )


# ---- rolling out

MAX_STEPS = 100


def actor_of(env):
    return SafeModule(nn.Linear(3, 1), spec=env.action_spec, in_keys=["observation"], out_keys=["action"])


def by_hand(env, actor):
    """The loop that the document writes: each step, and the index of the last one."""
    env.set_seed(0)
    td, made, i = env.reset(), [], 0
    for i in range(MAX_STEPS):  # noqa: B007
        td = env.step(actor(td))
        made.append(td)
        if td["done"].any():
            break
        td = step_mdp(td)
    return made, i


def preallocated(made):
    tds = TensorDict({}, [MAX_STEPS])
    for i, td in enumerate(made):
        tds = tds.at[i].set(td)
    return tds


def test_the_loop_by_hand_the_stacked_one_and_the_rollout_are_equal():
    env = GymEnv("Pendulum-v1")
    actor = actor_of(env)
    made, last = by_hand(env, actor)
    assert last == 99
    allocated = preallocated(made)
    stack = torch.stack(by_hand(env, actor)[0], 0)
    env.set_seed(0)
    rollout = env.rollout(policy=actor, max_steps=MAX_STEPS)
    assert (stack == allocated).all() is True
    assert (rollout == allocated).all() is True


def test_a_trajectory_has_time_as_its_batch_axis():
    env = GymEnv("Pendulum-v1")
    made, _ = by_hand(env, actor_of(env))
    fields = {"observation": "float32 3"}, {"action": "float32 1"}
    assert repr(preallocated(made)) == steps(*fields, [100], inner="cpu", outer=None)
    assert repr(torch.stack(made, 0)) == steps(*fields, [100], inner="cpu", outer="cpu")
    assert repr(env.rollout(100)) == steps(*fields, [100], inner="cpu", outer="cpu")


def test_the_next_root_is_what_came_of_the_step():
    env = GymEnv("Pendulum-v1")
    td = env.step(actor_of(env)(env.reset()).set("hidden", torch.ones(2)))
    after = step_mdp(td)
    assert sorted(after) == ["done", "hidden", "observation", "terminated", "truncated"]  # no action and no reward
    assert torch.equal(after["observation"], td["next", "observation"])
