import gymnasium
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from frl import random
from frl.envs import GymWrapper
from frl.transforms.inner import Inner, around, wrapped
from tests.envs.liars import Liar
from tests.transforms.worlds import Count, scene

KEY = random.key(0)


def test_it_is_the_environment():
    env = Inner(scene())
    assert bool((env.rollout(4, key=KEY) == scene().rollout(4, key=KEY)).all())
    assert env.single_observation_spec == scene().single_observation_spec


def test_gymnasium_s_environments_are_wrapped_and_stay_the_same():
    env = GymWrapper(Count())
    assert wrapped("Any", env, gymnasium.Wrapper).vector_env.envs[0].env is env.vector_env.envs[0]


def test_what_cannot_be_reached_is_refused():
    vector = SyncVectorEnv([Count], autoreset_mode=AutoresetMode.DISABLED)
    with pytest.raises(TypeError, match=r"Any: .* cannot be reached; wrap each of them"):
        wrapped("Any", GymWrapper(vector), gymnasium.Wrapper)
    liar = Liar()
    liar.pure = False
    with pytest.raises(TypeError, match="neither pure nor a GymWrapper"):
        around("Any", liar, Inner, gymnasium.Wrapper)
