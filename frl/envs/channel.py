"""The messages between a pool and its workers: two bytes on a socket, some with a text behind them.

The first byte says what is told, the second is a number that an answer repeats, so that it can be told from a late one.
Data do not go this way but through shared memory; nothing that a worker says is unpickled.
"""

import json
import os
from collections.abc import Callable
from typing import Any, NamedTuple

# what a worker says
READY, OUTLINE, DONE, ENDED, RAISED = range(5)
# what it is told; GIVEN is added where the environment's own entries are given too, FRESH where it begins anew
BOARD, RESET, STEP, STEP_AND_RESET, RESTART, GATHER, CLOSE = range(8, 15)
GIVEN = FRESH = 16

_WITH_TEXT = (OUTLINE, RAISED)
_HEAD = 4


class Message(NamedTuple):
    """What was said, with its number and, of some, the text's content."""

    code: int
    number: int
    content: Any = None


def send(fd: int, message: Message) -> None:
    """Writes it all; raises BrokenPipeError if nobody reads it any more."""
    data = bytes(message[:2])
    if message.code in _WITH_TEXT:
        text = json.dumps(message.content).encode()
        data += len(text).to_bytes(_HEAD, "big") + text
    while data:
        data = data[os.write(fd, data) :]


def receive(fd: int, wait: Callable[[], None] | None = None, head: bytes = b"") -> Message | None:
    """The next message, or None if the other end is closed.

    Args: wait: called each time that the socket's own timeout passes; it may raise. head: what was read of it already.

    >>> import socket
    >>> ours, theirs = socket.socketpair()
    >>> send(theirs.fileno(), Message(RAISED, 7, {"type": "ValueError"}))
    >>> receive(ours.fileno())
    Message(code=4, number=7, content={'type': 'ValueError'})
    >>> theirs.close(), receive(ours.fileno()), ours.close()
    (None, None, None)
    """
    rest = _read(fd, 2 - len(head), wait)
    if rest is None:
        return None
    head += rest
    content = None
    if head[0] in _WITH_TEXT:
        length = _read(fd, _HEAD, wait)
        text = None if length is None else _read(fd, int.from_bytes(length, "big"), wait)
        if text is None:
            return None
        content = json.loads(text)
    return Message(head[0], head[1], content)


def _read(fd: int, length: int, wait: Callable[[], None] | None) -> bytes | None:
    data = b""
    while len(data) < length:
        try:
            part = os.read(fd, length - len(data))
        except BlockingIOError:  # the socket's timeout
            if wait is None:
                raise
            wait()
            continue
        except ConnectionResetError:  # it ended without reading what it was sent
            return None
        if not part:
            return None
        data += part
    return data
