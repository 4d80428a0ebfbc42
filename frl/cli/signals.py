"""Ctrl-C: the first asks the training to stop after the update under way, the second ends the process."""

import contextlib
import signal
import sys
from collections.abc import Generator
from types import FrameType

from frl.tensordict import TensorDict


class Interrupt:
    """A callback that ends the training once a signal has come; `number` is the signal's, or 0."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, updates: int, state: TensorDict, metrics: TensorDict) -> bool:
        """Whether to stop."""
        return self.number != 0


@contextlib.contextmanager
def interruptible() -> Generator[Interrupt, None, None]:
    """SIGINT and SIGTERM set the `Interrupt`; after the first of them, either ends the process at once."""
    interrupt = Interrupt()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, _: FrameType | None) -> None:
        interrupt.number = number
        for each in before:
            signal.signal(each, signal.SIG_DFL)
        print("stopping after this update; once more to stop at once", file=sys.stderr, flush=True)

    for number in before:
        signal.signal(number, stop)
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
