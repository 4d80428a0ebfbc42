"""Fetching ahead: one call after another, in order, and an end that leaves nothing behind."""

import threading
import time

import pytest

from frl.replay.prefetch import Prefetch


def fetchers() -> int:
    return len([thread for thread in threading.enumerate() if thread.name.startswith("frl-prefetch")])


def test_results_come_in_order_and_no_more_than_the_depth_is_ahead():
    done = []
    ahead = Prefetch(lambda x: done.append(x) or len(done), 3)
    assert [ahead.next("a") for _ in range(5)] == [1, 2, 3, 4, 5]
    assert ahead.drop()
    assert len(done) <= 8
    assert not ahead.drop()
    ahead.close()


def test_dropping_waits_for_the_call_under_way():
    running = []

    def slow(_):
        running.append(True)
        time.sleep(0.02)
        running.pop()

    ahead = Prefetch(slow, 2)
    ahead.next(0)
    ahead.drop()
    assert not running
    ahead.close()


def test_an_error_reaches_the_one_who_asks_and_no_thread_is_left():
    before = fetchers()
    ahead = Prefetch(lambda x: 1 // x, 2)
    with pytest.raises(ZeroDivisionError):
        ahead.next(0)
    ahead.drop()
    assert ahead.next(1) == 1
    ahead.close()
    assert fetchers() == before
