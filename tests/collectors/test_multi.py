import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial

import pytest
import torch

from frl.collectors import Collector, MultiAsyncCollector, MultiSyncCollector
from frl.collectors.multi import MultiCollector
from frl.envs import ParallelEnv, SerialEnv, WorkerDied, WorkerRaised, WorkerTimeout
from frl.nn import from_module
from tests.collectors import policies
from tests.collectors.policies import SPLITS
from tests.envs import faulty
from tests.envs.test_parallel import gone, held, pids_of

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
Sync = partial(MultiSyncCollector, mp_start_method="fork")
Async = partial(MultiAsyncCollector, mp_start_method="fork")
BOTH = pytest.mark.parametrize("kind", [Sync, Async], ids=["sync", "async"])


def two_batches(collector):
    with collector:
        batches = iter(collector)
        return next(batches), next(batches)


@pytest.mark.parametrize("name", SPLITS)
def test_six_environments_in_one_two_or_three_groups_give_the_same_to_the_bit(name):
    expected = two_batches(Collector(SPLITS[name](6), frames_per_batch=180))
    for workers in (1, 2, 3):
        found = two_batches(Sync([SPLITS[name](6 // workers)] * workers, frames_per_batch=180))
        for x, y in zip(expected, found, strict=True):
            assert x.batch_size == y.batch_size == (6, 30)
            assert bool((x == y).all())
    assert expected[1]["collector", "traj_ids"].max() >= 6


def test_single_environments_give_the_same_as_a_vector_of_them():
    expected = two_batches(Collector(partial(policies.carts, 3), frames_per_batch=90))
    found = two_batches(Sync([faulty.cartpole] * 3, frames_per_batch=90))
    assert all(bool((x == y).all()) for x, y in zip(expected, found, strict=True))


@pytest.mark.parametrize("policy", [policies.actor(), policies.gaussian(), policies.act_at_random])
def test_a_network_gives_the_same_to_rounding_over_ten_steps(policy):
    groups = [Sync([partial(policies.pendulums, 6 // w)] * w, policy, 60) for w in (1, 2, 3)]
    first, *others = (next(iter(two_batches(group))) for group in groups)
    for other in others:
        torch.testing.assert_close(first["next", "observation"], other["next", "observation"], rtol=0, atol=1e-5)
        torch.testing.assert_close(first["action"], other["action"], rtol=0, atol=1e-5)


def test_two_groups_of_three_make_batches_of_six_rows_four_times():
    env = SerialEnv(3, lambda: faulty.pendulum())
    collector = Sync(
        create_env_fn=[env, env],
        policy=policies.actor(),
        total_frames=240,
        max_frames_per_traj=-1,
        frames_per_batch=60,
        device=["cpu", "cpu"],
    )
    params = from_module(policies.actor())
    for i, data in enumerate(collector):
        assert (data.batch_size, data.device) == ((6, 10), torch.device("cpu"))
        assert set(data) == {"action", "collector", "done", "next", "observation", "terminated", "truncated"}
        assert data["collector", "version"].unique().tolist() == [i]
        assert not data["action"].is_shared()
        collector.update_weights(params)
    assert i == 3
    collector.shutdown()


def test_each_group_at_its_own_pace_makes_batches_of_three_rows_four_times():
    collector = Async([SerialEnv(3, faulty.pendulum)] * 2, policies.actor(), 60, 240, device=["cpu", "cpu"])
    groups = []
    for data in collector:
        assert data.batch_size == (3, 20)
        groups.append(data["collector", "traj_ids"][0, 0].item() // 3)
    assert len(groups) == 4
    assert set(groups) == {0, 1}
    collector.shutdown()


def test_what_a_group_gathers_does_not_depend_on_who_comes_first():
    expected = two_batches(Sync([faulty.cartpole] * 2, frames_per_batch=60))
    whole = torch.cat(expected, 1)
    with Async([faulty.cartpole] * 2, frames_per_batch=30, total_frames=120) as collector:
        rows = {0: [], 1: []}
        for data in collector:
            rows[data["collector", "traj_ids"][0].item() % 2].append(data)
    for i, found in rows.items():
        row = torch.cat(found, 0)
        n = min(row.batch_size[0], 60)
        assert bool((whole[i][:n] == row[:n]).all())


def test_new_weights_act_in_every_worker_and_the_data_say_since_when():
    policy = policies.constant()
    with Async([faulty.pendulum] * 2, policy, 5, 60) as collector:
        for i, data in enumerate(collector):
            version = data["collector", "version"].unique().tolist()
            assert data["action"].unique().tolist() == [0.5 + version[0]]
            assert i - 3 <= version[0] <= i
            collector.update_weights(from_module(policy).set(("module", "bias"), torch.tensor([1.5 + i])))
    assert version[0] > 0


@BOTH
def test_equal_seeds_begin_equally(kind):
    with kind([faulty.cartpole], frames_per_batch=30) as collector:
        first, second = (next(iter(collector)) for _ in range(2))
        collector.set_seed(0)
        assert bool((next(iter(collector)) == first).all())
        assert bool((next(iter(collector)) == second).all())
        collector.set_seed(5)
        assert not bool((next(iter(collector)) == first).all())


@BOTH
def test_random_frames_and_long_trajectories_are_as_in_one_process(kind):
    with kind([faulty.pendulum] * 2, policies.constant(), 12, 24, 4, 6) as collector:
        data = next(iter(collector)).reshape(-1)
    assert data["next", "truncated"].sum() == (data.batch_size[0] // 4 if kind is Async else 2)
    assert (data["action"][:3] != 0.5).all()
    assert (data["action"][3:6] == 0.5).all()


@pytest.mark.parametrize("kind", [MultiSyncCollector, MultiAsyncCollector])
def test_processes_that_are_not_forked_give_the_same(kind):
    expected = next(iter(two_batches(Collector(faulty.pendulum, policies.gaussian(), 10))))
    with kind([faulty.pendulum()], policies.gaussian(), 10) as collector:
        found = next(iter(collector))
    assert bool((found.reshape(10) == expected).all())


DEATHS = {
    "raise": (WorkerRaised, "raised LookupError in {}: planted"),
    "exit": (WorkerDied, "died in {}: it ended with exit code 3"),
    "kill": (WorkerDied, "died in {}: killed by SIGKILL"),
    "crash": (WorkerDied, "died in {}: killed by SIGSEGV"),
    "stop": (WorkerTimeout, "has not answered in 0.5 s, the timeout, in {}"),
    "hang": (WorkerTimeout, "has not answered in 0.5 s, the timeout, in {}"),
}
PHASES = {"construct": "the making of its environment", "step": "the gathering of a batch"}


@BOTH
@pytest.mark.parametrize("where", PHASES)
@pytest.mark.parametrize("how", DEATHS)
def test_a_fault_is_named_in_time_and_leaves_nothing(kind, how, where, monkeypatch):
    monkeypatch.setattr(MultiCollector, "timeout", 0.5)
    before, children = held(), multiprocessing.active_children()
    error, words = DEATHS[how]
    create = [faulty.honest, lambda: faulty.faulty(how, where)]
    pids = []
    with pytest.raises(error) as caught:  # noqa: PT012
        collector = kind(create, frames_per_batch=20)
        pids = pids_of(collector)
        for _ in range(3):
            next(iter(collector))
    assert f"{kind.func.__name__}: worker 1 (pid " in str(caught.value)
    assert words.format(PHASES[where]) in str(caught.value)
    assert "All workers are closed" in str(caught.value)
    if how == "raise":
        assert "mend the environment or the policy" in str(caught.value)
    if where != "construct":
        with pytest.raises(RuntimeError, match=r"used after shutdown\(\)"):
            next(iter(collector))
        collector.shutdown()
        del collector
    del caught
    assert gone(pids)
    assert multiprocessing.active_children() == children
    assert held() == before


class Sluggish:
    """A policy that takes its time."""

    def __call__(self, td):
        time.sleep(0.1)
        return td.set("action", torch.tensor([0, 1]))


def test_a_batch_may_take_longer_than_a_step_may(monkeypatch):
    monkeypatch.setattr(MultiCollector, "timeout", 0.4)
    with Sync([faulty.honest], Sluggish(), 10) as collector:
        assert next(iter(collector)).batch_size == (1, 10)


def test_a_batch_that_changes_its_form_is_named():
    class Moody:
        count = 0

        def __call__(self, td):
            self.count += 1
            td = td.set("action", torch.tensor([0, 1]))
            return td.set("mood", torch.zeros(1)) if self.count > 5 else td

    with pytest.raises(WorkerRaised, match=r"a batch returned 'mood'") as caught:
        two_batches(Sync([faulty.cartpole], Moody(), 5))
    assert caught.value.worker == 0


def test_environments_that_differ_are_named():
    with pytest.raises(ValueError, match="MultiSyncCollector: worker 1 differs from worker 0 in"):
        Sync([faulty.cartpole, faulty.pendulum])


@BOTH
def test_shutdown_in_the_middle_of_a_batch_is_quick_and_closes(kind):
    collector = kind([faulty.cartpole] * 2, frames_per_batch=4000)
    pids = pids_of(collector)
    next(iter(collector))
    began = time.monotonic()
    collector.shutdown()
    collector.shutdown()
    assert time.monotonic() - began < 5.0
    assert gone(pids)


@BOTH
def test_what_is_not_shut_down_ends_with_the_last_reference(kind):
    before = held()
    collector = kind([faulty.cartpole] * 2, frames_per_batch=40)
    pids, data = pids_of(collector), next(iter(collector))
    del collector
    gc.collect()
    assert gone(pids)
    assert held() == before
    assert data.batch_size[-1] > 0


def test_an_interrupt_closes_all():
    collector = Sync([faulty.honest, lambda: faulty.faulty("hang", "step")])
    pids = pids_of(collector)
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    with pytest.raises(KeyboardInterrupt):
        next(iter(collector))
    assert gone(pids)


def test_workers_may_have_workers():
    inner = partial(ParallelEnv, 2, faulty.cartpole, "fork")
    with Sync([inner] * 2, frames_per_batch=40) as collector:
        assert next(iter(collector)).batch_size == (4, 10)


SCRIPT = """
import sys
from functools import partial
from frl.collectors import MultiAsyncCollector
from frl.envs import GymEnv

if __name__ == "__main__":
    create = [partial(GymEnv, "CartPole-v1")] * 2
    collector = MultiAsyncCollector(create, frames_per_batch=100, mp_start_method=sys.argv[1])
    print(*[process.pid for process in collector._pool._processes], flush=True)
    for data in collector:
        pass
"""


@pytest.mark.parametrize("method", ["fork", pytest.param("forkserver", marks=pytest.mark.slow)])
def test_no_worker_outlives_its_parent(tmp_path, method):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT))
    parent = subprocess.Popen([sys.executable, path, method], stdout=subprocess.PIPE)
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 2
    time.sleep(0.1)
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate(timeout=20)
    assert gone(pids, 1.0)
