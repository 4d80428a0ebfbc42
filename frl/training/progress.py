"""Progress on the terminal: a bar, or lines where the output is no terminal."""

import contextlib
import sys
import time
from collections.abc import Callable, Generator
from typing import Any, TextIO

from frl import check
from frl.tensordict import TensorDict
from frl.training.run import Callback
from frl.training.statistics import shown


@contextlib.contextmanager
def progress(total: int, done: int = 0, file: TextIO | None = None) -> Generator[Callback, None, None]:
    """A callback that shows steps, steps per second, the mean return, of a population the best one too, and time left.

    Args: total: environment steps of the whole training, over all members of a population. done: steps of an earlier
        part of it. file: by default stderr; where it is no terminal, ten lines are printed in all.
    Raises: ValueError if `total` is below 1 or `done` is negative.

    >>> import io, torch
    >>> text, state = io.StringIO(), TensorDict({"step": torch.tensor(500)})
    >>> with progress(1000, file=text) as show:
    ...     _ = show(1, state, TensorDict({"episode_return": torch.tensor(21.5)}))
    >>> text.getvalue().split(" · ")[::2]
    ['500 of 1,000 steps', 'return 21.5']
    """
    check.at_least("progress", {"total": total}, 1)
    check.at_least("progress", {"done": done}, 0)
    out: TextIO = file or sys.stderr
    if out.isatty():
        with _bar(total, done, out) as show:
            yield _callback(show)
    else:
        yield _callback(_lines(total, done, out))


Show = Callable[[int, str], None]
"""`show(steps, returns in words)`."""


def _callback(show: Show) -> Callback:
    def callback(updates: int, state: TensorDict, metrics: TensorDict) -> None:
        returns = metrics["episode_return"]
        best = f", best {shown(float(returns.max()))}" if returns.numel() > 1 else ""
        show(int(state["step"].sum()), f"return {shown(float(returns.mean()))}{best}")

    return callback


@contextlib.contextmanager
def _bar(total: int, done: int, file: TextIO) -> Generator[Show, None, None]:
    from tqdm import tqdm

    with tqdm(total=total, initial=done, file=file, unit=" steps", unit_scale=True, dynamic_ncols=True) as bar:
        shown: Any = bar

        def show(steps: int, returns: str) -> None:
            shown.set_postfix_str(returns, refresh=False)
            shown.update(steps - shown.n)

        yield show


def _lines(total: int, done: int, file: TextIO) -> Show:
    began = time.monotonic()
    shown = 10 * done // total

    def show(steps: int, returns: str) -> None:
        nonlocal shown
        if 10 * steps // total == shown:
            return
        shown = 10 * steps // total
        rate = (steps - done) / max(time.monotonic() - began, 1e-9)
        left = round(max(total - steps, 0) / max(rate, 1e-9))
        print(
            f"{steps:,} of {total:,} steps · {rate:,.0f} steps/s · {returns} · {left} s left",
            file=file,
            flush=True,
        )

    return show
