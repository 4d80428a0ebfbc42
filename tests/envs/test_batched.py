import pytest
import torch

from frl import random
from frl.envs import ParallelEnv, SerialEnv
from frl.envs.batched import BatchedEnv
from tests.envs import faulty


def test_there_are_two_ways_to_run_several():
    assert issubclass(SerialEnv, BatchedEnv)
    assert issubclass(ParallelEnv, BatchedEnv)


def test_specs_and_sizes_are_those_of_the_workers_side_by_side():
    env, one = SerialEnv(3, faulty.pure_cartpoles), faulty.pure_cartpoles()
    assert env.batch_size == (3, 2)
    assert env.single_action_spec == one.single_action_spec
    assert env.action_spec.shape == (3, 2, 2)
    assert env.observation_spec["observation"].shape == (3, 2, 4)
    assert (env.max_steps, env.pure, env.keyed_steps) == (7, False, True)
    assert not SerialEnv(1, faulty.cartpole).keyed_steps


def test_what_stands_at_another_place_must_have_its_form():
    env = SerialEnv(2, faulty.pure_cartpole)
    td = env.rand_action(env.reset())
    with pytest.raises(ValueError, match=r"'state' holds torch.float64 \[2, 4\] but must hold torch.float32 \[2, 4\]"):
        env.step(td.set("state", td["state"].double()))
    with pytest.raises(ValueError, match=r"'step_count' holds torch.int64 \[2, 3\]"):
        env.step(td.set("step_count", torch.zeros(2, 3, dtype=torch.int64)))
    assert env.step(td)["next", "step_count"].tolist() == [[1], [1]]


def test_each_worker_has_a_key_of_its_own():
    starts = SerialEnv(3, faulty.pendulum).reset(random.key(0))["observation"]
    assert len(starts.unique(dim=0)) == 3
    fewer = SerialEnv(2, faulty.pendulum).reset(random.key(0))["observation"]
    assert torch.equal(starts[:2], fewer)
