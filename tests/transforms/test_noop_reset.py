import pytest

from frl import random
from frl.envs import FunctionalEnv, GymWrapper
from frl.envs.vector import Vector
from frl.transforms import Compose, NoopResetEnv, StepCounter, TransformedEnv
from tests.transforms.worlds import Count, PureCount

KEY = random.key(0)


def worlds(end, batch):
    pure = FunctionalEnv(PureCount(end), [batch])
    return {"pure": pure, "gym": GymWrapper(Vector([lambda: Count(end)] * batch))}


@pytest.mark.parametrize("kind", ["pure", "gym"])
def test_an_episode_is_shown_after_one_to_so_many_steps(kind):
    env = TransformedEnv(worlds(50, 100)[kind], NoopResetEnv(3))
    begun = env.reset(KEY)["observation"].flatten()
    assert begun.unique().tolist() == [1, 2, 3]


@pytest.mark.parametrize("kind", ["pure", "gym"])
def test_or_after_exactly_so_many(kind):
    env = TransformedEnv(worlds(50, 5)[kind], NoopResetEnv(4, random=False))
    assert env.reset(KEY)["observation"].flatten().tolist() == [4] * 5


@pytest.mark.parametrize("kind", ["pure", "gym"])
def test_an_episode_that_ends_on_the_way_begins_afresh(kind):
    env = TransformedEnv(worlds(3, 5)[kind], NoopResetEnv(4, random=False))
    td = env.reset(KEY)
    assert td["observation"].flatten().tolist() == [0] * 5
    assert not td["done"].any()


@pytest.mark.parametrize("kind", ["pure", "gym"])
def test_the_following_episodes_begin_so_too_and_are_counted_from_there(kind):
    env = TransformedEnv(worlds(4, 1)[kind], Compose(NoopResetEnv(2, random=False), StepCounter()))
    td = env.reset(KEY)
    seen = []
    for k in random.split(KEY, 4):
        seen.append((td["observation"].item(), td["step_count"].item()))
        td = env.step_and_reset(env.rand_action(td, k), k)[1]
    assert seen == [(2, 0), (3, 1), (2, 0), (3, 1)]


@pytest.mark.parametrize("kind", ["pure", "gym"])
def test_equal_keys_begin_alike(kind):
    env = TransformedEnv(worlds(50, 20)[kind], NoopResetEnv(9))
    a, b, c = (env.reset(random.key(seed))["observation"].flatten().tolist() for seed in (1, 1, 2))
    assert a == b != c


def test_no_step_is_refused():
    with pytest.raises(ValueError, match="noops is 0"):
        NoopResetEnv(0)
