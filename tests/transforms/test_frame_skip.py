import pytest
import torch

from frl import TensorDict, random
from frl.envs import FunctionalEnv, GymWrapper
from frl.envs.vector import Vector
from frl.transforms import Compose, FrameSkipTransform, RewardSum, StepCounter, TransformedEnv
from tests.transforms.worlds import Count, PureCount

KEY = random.key(0)


def worlds(end, batch=2):
    pure = FunctionalEnv(PureCount(end), [batch])
    return {"pure": pure, "gym": GymWrapper(Vector([lambda: Count(end)] * batch))}


@pytest.mark.parametrize("kind", ["pure", "gym"])
def test_rewards_are_summed_and_the_last_frame_is_seen_up_to_the_end_of_the_episode(kind):
    env = TransformedEnv(worlds(5)[kind], FrameSkipTransform(3))
    td = env.rollout(9, key=KEY)
    assert td["next", "observation"][0].flatten().tolist() == [3, 5]
    assert td["next", "reward"][0].flatten().tolist() == [1 + 2 + 3, 4 + 5]
    assert td["next", "terminated"][0].flatten().tolist() == [False, True]


@pytest.mark.parametrize("kind", ["pure", "gym"])
def test_a_step_counts_once_wherever_the_counter_stands(kind):
    for chain in (Compose(FrameSkipTransform(2), StepCounter()), Compose(StepCounter(), FrameSkipTransform(2))):
        td = TransformedEnv(worlds(9)[kind], chain).rollout(3, key=KEY)
        assert td["next", "step_count"][0].flatten().tolist() == [1, 2, 3]


def test_rows_end_on_their_own():
    env = TransformedEnv(GymWrapper(Vector([lambda: Count(2), lambda: Count(4)])), FrameSkipTransform(3))
    td = env.rollout(1)
    assert td["next", "observation"].flatten().tolist() == [2, 3]
    assert td["next", "reward"].flatten().tolist() == [1 + 2, 1 + 2 + 3]


@pytest.mark.parametrize(("limit", "expected"), [(7, 3), (6, 2), (None, None)])
def test_the_time_limit_is_that_of_the_environment_in_its_own_steps(limit, expected):
    env = TransformedEnv(FunctionalEnv(PureCount(99), max_steps=limit), Compose(FrameSkipTransform(3), RewardSum()))
    assert env.max_steps == expected
    if limit is not None:
        td = env.rollout(9, key=KEY)
        assert td["next", "observation"][-1].item() == limit
        assert td["next", "episode_reward"][-1].item() == sum(range(limit + 1))


def test_one_frame_is_the_environment():
    env, plain = TransformedEnv(worlds(9)["pure"], FrameSkipTransform(1)), TransformedEnv(worlds(9)["pure"])
    td = TensorDict({}, [2]).update(env.reset(KEY)).set("action", torch.tensor([[1, 0], [0, 1]]))
    assert bool((env.step(td, KEY)["next"] == plain.step(td, KEY)["next"]).all())


def test_no_frame_is_refused():
    with pytest.raises(ValueError, match="frame_skip is 0"):
        FrameSkipTransform(0)
