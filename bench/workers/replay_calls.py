"""What the workers of replay_speed.py have in common: how calls are timed, and how the figures leave the process."""

import json
import time
from collections.abc import Callable

ROWS, BATCH, EXTEND = 100_000, 256, 1000
TURNS, CALLS = 15, 30


def report(calls: dict[str, Callable[[], object]], version: str | dict[str, str]) -> None:
    """Prints the median time of each call in microseconds; they take turns, so that a busy moment strikes all."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(TURNS):
        for name, call in calls.items():
            call()
            for _ in range(CALLS):
                begin = time.perf_counter()
                call()
                times[name].append(time.perf_counter() - begin)
    print(json.dumps({"version": version, "us": {name: 1e6 * sorted(t)[len(t) // 2] for name, t in times.items()}}))
