import contextlib
import os
import socket
import threading

import pytest
import torch

from frl import random, tree
from frl.collectors.gather import Plan
from frl.collectors.worker import Task, gather_batches, ledger, ledger_sizes
from frl.envs.board import reserve, tensors
from frl.envs.channel import BOARD, CLOSE, DONE, FRESH, GATHER, OUTLINE, receive
from frl.envs.outline import blank
from frl.envs.worker import Place
from tests.collectors import policies
from tests.envs import faulty


@pytest.fixture
def conversation():
    """A worker in a thread of this process, its ledger, and where it left what is to be closed."""
    ours, theirs = socket.socketpair()
    policy, closing = policies.constant(), contextlib.ExitStack()
    task = Task(faulty.pendulum, policy, Plan("a test", 8, -1, -1, 0), None, True)
    thread = threading.Thread(target=gather_batches, args=(Place(1, 2), task, theirs, closing))
    with ours, theirs, closing:
        thread.start()
        assert receive(ours.fileno()).content["batch_size"] == []
        sizes = ledger_sizes(policy, 2)
        memory = reserve("a test", sizes)
        shared = ledger(tensors(memory, sizes))
        socket.send_fds(ours, [bytes((BOARD, 0))], [memory])
        os.close(memory)
        assert receive(ours.fileno()) == (DONE, 0, None)
        yield ours, shared
        ours.send(bytes((CLOSE, 0)))
        thread.join()


def test_it_shows_its_first_batch_and_leaves_each_in_its_rows(conversation):
    ours, shared = conversation
    shared.key[1] = random.key(0)
    os.write(ours.fileno(), bytes((GATHER | FRESH, 1)))
    told = receive(ours.fileno())
    assert (told.code, told.number) == (OUTLINE, 1)
    form = blank(told.content)
    assert form.batch_size == (4,)
    sizes = [(torch.Size([2, *x.shape]), x.dtype) for x in tree.leaves(form)]
    memory = reserve("a test", sizes)
    batch = tensors(memory, sizes)
    socket.send_fds(ours, [bytes((BOARD, 1))], [memory])
    os.close(memory)
    assert receive(ours.fileno()) == (DONE, 1, None)
    assert shared.steps.tolist() == [0, 4]
    actions = batch[[name for name, _ in tree.named_leaves(form)].index("action")]
    assert actions[1].flatten().tolist() == [0.5] * 4
    shared.weights[0][1].fill_(0.25)  # the bias
    shared.version[1] = 3
    os.write(ours.fileno(), bytes((GATHER, 2)))
    assert receive(ours.fileno()) == (DONE, 2, None)
    assert actions[1].flatten().tolist() == [0.25] * 4
    assert not actions[0].any()


def test_it_stops_in_the_middle_of_a_batch(conversation):
    ours, _ = conversation
    ours.send(bytes((GATHER | FRESH, 1)) + bytes((CLOSE, 0)))
