import pytest
import torch

from frl import random
from frl.envs import check_env, make
from frl.transforms import Compose, InitTracker, TransformedEnv, Trials


def walked(env, length, key=random.key(0)):  # noqa: B008
    """The roots and the "next" of each of so many steps with resets."""
    td, steps = env.reset(key), []
    for k in random.split(random.key(7), length):
        step, td = env.step_and_reset(env.rand_action(td, k), k)
        steps.append(step)
    return steps, td


def test_all_episodes_of_a_trial_are_of_one_task_and_the_next_trial_is_of_another():
    env = TransformedEnv(make("PointRobot-v0", 4), Trials(2))
    steps, following = walked(env, 200)
    goals = [step["transform_state", "env", "state", "goal"] for step in steps]
    assert all(torch.equal(goal, goals[0]) for goal in goals)
    assert not (following["transform_state", "env", "state", "goal"] == goals[0]).any(-1).all()


def test_an_episode_begins_as_the_first_did_and_is_not_done():
    env = TransformedEnv(make("PointRobot-v0", 4), Trials(2))
    steps, _ = walked(env, 101)
    last, first = steps[99]["next"], steps[0]
    assert torch.equal(last["observation"], first["observation"])
    assert last["episode_end"].all()
    assert not last["done"].any()
    assert not steps[100]["next", "episode_end"].any()


@pytest.mark.parametrize("id", ["PointRobot-v0", "FourRooms-v0"])
def test_a_trial_ends_terminated_however_its_last_episode_ended(id: str):
    env = TransformedEnv(make(id, 2), Trials(3))
    assert env.max_steps == 3 * make(id).max_steps
    td = env.rollout(env.max_steps, key=random.key(0), break_when_any_done=False)
    done = td["next", "done"]
    assert torch.equal(td["next", "terminated"], done)
    assert not td["next", "truncated"].any()
    ends = td["next", "episode_end"].squeeze(-1).cumsum(-1)
    assert torch.equal(done.squeeze(-1).int().argmax(-1), (ends >= 3).int().argmax(-1))


def test_a_memory_is_kept_within_a_trial():
    env = TransformedEnv(make("Catch-v0", 2), Compose(Trials(2), InitTracker()))
    steps, following = walked(env, 18)
    assert [bool(step["is_init"].all()) for step in steps] == [True] + [False] * 17
    assert following["is_init"].all()


def test_one_episode_is_a_trial():
    env = make("Catch-v0", 2)
    trial = TransformedEnv(env, Trials(1)).rollout(9, key=random.key(0))
    plain = env.rollout(9, key=random.key(0))
    assert torch.equal(trial["next", "done"], plain["next", "done"])
    assert torch.equal(trial["next", "observation"], plain["next", "observation"])


def test_it_is_an_environment():
    check_env(TransformedEnv(make("FourRooms-v0", 2), Trials(2)), key=random.key(0))
