"""What runs in each process of a `ParallelEnv`: one environment, told what to do by two bytes at a time."""

import contextlib
import os
import signal
import socket
import traceback
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from typing import Any, NamedTuple

import torch
from torch import Tensor

from frl import tree
from frl.envs.base import Env
from frl.envs.board import Board, board
from frl.envs.channel import (
    BOARD,
    CLOSE,
    DONE,
    ENDED,
    GIVEN,
    OUTLINE,
    RAISED,
    READY,
    RESET,
    STEP_AND_RESET,
    Message,
    send,
)
from frl.envs.lifeline import end_with_parent
from frl.envs.member import Member

_LONGEST = 20_000  # characters of a traceback


class Place(NamedTuple):
    """Which of how many workers it is."""

    index: int
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
        function = ForkingPickler.loads(create)
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
    desk = Desk(member, board(fds[0], member.outline, place.num_workers), place.index)
    os.close(fds[0])
    answer, number, fd = DONE, data[1], sock.fileno()
    while True:
        os.write(fd, bytes((answer, number)))
        data = os.read(fd, 2)
        if len(data) < 2 or data[0] == CLOSE:
            return
        answer, number = desk.obey(data[0]), data[1]


class Desk:
    """A member with its rows of the board, from which it reads what it is given and where it writes what comes of it.

    >>> from frl import random
    >>> from frl.envs import make
    >>> from frl.envs.board import allocate
    >>> member = Member(make("CartPole-v1"))
    >>> shared = board(allocate("an example", member.outline, 3), member.outline, 3)
    >>> shared.keys.copy_(random.split(random.key(0), 3)).shape
    torch.Size([3, 2])
    >>> Desk(member, shared, 1).obey(RESET) == DONE, [bool(row.any()) for row in shared.following[1]]
    (True, [False, True, False])
    """

    def __init__(self, member: Member, board: Board, index: int):
        self._member = member
        self._rows = Board(*[[x[index] for x in part] for part in board[:3]], board.keys[index])
        given = member.outline.given
        self._given = tree.flatten(given)[1]
        self._action = [name for name, _ in tree.named_leaves(given)].index("action")

    def obey(self, code: int) -> int:
        """Does it, and returns the answer: DONE, or ENDED if an episode has, so that `following` counts too."""
        rows, member = self._rows, self._member
        if code == RESET:
            _write(rows.following, member.reset(rows.keys.clone()))
            return DONE
        given: Any = {"action": rows.given[self._action].clone()}
        if code & GIVEN:
            given = tree.unflatten(self._given, [x.clone() for x in rows.given])
        key = rows.keys.clone() if member.outline.keyed_steps else None
        after, following = member.step(given, key, code & ~GIVEN == STEP_AND_RESET)
        _write(rows.after, after)
        if following is None:
            return DONE
        _write(rows.following, following)
        return ENDED


def _write(rows: list[Tensor], leaves: list[Tensor]) -> None:
    for row, x in zip(rows, leaves, strict=True):
        row.copy_(x.detach() if x.requires_grad else x)
