"""The processes of `ParallelEnv` and of collectors: how they are started and ended, and what is said of faults."""

import contextlib
import multiprocessing
import os
import signal
import socket
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import connection, util
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, NoReturn

from frl.envs import worker
from frl.envs.channel import BOARD, CLOSE, DONE, ENDED, OUTLINE, RAISED, READY, Message, receive
from frl.envs.worker_errors import RemoteTraceback, WorkerDied, WorkerError, WorkerRaised, WorkerTimeout

START = "the start of its process"
START_TIMEOUT = 120.0  # seconds for it, torch's import among them: no environment's fault
_FAREWELL = 0.3  # seconds that the others have to close their environments when one has failed
_LOOK = 0.2  # seconds after which a silent worker is looked after
_GUARD = (
    'see what it printed; a script\'s own work belongs under `if __name__ == "__main__":`, or pass '
    "mp_start_method='fork'"
)
_ALL = "All workers are closed; make another one."


def require_method(owner: str, method: str) -> None:
    """Raises ValueError unless processes can be started by this method here.

    >>> require_method("ParallelEnv", "spawn")
    """
    methods = multiprocessing.get_all_start_methods()
    if method not in methods:
        raise ValueError(f"{owner}: mp_start_method is {method!r} but must be one of {methods}.")


class Job(NamedTuple):
    """What the workers of a pool are for.

    live: what each does; see `worker.run`. blame: what is to be mended where one raises or hangs.
    """

    live: worker.Live | None = None
    blame: str = "the environment"


class Patience:
    """Seconds to wait for one worker, which begin anew whenever it gets on.

    Args: seconds: how many. progress: how far the worker is; by default nothing is known of it.

    >>> Patience(0.0).over(), Patience(60.0).over()
    (True, False)
    """

    def __init__(self, seconds: float, progress: Callable[[], int] | None = None):
        self.seconds, self._progress = seconds, progress
        self._seen = progress() if progress else 0
        self._deadline = time.monotonic() + seconds

    def over(self) -> bool:
        """Whether it has had them."""
        now = time.monotonic()
        if self._progress is not None and self._progress() != self._seen:
            self._seen, self._deadline = self._progress(), now + self.seconds
        return now >= self._deadline


class Pool:
    """One process for each piece of work, by default a function, with the environment that it makes.

    Whatever goes wrong, in whichever worker, ends all of them.

    Args: owner: the name that errors begin with. work: what can be sent to a process of this method, as `packed` makes
        it. method: of starting processes. timeout: seconds for one answer.
    """

    def __init__(self, owner: str, work: Sequence[Any], method: str, timeout: float, job: Job | None = None):
        self._owner, self._timeout, self._job = owner, timeout, job or Job()
        self._numbers = [0] * len(work)
        self._processes: list[BaseProcess] = []
        self._sockets: list[socket.socket] = []
        # Also at the end of the interpreter, before multiprocessing would wait for the processes, and never in a fork.
        self._ending = util.Finalize(self, _end, (self._processes, self._sockets, 1.0), exitpriority=10)
        context = multiprocessing.get_context(method)
        if method == "forkserver":
            context.set_forkserver_preload([worker.__name__])  # torch is imported once, not by every worker
        try:
            for i, each in enumerate(work):
                self._start(context, worker.Place(i, len(work)), each)
            self._fds = [sock.fileno() for sock in self._sockets]
            self.gather(START, READY, START_TIMEOUT)
        except BaseException:
            self.close(_FAREWELL)
            raise

    def _start(self, context: Any, place: worker.Place, work: Any) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            patience = min(_LOOK, self._timeout / 8)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, max(int(patience * 1e6), 1000)))
            self._sockets.append(ours)
            inherited = ours if context.get_start_method() == "fork" else None
            process = context.Process(
                target=worker.run,
                args=(place, work, theirs, inherited, self._job.live),
                name=f"{self._owner}-{place.number}",
            )
            try:
                process.start()
            except BrokenPipeError:  # there was more work than a pipe holds, and nobody read it
                message = f"{self._owner}: worker {place.number} died in {START}: it did not read its work; {_GUARD}."
                raise WorkerDied(f"{message} {_ALL}", place.number) from None
            self._processes.append(process)

    # ---- asking

    def outlines(self) -> list[Any]:
        """What each environment shows."""
        return [message.content for message in self.gather("the making of its environment", OUTLINE)]

    def share(self, memory: int) -> None:
        """Hands every worker the memory of this descriptor, and waits until all have mapped it."""
        doing = "the mapping of its memory"
        for i in range(len(self._fds)):
            self.hand(i, memory, doing)
        self.gather(doing, DONE)

    def hand(self, i: int, memory: int, doing: str) -> None:
        """Hands worker `i` the memory of this descriptor."""
        try:
            socket.send_fds(self._sockets[i], [bytes((BOARD, self._numbers[i]))], [memory])
        except (BrokenPipeError, ConnectionResetError):
            self._fail_of_end(i, doing)

    def tell(self, i: int, code: int, doing: str) -> None:
        """Tells worker `i` to do it."""
        self._numbers[i] = number = (self._numbers[i] + 1) & 0xFF
        try:
            os.write(self._fds[i], bytes((code, number)))
        except (BrokenPipeError, ConnectionResetError):
            self._fail_of_end(i, doing)

    def ask(self, code: int, doing: str) -> list[int]:
        """Tells all workers to do it: the answers, DONE or ENDED, when all have answered."""
        patience = Patience(self._timeout)
        for i in range(len(self._fds)):
            self.tell(i, code, doing)
        answers: list[int] = []
        for i, fd in enumerate(self._fds):
            try:
                data = os.read(fd, 2)
            except (BlockingIOError, ConnectionResetError):
                data = b""
            usual = len(data) == 2 and data[1] == self._numbers[i] and data[0] in (DONE, ENDED)
            answers.append(data[0] if usual else self.hear(i, doing, (DONE, ENDED), patience, data).code)
        return answers

    def gather(self, doing: str, code: int, timeout: float | None = None) -> list[Message]:
        """What each worker says next, which must be `code`."""
        patience = Patience(self._timeout if timeout is None else timeout)
        return [self.hear(i, doing, (code,), patience) for i in range(len(self._fds))]

    def first(self, waiting: Mapping[int, Patience], doing: str) -> int:
        """Which of these workers, in their order, has something to say; waits until one of them has."""
        while True:
            ready = connection.wait([self._sockets[i] for i in waiting], _LOOK)
            for i in waiting:
                if self._sockets[i] in ready:
                    return i
            for i, patience in waiting.items():
                self._look_after(i, doing, patience)

    def hear(self, i: int, doing: str, codes: tuple[int, ...], patience: Patience, head: bytes = b"") -> Message:
        """What worker `i` says next, which must be one of `codes`. head: what was read of it already."""
        message = receive(self._fds[i], lambda: self._look_after(i, doing, patience), head)
        if message is None:
            self._fail_of_end(i, doing)
        if message.code == RAISED:
            self._fail_of_error(i, doing, message.content)
        if message.code not in codes or message.number != self._numbers[i]:
            self._fail(WorkerError(f"{self._who(i)} said {message[:2]} in {doing}, out of turn. {_ALL}", i), i)
        return message

    # ---- what can go wrong

    def _look_after(self, i: int, doing: str, patience: Patience) -> None:
        """Fails if a worker has ended, or says that it is about to, or if time is up for worker `i`."""
        for j, process in enumerate(self._processes):
            if process.exitcode is not None or self._next_code(j) == RAISED:
                self._fail_of_end(j, doing)
        if patience.over():
            message = (
                f"{self._who(i)} has not answered in {patience.seconds:g} s, the timeout, in {doing}: it hangs or was "
                f"stopped; mend {self._job.blame}, or give a longer timeout=. {_ALL}"
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
        hint = _GUARD if doing == START else "see what it printed"
        self._fail(WorkerDied(f"{self._who(i)} died in {doing}: {_ended(process.exitcode)}; {hint}. {_ALL}", i), i)

    def _fail_of_error(self, i: int, doing: str, content: Any) -> NoReturn:
        message = str(content["message"])
        shown = message if len(message) <= 200 else message[:197] + "..."
        error = WorkerRaised(
            f"{self._who(i)} raised {content['type']} in {doing}: {shown} (its traceback stands above); "
            f"mend {self._job.blame}. {_ALL}",
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
