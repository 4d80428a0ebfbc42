import numpy as np
import torch

from frl import TensorDict, random
from frl.envs import GymEnv
from frl.envs.shell import names, put


def test_a_key_is_used_where_none_is_given_and_another_the_next_time():
    env = GymEnv("Pendulum-v1", seed=3)
    first, second = env.split_key(None, 2), env.split_key(None, 2)
    assert not torch.equal(first, second)
    env.set_seed(3)
    assert torch.equal(env.split_key(None, 2), first)
    key = random.key(5)
    assert torch.equal(env.split_key(key, 2), random.split(key, 2))
    assert torch.equal(env.split_key(None, 2), second)


def test_put_is_set_of_what_is_known_to_fit():
    td = TensorDict({"a": torch.zeros(2, 1), "c": torch.zeros(2)}, [2], "cpu")
    for key in ("a", "b", "z"):
        value = torch.ones(2, 1)
        ours, theirs = put(td, key, value, 1), td.set(key, value)
        assert repr(ours) == repr(theirs)
        assert bool((ours == theirs).all())
        assert ours.batch_size == theirs.batch_size


def test_environments_are_named_by_their_places():
    assert names(np.array([True, False, True])) == "environments [0, 2]"
    assert names(np.array([[False, True], [False, False]])) == "environment [0, 1]"
