"""The processes of a `ParallelEnv`: how they are started, asked and ended, and what is said when one of them fails."""

import contextlib
import multiprocessing
import os
import signal
import socket
import struct
import time
from collections.abc import Callable, Sequence
from multiprocessing import util
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any, NoReturn

from frl.envs import worker
from frl.envs.base import Env
from frl.envs.channel import BOARD, CLOSE, DONE, ENDED, OUTLINE, RAISED, READY, Message, receive
from frl.envs.worker_errors import RemoteTraceback, WorkerDied, WorkerError, WorkerRaised, WorkerTimeout

START = "the start of its process"
START_TIMEOUT = 120.0  # seconds for it, torch's import among them: no environment's fault
_FAREWELL = 0.3  # seconds that the others have to close their environments when one has failed
_LOOK = 0.2  # seconds after which a silent worker is looked after
_ALL = "All workers are closed; make another one."

Create = Callable[[], Env]


class Pool:
    """One process for each function, with the environment that it makes.

    Whatever goes wrong, in whichever worker, ends all of them.

    Args: owner: the name that errors begin with. method: of starting processes. timeout: seconds for one answer.
    """

    def __init__(self, owner: str, create: Sequence[Create], method: str, timeout: float):
        self._owner, self._timeout, self._number = owner, timeout, 0
        self._processes: list[BaseProcess] = []
        self._sockets: list[socket.socket] = []
        # Also at the end of the interpreter, before multiprocessing would wait for the processes, and never in a fork.
        self._ending = util.Finalize(self, _end, (self._processes, self._sockets, 1.0), exitpriority=10)
        context = multiprocessing.get_context(method)
        if method == "forkserver":
            context.set_forkserver_preload([worker.__name__])  # torch is imported once, not by every worker
        try:
            sendable = [each if method == "fork" else _sendable(owner, each, method) for each in create]
            for i, each in enumerate(sendable):
                self._start(context, worker.Place(i, len(create)), each)
            self._fds = [sock.fileno() for sock in self._sockets]
            self.gather(START, READY, START_TIMEOUT)
        except BaseException:
            self.close(_FAREWELL)
            raise

    def _start(self, context: Any, place: worker.Place, create: Create | bytes) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            patience = min(_LOOK, self._timeout / 8)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, max(int(patience * 1e6), 1000)))
            self._sockets.append(ours)
            inherited = ours if context.get_start_method() == "fork" else None
            process = context.Process(
                target=worker.run, args=(place, create, theirs, inherited), name=f"{self._owner}-{place.number}"
            )
            process.start()
            self._processes.append(process)

    # ---- asking

    def outlines(self) -> list[Any]:
        """What each environment shows."""
        return [message.content for message in self.gather("the making of its environment", OUTLINE)]

    def share(self, memory: int) -> None:
        """Hands every worker the memory of this descriptor."""
        doing = "the mapping of its memory"
        for i, sock in enumerate(self._sockets):
            try:
                socket.send_fds(sock, [bytes((BOARD, self._number))], [memory])
            except (BrokenPipeError, ConnectionResetError):
                self._fail_of_end(i, doing)
        self.gather(doing, DONE)

    def ask(self, code: int, doing: str) -> list[int]:
        """Tells all workers to do it: the answers, DONE or ENDED, when all have answered."""
        self._number = number = (self._number + 1) & 0xFF
        deadline = time.monotonic() + self._timeout
        order = bytes((code, number))
        for i, fd in enumerate(self._fds):
            try:
                os.write(fd, order)
            except (BrokenPipeError, ConnectionResetError):
                self._fail_of_end(i, doing)
        answers: list[int] = []
        for i, fd in enumerate(self._fds):
            try:
                data = os.read(fd, 2)
            except (BlockingIOError, ConnectionResetError):
                data = b""
            usual = len(data) == 2 and data[1] == number and data[0] in (DONE, ENDED)
            answers.append(data[0] if usual else self._message(i, doing, (DONE, ENDED), deadline, data).code)
        return answers

    def gather(self, doing: str, code: int, timeout: float | None = None) -> list[Message]:
        """What each worker says next, which must be `code`."""
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        return [self._message(i, doing, (code,), deadline) for i in range(len(self._fds))]

    def _message(self, i: int, doing: str, codes: tuple[int, ...], deadline: float, head: bytes = b"") -> Message:
        message = receive(self._fds[i], lambda: self._look_after(i, doing, deadline), head)
        if message is None:
            self._fail_of_end(i, doing)
        if message.code == RAISED:
            self._fail_of_error(i, doing, message.content)
        if message.code not in codes or message.number != self._number:
            self._fail(WorkerError(f"{self._who(i)} said {message[:2]} in {doing}, out of turn. {_ALL}", i), i)
        return message

    # ---- what can go wrong

    def _look_after(self, i: int, doing: str, deadline: float) -> None:
        """Fails if a worker has ended, or says that it is about to, or if time is up for worker `i`."""
        for j, process in enumerate(self._processes):
            if process.exitcode is not None or self._next_code(j) == RAISED:
                self._fail_of_end(j, doing)
        if time.monotonic() > deadline:
            limit = START_TIMEOUT if doing == START else self._timeout
            message = (
                f"{self._who(i)} has not answered in {limit:g} s, the timeout, in {doing}: it hangs or was stopped; "
                f"mend the environment, or give a longer timeout=. {_ALL}"
            )
            self._fail(WorkerTimeout(message, i), i)

    def _next_code(self, i: int) -> int | None:
        """What worker `i` says next, without reading it; None if it says nothing yet."""
        try:
            data = self._sockets[i].recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:
            return None
        return data[0] if data else None

    def _fail_of_end(self, i: int, doing: str) -> NoReturn:
        try:
            message = receive(self._fds[i])
        except BlockingIOError:
            message = None
        if message is not None and message.code == RAISED:
            self._fail_of_error(i, doing, message.content)
        process = self._processes[i]
        process.join(1.0)
        hint = "see what it printed"
        if doing == START:
            hint += "; a script's own work belongs under `if __name__ == \"__main__\":`, or pass mp_start_method='fork'"
        self._fail(WorkerDied(f"{self._who(i)} died in {doing}: {_ended(process.exitcode)}; {hint}. {_ALL}", i), i)

    def _fail_of_error(self, i: int, doing: str, content: Any) -> NoReturn:
        message = str(content["message"])
        shown = message if len(message) <= 200 else message[:197] + "..."
        error = WorkerRaised(
            f"{self._who(i)} raised {content['type']} in {doing}: {shown} (its traceback stands above); mend the "
            f"environment. {_ALL}",
            i,
        )
        self._fail(error, i, RemoteTraceback(content["traceback"]))

    def _fail(self, error: WorkerError, i: int, cause: Exception | None = None) -> NoReturn:
        self.close(_FAREWELL, (i,))
        raise error from cause

    def _who(self, i: int) -> str:
        return f"{self._owner}: worker {i} (pid {self._processes[i].pid})"

    def close(self, patience: float, hopeless: Sequence[int] = ()) -> None:
        """Ends all processes: after so many seconds, those that are `hopeless` at once, by SIGKILL."""
        if self._ending.still_active():
            _end(self._processes, self._sockets, patience, hopeless)
            self._ending.cancel()


def _end(
    processes: list[BaseProcess], sockets: list[socket.socket], patience: float, hopeless: Sequence[int] = ()
) -> None:
    for i in hopeless:
        processes[i].kill()
    for sock in sockets:
        with contextlib.suppress(OSError):
            sock.send(bytes((CLOSE, 0)), socket.MSG_DONTWAIT)
    deadline = time.monotonic() + patience
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
    for process in processes:
        if process.exitcode is None:
            process.kill()
            process.join()
        process.close()
    for sock in sockets:
        sock.close()
    processes.clear()
    sockets.clear()


def _ended(exitcode: int | None) -> str:
    if exitcode is None:
        return "its socket was closed"
    if exitcode < 0:
        return f"killed by {signal.Signals(-exitcode).name}"
    return f"it ended with exit code {exitcode}"


def _sendable(owner: str, create: Create, method: str) -> bytes:
    try:
        return bytes(ForkingPickler.dumps(create))
    except Exception as error:
        raise TypeError(
            f"{owner}: {create} cannot be sent to a worker that is started by {method} ({error}); give a function of a "
            "module, as functools.partial(GymEnv, name), or pass mp_start_method='fork'."
        ) from error
