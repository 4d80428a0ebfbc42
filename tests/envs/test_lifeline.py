import multiprocessing
import os
import signal
import time

import pytest

from frl.envs import lifeline
from tests.envs.test_parallel import alive, gone

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
FORK = multiprocessing.get_context("fork")


def child(ours, stopped):
    lifeline.end_with_parent()
    ours.send(os.getpid())
    if stopped:
        os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(60)


def middle(ours, stopped, watch):
    if watch:  # as where the kernel has no such signal
        del lifeline.os.O_ASYNC
    FORK.Process(target=child, args=(ours, stopped)).start()
    time.sleep(60)


@pytest.mark.parametrize(("stopped", "watch"), [(False, False), (True, False), (False, True)])
def test_a_child_ends_with_its_parent(stopped, watch):
    ours, theirs = FORK.Pipe()
    parent = FORK.Process(target=middle, args=(theirs, stopped, watch))
    parent.start()
    pid = ours.recv()
    time.sleep(0.05)
    assert alive(pid)
    parent.kill()
    parent.join()
    assert gone([pid], 1.0)


def test_a_process_without_a_parent_of_its_kind_goes_on():
    lifeline.end_with_parent()
