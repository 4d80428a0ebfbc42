import numpy as np
import pytest
import torch

from frl import random
from frl.envs import FunctionalEnv, GymEnv, GymWrapper, check_env, ids, make
from frl.envs.classic import Pendulum
from tests.envs import liars
from tests.envs.liars import GymLiar, after, late, without
from tests.envs.worlds import DRAWS_NOTHING

NAN = float("nan")


def obs(change):
    return lambda td: {"observation": change(td["observation"])}


def reward(change):
    return lambda td: {"reward": change(td["reward"])}


# What is wrong, the environment, and words of the message.
LIARS = [
    ("NaN in an observation", late(obs(lambda x: x * NAN)), "step 5.*'observation'.*nan"),
    ("infinity in an observation", late(obs(lambda x: x + torch.inf)), "step 5.*'observation'.*inf"),
    ("an observation out of bounds", late(obs(lambda x: x + 100)), r"step 5.*'observation' lies outside"),
    ("an observation of another shape", after(obs(lambda x: x[..., :3])), r"'observation' has shape \[2, 3\]"),
    ("an observation of another dtype", after(obs(torch.Tensor.double)), "'observation'.*float64.*float32"),
    ("NaN as a reward", late(reward(lambda x: x * NAN)), "step 5.*'reward'.*nan"),
    ("an infinite reward", late(reward(lambda x: x / 0)), "step 5.*'reward'.*inf"),
    ("an integer as a reward", after(reward(torch.Tensor.long)), "'reward' is torch.int64.*float32"),
    ("a reward without its last axis", after(reward(lambda x: x[..., 0])), r"'reward' has shape \[2\]"),
    ("no reward", without("reward"), "'reward'"),
    ("no observation", without("observation"), "'observation'.*missing"),
    ("no truncated", without("truncated"), "'truncated'.*missing"),
    ("done as a number", after(lambda td: {"done": td["done"].float()}), "'done'.*float32"),
    ("done that is only terminated", after(lambda td: {"done": td["terminated"]}), "'done' is not terminated"),
    ("a key that comes and goes", liars.extra_key_at_reset, "bonus"),
    ("an episode that begins done", liars.begins_done, "reset: 'done' is True"),
    ("no time limit", after(lambda td: {"truncated": td["truncated"] & False, "done": td["terminated"]}), "truncated"),
    ("steps that are not counted", after(lambda td: {"step_count": td["step_count"] * 0}), "'step_count'"),
    ("an input changed in place", liars.changes_its_input, "in place.*'observation'"),
    ("a root that is not the input", liars.changes_the_root, "root.*'observation'"),
    ("a buffer that is written again", liars.reuses_a_buffer, "changed since.*observation"),
    ("draws from torch's global generator", liars.draws_from_the_global_generator, "equal key.*'next.reward'"),
    ("uses torch's global generator", liars.wastes_the_global_generator, "global generator"),
    ("a memory of its calls", liars.remembers_its_calls, "equal key.*'next.reward'"),
    ("an ignored key", liars.ignores_the_key, "two keys give one episode"),
    ("one draw for the whole batch", liars.begins_every_row_alike, "begin alike"),
    ("rows that depend on each other", liars.mixes_its_rows, "environment 0 depends.*'next.reward'"),
    ("the next episode in place of the successor", liars.shows_the_next_episode, "true successor"),
    ("no fresh start", liars.never_starts_afresh, "step 8.*'(done|truncated)'"),
    ("a reset of what is not done", liars.resets_what_is_not_done, "where nothing is done"),
    ("a branch on values", liars.reads_values_while_traced, "(vmap|compiled).*raises"),
    ("a dict in place of a TensorDict", liars.returns_a_dict, "reset.*dict.*TensorDict"),
    ("another batch size", liars.has_another_batch_size, r"batch size is \[\] but must be \[2\]"),
]

GYM_LIARS = [
    ("NaN in an observation", lambda: GymLiar(lambda o, r, e, c: (o * NAN, r, e, c)), "step 0.*'observation'.*nan"),
    ("NaN as a reward", lambda: GymLiar(lambda o, r, e, c: (o, NAN, e, c)), '"reward" of environment 0 is nan'),
    ("an infinite reward", lambda: GymLiar(lambda o, r, e, c: (o, np.inf, e, c)), "'reward'.*inf"),
    (
        "an observation of another shape",
        lambda: GymLiar(lambda o, r, e, c: (o[:3], r, e, c)),
        r"environment 0.*\[3\].*\[4\]",
    ),
    ("an observation out of bounds", lambda: GymLiar(lambda o, r, e, c: (o + 100, r, e, c)), "lies outside"),
    ("a wrong shape at reset", lambda: GymLiar(begin=lambda o: o[None]), r"environment 0.*\[1, 4\].*\[4\]"),
    ("no seeds", liars.Unseeded, "equal key.*'(action|observation|next.observation)'"),
]


@pytest.mark.parametrize(("env", "message"), [row[1:] for row in LIARS], ids=[row[0] for row in LIARS])
def test_a_liar_is_caught_and_what_it_did_is_named(env, message):
    with torch.random.fork_rng(), pytest.raises(ValueError, match=message) as error:
        check_env(env(), num_steps=20)
    assert len(str(error.value)) <= 400


@pytest.mark.parametrize(("env", "message"), [row[1:] for row in GYM_LIARS], ids=[row[0] for row in GYM_LIARS])
def test_a_liar_behind_gymnasium_is_caught(env, message):
    with pytest.raises(ValueError, match=message) as error:
        check_env(GymWrapper(env()), num_steps=20)
    assert len(str(error.value)) <= 400


def test_a_vector_that_resets_more_than_it_is_told_is_caught():
    with pytest.raises(ValueError, match="where nothing is done"):
        check_env(GymWrapper(liars.StaleVector()), num_steps=50)


@pytest.mark.parametrize("id", ids())
def test_a_pure_environment_keeps_its_word(id):
    check_env(make(id, batch_size=[2]), num_steps=40, deterministic=id in DRAWS_NOTHING)


def test_a_single_environment_in_float64_keeps_its_word():
    check_env(FunctionalEnv(Pendulum(torch.float64), max_steps=7), num_steps=10)


HONEST = ["Acrobot-v1", "MountainCar-v0", "MountainCarContinuous-v0", "FrozenLake-v1", "Taxi-v4", "CliffWalking-v1"]


@pytest.mark.parametrize("id", ["CartPole-v1", "Pendulum-v1", *HONEST])
@pytest.mark.parametrize("num_envs", [None, 2])
def test_no_false_alarm_on_gymnasium(id, num_envs):
    check_env(GymEnv(id, num_envs=num_envs), num_steps=40, deterministic=id == "CliffWalking-v1")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("id", ["CartPole-v1", "Pendulum-v1", *HONEST])
def test_no_false_alarm_with_any_key(id, seed):
    env = GymEnv(id, num_envs=4)
    check_env(env, num_steps=1000, key=random.key(seed), deterministic=id == "CliffWalking-v1")
