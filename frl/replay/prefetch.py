"""Batches computed ahead by one thread, in the order in which they will be asked for."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class Prefetch:
    """Calls `compute(argument)` ahead of time, `depth` calls at most, in one thread, one after another.

    What `compute` reads must not change while calls are under way: `drop` them first.

    >>> numbers = iter(range(10))
    >>> ahead = Prefetch(lambda step: next(numbers) * step, depth=3)
    >>> [ahead.next(2), ahead.next(2)]
    [0, 2]
    >>> ahead.close()
    """

    def __init__(self, compute: Callable[[Any], Any], depth: int):
        self._compute, self._depth = compute, depth
        self._ahead: deque[Future[Any]] = deque()
        self._argument: Any = None
        self._pool: ThreadPoolExecutor | None = None

    def next(self, argument: Any) -> Any:
        """The result of the next call; those ahead are for the same argument, or else they were dropped before."""
        self._argument = argument
        self._fill()
        found = self._ahead.popleft()
        self._fill()
        return found.result()

    def serves(self, argument: Any) -> bool:
        """Whether the calls ahead, if there are any, are for this argument."""
        return not self._ahead or self._argument == argument

    def drop(self) -> bool:
        """Forgets the calls ahead, once the one under way has ended; returns whether there were any."""
        dropped = bool(self._ahead)
        for call in self._ahead:
            if not call.cancel():
                call.exception()  # waits
        self._ahead.clear()
        return dropped

    def close(self) -> None:
        """Ends the thread; a later `next` starts another."""
        self.drop()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def _fill(self) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="frl-prefetch")
        while len(self._ahead) < self._depth:
            self._ahead.append(self._pool.submit(self._compute, self._argument))
