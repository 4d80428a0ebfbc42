import pytest

from frl import random
from frl.envs import GymEnv, ids, make
from tests.envs.worlds import GYMNASIUM, OWN


@pytest.mark.parametrize(("id", "max_steps"), {**GYMNASIUM, **OWN}.items())
def test_pure_environments_have_their_usual_time_limits(id, max_steps):
    assert make(id).max_steps == max_steps


@pytest.mark.parametrize("id", GYMNASIUM)
def test_pure_environments_have_the_time_limits_of_gymnasium(id):
    assert make(id).max_steps == make(f"gym:{id}").max_steps


@pytest.mark.parametrize("batch_size", [3, [3], (3,)])
def test_a_batch_size_is_a_number_or_a_shape(batch_size):
    for id in ("CartPole-v1", "gym:CartPole-v1"):
        assert make(id, batch_size).reset(random.key(0)).batch_size == (3,)


def test_every_name_makes_an_environment():
    assert list(ids()) == [*GYMNASIUM, *OWN]
    assert [make(id).pure for id in ids()] == [True] * len(ids())


@pytest.mark.parametrize("id", GYMNASIUM)
def test_pure_environments_have_the_specs_of_gymnasium(id):
    ours, theirs = make(id), make(f"gym:{id}")
    assert ours.single_observation_spec == theirs.single_observation_spec
    assert ours.single_action_spec == theirs.single_action_spec


def test_gymnasiums_environments_are_marked_as_such():
    env = make("gym:CartPole-v1")
    assert isinstance(env, GymEnv)
    assert not env.pure


BAD = [
    ("CartPole", "'CartPole'; frl.envs.ids.. lists those in torch.*Did you mean.*CartPole-v1"),
    ("gym:CartPol-v1", "'CartPol-v1'.*CartPole-v1"),
    ("", "''.*There are CartPole-v1, Pendulum-v1"),
]


@pytest.mark.parametrize(("id", "message"), BAD)
def test_an_unknown_name_is_answered_by_those_that_exist(id, message):
    with pytest.raises(ValueError, match=message):
        make(id)


def test_gymnasium_has_no_batch_of_two_axes():
    with pytest.raises(ValueError, match=r"batch_size is \[2, 3\]"):
        make("gym:CartPole-v1", [2, 3])
