import contextlib
import os
import signal
import stat
import threading
import time

import pytest

from frl.envs import WorkerDied, WorkerError, WorkerRaised, WorkerTimeout
from frl.envs.channel import DONE, Message, send
from frl.envs.creator import EnvCreator
from frl.envs.pool import Patience, Pool
from tests.envs import faulty
from tests.envs.test_parallel import gone

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


PATIENCE = 60.0  # seconds; what does not wait for it ends much sooner, however busy the machine


def pool(*create, timeout=5.0):
    return Pool("a test", [EnvCreator(each) for each in create], "fork", timeout)


def test_all_outlines_come_in_the_order_of_the_workers():
    one = pool(faulty.cartpole, faulty.pendulum)
    assert [each["max_steps"] for each in one.outlines()] == [500, 200]
    one.close(1.0)
    one.close(1.0)


def test_a_worker_that_fails_while_another_is_busy_is_found_all_the_same():
    hangs, falls = (lambda: faulty.faulty("hang", "construct")), (lambda: faulty.faulty("kill", "construct"))
    one = pool(hangs, falls, timeout=PATIENCE)
    began = time.monotonic()
    with pytest.raises(WorkerDied, match=r"worker 1 .* died in the making of its environment: killed by SIGKILL"):
        one.outlines()
    assert time.monotonic() - began < PATIENCE


class Lingering:
    """Raises, and is long in closing."""

    def __call__(self):
        threading.Thread(target=time.sleep, args=(PATIENCE,)).start()  # the process waits for it at its end
        raise LookupError("planted")


@pytest.mark.parametrize("raising", [lambda: faulty.faulty("raise", "construct"), Lingering()])
def test_an_error_is_found_while_another_is_busy(raising):
    one = pool(lambda: faulty.faulty("hang", "construct"), raising, timeout=PATIENCE)
    began = time.monotonic()
    with pytest.raises(WorkerRaised, match=r"worker 1 .* raised LookupError"):
        one.outlines()
    assert time.monotonic() - began < PATIENCE


def test_the_one_that_hangs_is_named():
    one = pool(faulty.cartpole, lambda: faulty.faulty("hang", "construct"), timeout=0.3)
    pids = [process.pid for process in one._processes]
    began = time.monotonic()
    with pytest.raises(WorkerTimeout, match=r"worker 1 .* has not answered in 0.3 s"):
        one.outlines()
    assert time.monotonic() - began >= 0.3
    assert gone(pids)


def impostor():
    """An environment whose making says something in the name of its worker."""
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                send(int(name), Message(DONE, 200))
    return faulty.cartpole()


def test_an_answer_out_of_turn_is_no_answer():
    one = pool(impostor)
    with pytest.raises(WorkerError, match=r"worker 0 .* said \(2, 200\) in the making of its environment, out of turn"):
        one.outlines()


def test_a_worker_that_died_before_it_is_asked_is_named():
    one = pool(faulty.cartpole)
    one.outlines()
    os.kill(one._processes[0].pid, signal.SIGKILL)
    one._processes[0].join()
    with pytest.raises(WorkerDied, match="killed by SIGKILL"):
        one.ask(DONE, "a step")


def test_patience_begins_anew_with_each_sign_of_life():
    steps = [0]
    patience, deaf = Patience(0.2, lambda: steps[0]), Patience(0.2)
    time.sleep(0.15)
    steps[0] += 1
    assert not patience.over()
    time.sleep(0.1)
    assert not patience.over()
    assert deaf.over()
    time.sleep(0.2)
    assert patience.over()


def test_the_first_that_answers_is_heard_and_one_that_dies_meanwhile_is_named():
    one = pool(faulty.cartpole, lambda: faulty.faulty("hang", "construct"))
    waiting = {i: Patience(5.0) for i in (1, 0)}
    assert one.first(waiting, "a test") == 0
    os.kill(one._processes[1].pid, signal.SIGKILL)
    with pytest.raises(WorkerDied, match=r"worker 1 .* died in a test: killed by SIGKILL"):
        one.hear(one.first({1: waiting[1]}, "a test"), "a test", (DONE,), waiting[1])
