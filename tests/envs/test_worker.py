import os
import socket
import threading

import pytest

from frl import random
from frl.envs import worker
from frl.envs.board import allocate, board
from frl.envs.channel import BOARD, CLOSE, DONE, OUTLINE, RAISED, READY, RESET, receive
from frl.envs.outline import outline
from tests.envs import faulty


@pytest.fixture
def conversation(monkeypatch):
    """A worker in a thread of this process, which must not change what belongs to the process."""
    monkeypatch.setattr(worker, "_settle", lambda: None)
    ours, theirs = socket.socketpair()
    ends = []

    def live(create):
        try:
            worker.run(worker.Place(0, 1), create, theirs, None)
        except SystemExit as error:
            ends.append(error.code)
        finally:
            theirs.close()

    def begin(create):
        thread = threading.Thread(target=live, args=(create,))
        thread.start()
        return ours, thread, ends

    with ours:
        yield begin


def test_it_describes_its_environment_obeys_and_closes(conversation):
    ours, thread, ends = conversation(faulty.cartpole)
    fd = ours.fileno()
    assert receive(fd).code == READY
    told = receive(fd)
    assert told.code == OUTLINE
    shown = outline(told.content)
    memory = allocate("a test", shown, 1)
    shared = board(memory, shown, 1)
    socket.send_fds(ours, [bytes((BOARD, 7))], [memory])
    os.close(memory)
    assert receive(fd) == (DONE, 7, None)
    shared.keys.copy_(random.key(0))
    os.write(fd, bytes((RESET, 8)))
    assert receive(fd) == (DONE, 8, None)
    assert shared.following[1].any()
    os.write(fd, bytes((CLOSE, 0)))
    thread.join()
    assert receive(fd) is None
    assert ends == []


def test_it_ends_when_nobody_is_left_to_tell_it(conversation):
    ours, thread, ends = conversation(faulty.cartpole)
    receive(ours.fileno()), receive(ours.fileno())
    ours.close()
    thread.join()
    assert ends == []


def test_an_error_is_told_with_its_traceback(conversation):
    ours, thread, ends = conversation(lambda: faulty.faulty("raise", "construct"))
    assert receive(ours.fileno()).code == READY
    told = receive(ours.fileno())
    thread.join()
    assert told.code == RAISED
    assert (told.content["type"], told.content["message"]) == ("LookupError", "planted")
    assert 'raise LookupError("planted")' in told.content["traceback"]
    assert ends == [1]


def test_a_function_that_is_not_found_there_is_named(conversation):
    ours, thread, _ = conversation(b"no function")
    assert receive(ours.fileno()).code == READY
    told = receive(ours.fileno())
    thread.join()
    assert "cannot be found in a worker" in told.content["message"]
    assert "mp_start_method='fork'" in told.content["message"]
