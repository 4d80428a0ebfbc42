"""What runs in each process of a pool: by default one environment, told what to do by two bytes at a time."""

import contextlib
import os
import signal
import socket
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from frl.envs.base import Env
from frl.envs.board import board
from frl.envs.channel import BOARD, CLOSE, DONE, OUTLINE, RAISED, READY, Message, send
from frl.envs.desk import desk
from frl.envs.lifeline import end_with_parent
from frl.envs.member import Member
from frl.envs.sending import unpacked

_LONGEST = 20_000  # characters of a traceback


class Place(NamedTuple):
    """Which of how many workers it is."""

    number: int
    num_workers: int


Live = Callable[[Place, Any, socket.socket, contextlib.ExitStack], None]
"""What a worker does with what it was given, until it is told to close; what it leaves in the stack is closed then."""


def run(place: Place, work: Any, sock: socket.socket, theirs: socket.socket | None, live: Live | None = None) -> None:
    """The whole life of a worker, and what becomes of its errors.

    Args: work: for `live`. theirs: the other end of the socket, if this process has
        inherited it. live: by default that of an environment's worker, whose work is a function that makes it.
    """
    _settle()
    if theirs is not None:
        theirs.close()  # else the end of the parent would not close the socket
    with contextlib.ExitStack() as closing:
        try:
            send(sock.fileno(), Message(READY, 0))
            (live or _step_environment)(place, work, sock, closing)
        except BaseException as error:
            text = traceback.format_exc()[-_LONGEST:]
            content = {"type": type(error).__name__, "message": str(error)[:_LONGEST], "traceback": text}
            with contextlib.suppress(OSError):
                send(sock.fileno(), Message(RAISED, 0, content))
            raise SystemExit(1) from None


def close_at_end(closing: contextlib.ExitStack, env: Env) -> None:
    """Leaves `env` in the stack; an error in closing it is nobody's any more.

    >>> from frl.envs import GymEnv
    >>> env = GymEnv("CartPole-v1")
    >>> with contextlib.ExitStack() as closing:
    ...     close_at_end(closing, env)
    >>> env.reset()
    Traceback (most recent call last):
    RuntimeError: GymEnv(...): reset or step after close(); make another one.
    """

    def close() -> None:
        with contextlib.suppress(Exception):
            env.close()

    closing.callback(close)


def memory_of(sock: socket.socket) -> tuple[int, int] | None:
    """The descriptor of the memory that is handed over, and the number to answer with; None if nobody hands any."""
    data, fds, _, _ = socket.recv_fds(sock, 2, 1)
    return (fds[0], data[1]) if len(data) == 2 and data[0] == BOARD else None


def serve(sock: socket.socket, number: int, obey: Callable[[int, int], tuple[int, int]]) -> None:
    """Answers DONE, then does what it is told, until it is told to close or nobody is left to tell.

    Args: number: to answer with. obey: from the code and the number of what is to be done to those of the answer.

    >>> ours, theirs = socket.socketpair()
    >>> with ours, theirs:
    ...     _ = ours.send(bytes((BOARD, 7, CLOSE, 0)))
    ...     serve(theirs, 3, lambda code, number: (code, number))
    ...     list(ours.recv(4)) == [DONE, 3, BOARD, 7]
    True
    """
    answer, fd = DONE, sock.fileno()
    while True:
        os.write(fd, bytes((answer, number)))
        data = os.read(fd, 2)
        if len(data) < 2 or data[0] == CLOSE:
            return
        answer, number = obey(data[0], data[1])


def _step_environment(place: Place, work: Any, sock: socket.socket, closing: contextlib.ExitStack) -> None:
    """Makes its environment, describes it, and does what it is told."""
    env: Env = unpacked("create_env_fn", work)()
    close_at_end(closing, env)
    member = Member(env)
    send(sock.fileno(), Message(OUTLINE, 0, member.sketch))
    handed = memory_of(sock)
    if handed is None:
        return
    memory, number = handed
    obey = desk(member, board(memory, member.outline, place.num_workers), place.number).obey
    os.close(memory)
    serve(sock, number, lambda code, number: (obey(code), number))


def _settle() -> None:
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal: the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    torch.set_num_threads(1)  # the processes are the parallelism
