from types import SimpleNamespace

import pytest
import torch

from frl import random
from frl.envs import GymWrapper, check_env
from frl.envs.vector import Vector
from frl.transforms import Compose, EndOfLifeTransform, ExcludeTransform, StepCounter, TransformedEnv
from tests.transforms.worlds import Count, pendulum, scene

KEY = random.key(0)


def test_a_life_lost_is_marked_and_the_episode_goes_on():
    td = TransformedEnv(scene((20,), 6), EndOfLifeTransform()).rollout(6, key=KEY, break_when_any_done=False)
    after, lives = td["next"], td["lives"]
    assert torch.equal(after["end-of-life"], (after["lives"] < lives) | after["done"])
    lost = after["lives"] < lives
    assert lost.any()
    assert not (lost & after["done"]).all()


def test_what_it_remembers_is_its_own():
    chain = Compose(EndOfLifeTransform("eol"), ExcludeTransform("lives"))
    td = TransformedEnv(scene((2,), 6), chain).rollout(3, key=KEY, break_when_any_done=False)
    assert td["next", "eol"][:, :, 0].tolist() == [[False, True, False]] * 2


class Lives(Count):
    """Has three lives in the place where Atari games have them, and loses one every other step."""

    @property
    def ale(self):
        return SimpleNamespace(lives=lambda: 3 - self.count // 2)


@pytest.mark.parametrize("num_envs", [None, 2])
def test_lives_are_found_in_gymnasium_s_environments(num_envs):
    gym = GymWrapper(Lives(6) if num_envs is None else Vector([lambda: Lives(6)] * num_envs), categorical_actions=True)
    env = TransformedEnv(gym, Compose(EndOfLifeTransform(), StepCounter()))
    check_env(env, 8, deterministic=True)
    td = env.rollout(5).reshape(-1)
    assert td["lives"].flatten().tolist()[:5] == [3, 3, 2, 2, 1]
    assert td["next", "end-of-life"].flatten().tolist()[:5] == [False, True, False, True, False]
    assert env.single_action_spec == gym.single_action_spec


def test_lives_must_be_shown():
    for env in (pendulum(), GymWrapper(Count())):
        with pytest.raises(KeyError, match="shows no 'lives'"):
            TransformedEnv(env, EndOfLifeTransform())
