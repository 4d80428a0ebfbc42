import gc
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial

import pytest
import torch

from frl import random
from frl.collectors import collect, start
from frl.envs import GymEnv, ParallelEnv, SerialEnv, WorkerDied, WorkerRaised, WorkerTimeout, check_env
from frl.specs import Bounded
from tests.envs import faulty
from tests.envs.faulty import ALIKE, LIARS

KEY = random.key(0)
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def alive(pid):
    """Whether there is such a process which is no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def gone(pids, seconds=2.0):
    deadline = time.monotonic() + seconds
    while any(alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def pids_of(env):
    return [process.pid for process in env._pool._processes]


def held():
    """What this process holds: its open files, and its maps of unnamed memory."""
    gc.collect()
    with open("/proc/self/maps") as file:
        return (
            len(os.listdir("/proc/self/fd")),
            sum("memfd:frl" in line for line in file),
            sorted(os.listdir("/dev/shm")),
        )


@pytest.mark.parametrize("name", ALIKE)
def test_equals_serial_ones_bit_by_bit(name):
    serial = SerialEnv(2, ALIKE[name])
    with ParallelEnv(2, ALIKE[name], mp_start_method="fork") as parallel:
        a, b = serial.reset(KEY), parallel.reset(KEY)
        assert bool((a == b).all())
        for key in random.split(KEY, 12):
            step, a = serial.step_and_reset(serial.rand_action(a, key), key)
            other, b = parallel.step_and_reset(parallel.rand_action(b, key), key)
            assert bool((step == other).all())
            assert bool((a == b).all())
        assert parallel.observation_spec == serial.observation_spec
        assert parallel.action_spec == serial.action_spec
        assert (parallel.max_steps, parallel.batch_size) == (serial.max_steps, serial.batch_size)
        assert bool((parallel.rollout(5, key=KEY) == serial.rollout(5, key=KEY)).all())


@pytest.mark.parametrize("name", ["Gymnasium's, a vector", "a batch of pure ones"])
def test_it_keeps_its_word(name):
    with ParallelEnv(2, ALIKE[name], mp_start_method="fork") as env:
        check_env(env, num_steps=25)


@pytest.mark.parametrize("method", ["forkserver", pytest.param("spawn", marks=pytest.mark.slow)])
def test_processes_that_are_not_forked_give_the_same(method):
    with ParallelEnv(2, faulty.cartpole, mp_start_method=method) as env:
        assert bool((env.rollout(3, key=KEY) == SerialEnv(2, faulty.cartpole).rollout(3, key=KEY)).all())


def test_results_keep_their_values_and_share_nothing():
    with ParallelEnv(2, faulty.cartpole, "fork") as env:
        td = env.rand_step(env.reset(KEY), KEY)
        before = td["next", "observation"].clone()
        env.rand_step(td["next"], KEY)
        assert torch.equal(td["next", "observation"], before)
        assert not td["next", "observation"].is_shared()


def test_a_pure_environment_goes_on_from_what_it_is_given():
    serial = SerialEnv(2, faulty.pure_cartpole)
    with ParallelEnv(2, faulty.pure_cartpole, "fork") as env:
        begin = env.rand_action(env.reset(KEY), KEY)
        first = env.step(begin, KEY)
        env.step(env.rand_action(first["next"], KEY), KEY)
        serial.reset(KEY)
        assert bool((env.step(begin, KEY) == first).all())
        assert bool((serial.step(begin, KEY) == first).all())
        wrong = begin.set("step_count", begin["step_count"].float())
        with pytest.raises(ValueError, match=r"'step_count' holds torch.float32 \[2, 1\] but must hold torch.int64"):
            env.step(wrong, KEY)
        assert bool((env.step(begin, KEY) == first).all())


def test_an_action_that_requires_a_gradient_is_detached():
    with ParallelEnv(2, faulty.pendulum, "fork") as env:
        for _ in range(2):
            td = env.step(env.reset().set("action", torch.zeros(2, 1, requires_grad=True)))
        assert not td["next", "reward"].requires_grad


def test_collection_runs_on_it():
    def act(train, td, key):
        return env.rand_action(td, key)

    with ParallelEnv(2, faulty.pure_cartpole, "fork") as env:
        _, batch = collect(env, act, None, start(env, KEY), KEY, 20)
        assert batch.batch_size == (2, 20)
        assert batch["next", "truncated"].any()


def test_a_refused_step_leaves_it_whole():
    with ParallelEnv(2, faulty.nested, "fork") as env:
        with pytest.raises(RuntimeError, match="before a reset"):
            env.rand_step(env.observation_spec.zeros())
        td = env.reset()
        with pytest.raises(ValueError, match='"action" has shape'):
            env.step(td.set("action", torch.zeros(2, 3)))
        for _ in range(3):
            td = env.rand_step(td)["next"]
        with pytest.raises(RuntimeError, match=r"after the end of environments \[0, 1\]"):
            env.rand_step(td)
        assert not env.reset()["done"].any()


PATIENCE = 60.0  # seconds; what does not wait for it ends much sooner, however busy the machine
DEATHS = {
    "raise": (WorkerRaised, "raised LookupError in {}: planted"),
    "leave": (WorkerRaised, "raised SystemExit in {}: 4"),
    "exit": (WorkerDied, "died in {}: it ended with exit code 3"),
    "kill": (WorkerDied, "died in {}: killed by SIGKILL"),
    "crash": (WorkerDied, "died in {}: killed by SIGSEGV"),
    "stop": (WorkerTimeout, "has not answered in 0.5 s, the timeout, in {}"),
    "hang": (WorkerTimeout, "has not answered in 0.5 s, the timeout, in {}"),
}
PHASES = {"construct": "the making of its environment", "reset": "a reset", "step": "a step"}


@pytest.mark.parametrize("where", PHASES)
@pytest.mark.parametrize("how", DEATHS)
def test_a_fault_is_named_in_time_and_leaves_nothing(how, where):
    before = held()
    children = multiprocessing.active_children()
    error, words = DEATHS[how]
    timeout = 0.5 if error is WorkerTimeout else PATIENCE
    create = [faulty.honest, lambda: faulty.faulty(how, where)]
    began, pids = time.monotonic(), []
    with pytest.raises(error) as caught:  # noqa: PT012
        env = ParallelEnv(2, create, mp_start_method="fork", timeout=timeout)
        pids = pids_of(env)
        began = time.monotonic()
        env.rand_step(env.reset())
    assert time.monotonic() - began < PATIENCE
    assert "ParallelEnv: worker 1 (pid " in str(caught.value)
    assert words.format(PHASES[where]) in str(caught.value)
    assert "All workers are closed" in str(caught.value)
    assert caught.value.worker == 1
    if how == "raise":
        assert 'raise LookupError("planted")' in str(caught.value.__cause__)
    if where != "construct":
        with pytest.raises(RuntimeError, match=r"after close\(\)"):
            env.reset()
        env.close()
        del env
    del caught
    assert gone(pids)
    assert multiprocessing.active_children() == children
    assert held() == before


@pytest.mark.parametrize(("number", "error"), [(signal.SIGKILL, WorkerDied), (signal.SIGSTOP, WorkerTimeout)])
def test_a_worker_that_falls_while_idle_is_found_at_the_next_step(number, error):
    env = ParallelEnv(2, faulty.cartpole, "fork", timeout=0.5 if error is WorkerTimeout else PATIENCE)
    td, pids = env.reset(), pids_of(env)
    os.kill(pids[0], number)
    time.sleep(0.05)
    began = time.monotonic()
    with pytest.raises(error, match="worker 0"):
        env.rand_step(td)
    assert time.monotonic() - began < PATIENCE
    assert gone(pids)


@pytest.mark.parametrize("name", LIARS)
def test_a_lie_is_named(name):
    env = ParallelEnv(2, [faulty.cartpole, partial(faulty.liar, name)], "fork")
    with pytest.raises(WorkerRaised, match=r"worker 1 .* raised ValueError in a step: a step returned") as caught:
        env.rand_step(env.reset())
    assert LIARS[name][1] in str(caught.value)


def test_what_is_not_closed_is_closed_with_the_last_reference():
    env = ParallelEnv(2, faulty.cartpole, "fork")
    pids = pids_of(env)
    del env
    gc.collect()
    assert gone(pids)


def test_a_context_closes_and_closing_twice_is_no_error():
    with ParallelEnv(2, faulty.cartpole, "fork") as env:
        pids = pids_of(env)
    assert gone(pids)
    env.close()


def test_a_worker_that_is_stopped_cannot_hold_up_the_end():
    env = ParallelEnv(2, faulty.cartpole, "fork", timeout=0.3)
    pids = pids_of(env)
    os.kill(pids[1], signal.SIGSTOP)
    env.close()
    assert gone(pids)


def test_an_interrupt_closes_all():
    env = ParallelEnv(2, [faulty.honest, lambda: faulty.faulty("hang", "step")], "fork")
    td, pids = env.reset(), pids_of(env)
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    with pytest.raises(KeyboardInterrupt):
        env.rand_step(td)
    assert gone(pids)
    with pytest.raises(RuntimeError, match=r"after close\(\)"):
        env.reset()


SCRIPT = """
import os, sys, time
from functools import partial
from frl.specs import Bounded
from frl.envs import GymEnv, ParallelEnv

if __name__ == "__main__":
    env = ParallelEnv(2, partial(GymEnv, "CartPole-v1"), mp_start_method=sys.argv[1])
    print(*[process.pid for process in env._pool._processes], flush=True)
    td = env.reset()
    while sys.argv[2] == "steps":
        td = env.step_and_reset(env.rand_action(td))[1]
    time.sleep(0 if sys.argv[2] == "exit" else 60)
"""


@pytest.mark.parametrize(
    ("method", "doing", "number"),
    [
        ("fork", "steps", signal.SIGKILL),
        ("forkserver", "steps", signal.SIGKILL),
        pytest.param("fork", "idle", signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param("fork", "steps", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("fork", "exit", None, marks=pytest.mark.slow),
        pytest.param("forkserver", "steps", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("forkserver", "exit", None, marks=pytest.mark.slow),
    ],
)
def test_no_worker_outlives_its_parent(tmp_path, method, doing, number):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT))
    parent = subprocess.Popen(
        [sys.executable, path, method, doing], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 2
    if number is not None:
        time.sleep(0.1)
        os.killpg(parent.pid, number) if number == signal.SIGINT else parent.send_signal(number)
    _, error = parent.communicate(timeout=20)
    assert gone(pids, 1.0)
    assert error.count(b"Traceback") == (number == signal.SIGINT)


def test_four_pendulums_seen_as_pixels():
    env = ParallelEnv(
        4,
        lambda: GymEnv("Pendulum-v1", frame_skip=3, from_pixels=True, pixels_only=False),
        mp_start_method="fork",
    )
    with env:
        td = env.reset()
        assert {key: tuple(x.shape) for key, x in td.items()} == {
            "done": (4, 1),
            "observation": (4, 3),
            "pixels": (4, 500, 500, 3),
            "terminated": (4, 1),
            "truncated": (4, 1),
        }
        assert (td["pixels"].dtype, td.batch_size) == (torch.uint8, (4,))
        assert env.action_spec == Bounded(-2.0, 2.0, (4, 1))
        assert env.max_steps == 67


def test_a_timeout_without_end_is_one():
    ParallelEnv(1, faulty.cartpole, "fork", timeout=float("inf")).close()


def test_what_cannot_be_sent_is_named():
    with pytest.raises(TypeError, match=r"<lambda>.*cannot be sent.*functools.partial.*mp_start_method='fork'"):
        ParallelEnv(2, lambda: GymEnv("CartPole-v1"))


def test_environments_that_differ_are_named():
    with pytest.raises(ValueError, match="ParallelEnv: worker 1 differs from worker 0 in max_steps"):
        ParallelEnv(2, [faulty.cartpole, faulty.pendulum], "fork")


@pytest.mark.parametrize("method", ["fork", pytest.param("forkserver", marks=pytest.mark.slow)])
def test_workers_may_have_workers(method):
    inner = partial(ParallelEnv, 2, faulty.cartpole, method)
    with ParallelEnv(2, inner, method) as env:
        assert env.rollout(3)["next", "observation"].shape == (2, 2, 3, 4)


UNGUARDED = """
from functools import partial
from frl.envs import GymEnv, ParallelEnv

ParallelEnv(2, partial(GymEnv, "CartPole-v1"))
"""
UNFINDABLE = """
from frl.envs import GymEnv, ParallelEnv

def create():
    return GymEnv("CartPole-v1")

ParallelEnv(2, create)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "as_file", "words"),
    [
        (UNGUARDED, True, 'worker 0 .* died in the start of its process: .* under `if __name__ == "__main__":`'),
        (UNFINDABLE, False, r"TypeError .*create_env_fn cannot be found in a worker: .* pass mp_start_method='fork'"),
    ],
)
def test_what_a_worker_cannot_load_is_named(tmp_path, script, as_file, words):
    path = tmp_path / "script.py"
    path.write_text(script)
    command = [sys.executable, path] if as_file else [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1
    assert re.search(words, done.stderr), done.stderr


@pytest.mark.parametrize("name", ["Gymnasium's", "a pure one", "serial ones"])
def test_it_begins_rows_afresh_as_serial_ones_do(name):
    serial = SerialEnv(2, ALIKE[name])
    with ParallelEnv(2, ALIKE[name], "fork") as parallel:
        found = []
        for env in (serial, parallel):
            td = env.rand_step(env.reset(KEY), KEY)["next"].exclude("reward")
            done = torch.zeros_like(td["done"])
            done[1] = True
            found.append(env.restart(td.set("done", done), KEY))
            found[-1] = (found[-1][1], env.rand_step(found[-1], KEY)["next"])
    assert all(bool((x == y).all()) for x, y in zip(*found, strict=True))
