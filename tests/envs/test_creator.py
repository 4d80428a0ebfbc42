import pytest

from frl import random
from frl.envs import Env, EnvCreator, GymEnv, ParallelEnv, SerialEnv
from frl.envs.creator import another, creators
from frl.envs.sending import packed, unpacked
from frl.transforms import Compose, NoopResetEnv, StepCounter, TransformedEnv
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


COPIED = {
    "Gymnasium's": lambda: GymEnv("CartPole-v1", num_envs=2, seed=5),
    "pixels": lambda: GymEnv("CartPole-v1", from_pixels=True, frame_skip=2),
    "serial ones": lambda: SerialEnv(2, faulty.cartpole),
    "transformed": lambda: TransformedEnv(GymEnv("Pendulum-v1"), Compose(NoopResetEnv(3), StepCounter(4))),
    "transformed serial ones": lambda: TransformedEnv(SerialEnv(2, faulty.pure_cartpole), StepCounter(4)),
}


@pytest.mark.parametrize("name", COPIED)
def test_an_environment_is_made_once_more_here_and_elsewhere(name):
    env, key = COPIED[name](), random.key(0)
    env.rollout(2, key=key)  # a window that renders cannot be copied
    expected = COPIED[name]().rollout(6, key=key)
    create = another("a test", env)
    elsewhere = unpacked("env", packed("a test", "env", create, "spawn", ""))
    for other in (create(), elsewhere()):
        assert repr(other) == repr(env)
        assert bool((other.rollout(6, key=key) == expected).all())
        other.close()
    env.reset(key)


def test_parallel_ones_are_made_once_more_with_workers_of_their_own():
    with ParallelEnv(1, faulty.cartpole, "fork") as env, another("a test", env)() as other:
        assert other._pool is not env._pool
        assert (other._method, other.batch_size) == ("fork", env.batch_size)


def test_a_pure_one_is_the_same_and_a_function_makes_its_own():
    env = faulty.pure_cartpole()
    assert another("a test", env)() is env
    assert another("a test", faulty.pure_cartpole)() is not env
