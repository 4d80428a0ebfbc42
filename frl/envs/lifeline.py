"""How a worker process ends when the process that started it has ended, however that came about."""

import multiprocessing
import os
import signal
import threading
from multiprocessing import connection


def end_with_parent() -> None:
    """Kills this process as soon as its parent, in the sense of `multiprocessing`, has ended.

    Parent and child hold the two ends of a pipe. On Linux the kernel sends SIGKILL when the other end closes, which
    also ends a process that is stopped or that never returns from C. Elsewhere a thread waits for that. Unlike
    PR_SET_PDEATHSIG this follows the process that called `start()`, not the fork server, and not a thread of it.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel
    try:
        import fcntl

        fcntl.fcntl(sentinel, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(sentinel, fcntl.F_SETSIG, signal.SIGKILL)  # type: ignore[attr-defined]
        fcntl.fcntl(sentinel, fcntl.F_SETFL, fcntl.fcntl(sentinel, fcntl.F_GETFL) | os.O_ASYNC)  # type: ignore[attr-defined]
    except (ImportError, AttributeError, OSError):
        threading.Thread(target=_watch, args=(sentinel,), daemon=True).start()
        return
    if connection.wait([sentinel], timeout=0):  # it ended before the kernel was told
        os.kill(os.getpid(), signal.SIGKILL)


def _watch(sentinel: int) -> None:
    connection.wait([sentinel])
    os.kill(os.getpid(), signal.SIGKILL)
