"""What the workers of replay_speed.py have in common: how a call is timed, and how the figures leave the process."""

import json
import time
from collections.abc import Callable

ROWS, BATCH, EXTEND, CALLS = 100_000, 256, 1000, 300


def microseconds(call: Callable[[], object]) -> float:
    """The median over many calls."""
    for _ in range(30):
        call()
    times = []
    for _ in range(CALLS):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return sorted(times)[CALLS // 2] * 1e6


def report(calls: dict[str, Callable[[], object]], version: str) -> None:
    print(json.dumps({"version": version, "us": {name: microseconds(call) for name, call in calls.items()}}))
