import pytest

from frl.envs import Env, EnvCreator, GymEnv
from frl.envs.creator import creators
from tests.envs import faulty


def test_it_makes_another_environment_each_time():
    create = EnvCreator(faulty.cartpole)
    assert isinstance(create(), Env)
    assert create() is not create()
    assert EnvCreator(create).create_env_fn is faulty.cartpole


def test_what_is_made_must_be_an_environment():
    with pytest.raises(TypeError, match=r"returned a int but must return an environment of frl.*GymWrapper"):
        EnvCreator(faulty.no_environment)()
    with pytest.raises(TypeError, match=r"create_env_fn is a GymEnv but must be a function"):
        EnvCreator(GymEnv("CartPole-v1"))


def test_one_function_serves_all_and_a_list_serves_each():
    assert len(creators("SerialEnv", 3, faulty.cartpole)) == 3
    assert [c.create_env_fn for c in creators("SerialEnv", 2, [faulty.cartpole, faulty.pendulum])] == [
        faulty.cartpole,
        faulty.pendulum,
    ]
    with pytest.raises(ValueError, match="has 1 functions but num_workers is 2; give one for each worker"):
        creators("SerialEnv", 2, [faulty.cartpole])
    for count in (0, -1, 2.0, None):
        with pytest.raises(ValueError, match=r"num_workers is .* but must be an integer and at least 1"):
            creators("SerialEnv", count, faulty.cartpole)
