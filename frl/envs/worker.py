"""What runs in each process of a `ParallelEnv`: one environment, told what to do by two bytes at a time."""

import contextlib
import os
import signal
import socket
import traceback
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from typing import NamedTuple

import torch

from frl.envs.base import Env
from frl.envs.board import board
from frl.envs.channel import BOARD, CLOSE, DONE, OUTLINE, RAISED, READY, Message, send
from frl.envs.desk import desk
from frl.envs.lifeline import end_with_parent
from frl.envs.member import Member

_LONGEST = 20_000  # characters of a traceback


class Place(NamedTuple):
    """Which of how many workers it is."""

    number: int
    num_workers: int


def run(place: Place, create: Callable[[], Env] | bytes, sock: socket.socket, theirs: socket.socket | None) -> None:
    """The whole life of a worker: it makes its environment, describes it, and does what it is told.

    Args: create: makes the environment; as bytes, what `ForkingPickler` made of such a function. theirs: the other end
        of the socket, if this process has inherited it.
    """
    _settle()
    if theirs is not None:
        theirs.close()  # else the end of the parent would not close the socket
    env: Env | None = None
    try:
        send(sock.fileno(), Message(READY, 0))
        env = _created(create)
        member = Member(env)
        send(sock.fileno(), Message(OUTLINE, 0, member.sketch))
        _serve(place, member, sock)
    except BaseException as error:
        text = traceback.format_exc()[-_LONGEST:]
        content = {"type": type(error).__name__, "message": str(error)[:_LONGEST], "traceback": text}
        with contextlib.suppress(OSError):
            send(sock.fileno(), Message(RAISED, 0, content))
        raise SystemExit(1) from None
    finally:
        if env is not None:
            with contextlib.suppress(Exception):
                env.close()


def _settle() -> None:
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal: the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    torch.set_num_threads(1)  # the processes are the parallelism


def _created(create: Callable[[], Env] | bytes) -> Env:
    if not isinstance(create, bytes):
        return create()
    try:
        function: Callable[[], Env] = ForkingPickler.loads(create)  # type: ignore[attr-defined]
    except Exception as error:
        raise TypeError(
            f"create_env_fn cannot be found in a worker: {error}; define it in a module that can be imported, or pass "
            "mp_start_method='fork'"
        ) from error
    return function()


def _serve(place: Place, member: Member, sock: socket.socket) -> None:
    """Does what it is told, until it is told to close or nobody is left to tell."""
    data, fds, _, _ = socket.recv_fds(sock, 2, 1)  # the memory comes first
    if len(data) < 2 or data[0] != BOARD:
        return
    obey = desk(member, board(fds[0], member.outline, place.num_workers), place.number).obey
    os.close(fds[0])
    answer, number, fd = DONE, data[1], sock.fileno()
    while True:
        os.write(fd, bytes((answer, number)))
        data = os.read(fd, 2)
        if len(data) < 2 or data[0] == CLOSE:
            return
        answer, number = obey(data[0]), data[1]
