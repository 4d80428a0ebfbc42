"""Seed document 003, its collectors: two processes of three environments, in step and each at its own pace.

What the environments draw is replaced by what holds of every draw: shapes and dtypes as they are printed, steps that
follow from each other, and numbers of episodes of which no two are equal.
"""

from functools import partial

import pytest
import torch
from torch import nn

from frl import TensorDict
from frl.collectors import Collector, MultiAsyncCollector, MultiSyncCollector
from frl.envs import EnvCreator, GymEnv, SerialEnv
from frl.nn import TensorDictModule
from tests.seeds.printed import printed, steps

KINDS = {"in step": (MultiSyncCollector, [6, 10]), "at its own pace": (MultiAsyncCollector, [3, 20])}


@pytest.fixture(scope="module", params=KINDS, ids=str)
def collected(request):
    """The printed batch size, the batches, and the actor that collected them."""
    collector_class, batch_size = KINDS[request.param]
    serial = SerialEnv(3, EnvCreator(partial(GymEnv, "Pendulum-v1")))
    with torch.random.fork_rng(devices=[]):
        actor = TensorDictModule(nn.Linear(3, 1), in_keys=["observation"], out_keys=["action"])
    collector = collector_class(
        create_env_fn=[serial, serial],
        policy=actor,
        total_frames=240,
        max_frames_per_traj=-1,
        frames_per_batch=60,
        device=["cpu", "cpu"],
    )
    batches = []
    for data in collector:
        batches.append(data)
        collector.update_weights(TensorDict.from_module(actor))
    collector.shutdown()
    serial.close()
    return batch_size, batches, actor


def test_there_are_four_batches_the_last_of_them_number_three(collected):
    batch_size, batches, _ = collected
    assert [i for i, _ in enumerate(batches)][-1] == 3
    assert [list(data.batch_size) for data in batches] == [batch_size] * 4


def test_a_batch_has_its_trajectories_apart(collected):
    batch_size, batches, _ = collected
    shown = batches[0].exclude(("collector", "version"))  # what frl adds: by which weights it was acted
    expected = steps({"observation": "float32 3"}, {"action": "float32 1"}, batch_size, "cpu", "cpu")
    ids = printed({"traj_ids": "int64 " + " ".join(map(str, batch_size))}, batch_size, "cpu")
    assert repr(shown.exclude("collector")) == expected
    assert repr(shown["collector"]) == ids
    for number in shown["collector", "traj_ids"]:
        assert (number == number[0]).all()  # no episode has ended: 200 steps are more than ten or twenty
    assert len(shown["collector", "traj_ids"].unique()) == batch_size[0]


def test_the_steps_are_those_of_the_environment_under_the_actor(collected):
    _, batches, actor = collected
    for data in batches:
        with torch.no_grad():
            torch.testing.assert_close(data["action"], actor(data)["action"])
        assert torch.equal(data["observation"][:, 1:], data["next", "observation"][:, :-1])
        assert not data["next", "done"].any()


def test_the_weights_of_a_batch_have_a_version(collected):
    batch_size, batches, _ = collected
    versions = [data["collector", "version"].flatten() for data in batches]
    assert all(len(version.unique()) == 1 for version in versions)
    first = [int(version[0]) for version in versions]
    if batch_size == [6, 10]:
        assert first == [0, 1, 2, 3]
    else:  # a worker may be at its next batch already when weights are sent
        assert all(version <= i for i, version in enumerate(first))


def test_an_environment_and_a_function_that_makes_one_are_collected_from_alike():
    def batch(env):
        with Collector(env, frames_per_batch=30, total_frames=30) as collector:
            (data,) = collector
            return data

    create = partial(GymEnv, "Pendulum-v1")
    with create() as env:
        assert (batch(env) == batch(create)).all() is True
