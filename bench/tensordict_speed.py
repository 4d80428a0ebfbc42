"""Claim: with 8 keys, a frl.TensorDict is faster than the tensordict package in each basic operation.

    python bench/tensordict_speed.py

Compares frl, tensordict (where it is installed) and a plain dict that does the same work on the tensors. The three take
turns; each figure is the CPU time of one call on one thread. tensordict's `set` writes into its input, frl's returns a
new value; the row "copy, set" is tensordict's way to the same result. A dict is given no work where it has none.
"""

import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

import frl

try:
    import tensordict
except ImportError:
    tensordict = None

KEYS, SHAPE, BATCH = 8, (64, 4), [64]
REPEATS, CALLS = 21, 300
RESULT = Path(__file__).parent / "results" / "tensordict_speed.json"


def mapping_operations(make: Callable) -> dict[str, Callable]:
    leaves = {f"key {i}": torch.full(SHAPE, float(i)) for i in range(KEYS)}
    new = torch.zeros(SHAPE)
    td, other = make(leaves, BATCH), make(leaves, BATCH)
    double = lambda x: x * 2  # noqa: E731
    return {
        "construct": lambda: make(leaves, BATCH),
        "set": lambda: td.set("key 3", new),
        "copy, set": lambda: td.copy().set("key 3", new) if hasattr(td, "copy") else td.set("key 3", new),
        "get": lambda: td["key 3"],
        "index": lambda: td[3],
        "stack": lambda: torch.stack([td, other], 0),
        "add": lambda: td + other,
        "map": lambda: td.apply(double),
    }


def dict_operations() -> dict[str, Callable]:
    leaves = {f"key {i}": torch.full(SHAPE, float(i)) for i in range(KEYS)}
    other, new = dict(leaves), torch.zeros(SHAPE)
    return {
        "construct": lambda: dict(leaves),
        "set": lambda: {**leaves, "key 3": new},
        "copy, set": lambda: {**leaves, "key 3": new},
        "get": lambda: leaves["key 3"],
        "index": lambda: {key: x[3] for key, x in leaves.items()},
        "stack": lambda: {key: torch.stack([x, other[key]], 0) for key, x in leaves.items()},
        "add": lambda: {key: x + other[key] for key, x in leaves.items()},
        "map": lambda: {key: x * 2 for key, x in leaves.items()},
    }


def microseconds(f: Callable) -> float:
    start = time.thread_time()
    for _ in range(CALLS):
        f()
    return (time.thread_time() - start) / CALLS * 1e6


def main() -> None:
    torch.set_num_threads(1)
    subjects = {"dict": dict_operations(), "frl": mapping_operations(frl.TensorDict)}
    if tensordict is not None:
        subjects["tensordict"] = mapping_operations(tensordict.TensorDict)
    rows = {}
    for operation in subjects["dict"]:
        times: dict[str, list[float]] = {name: [] for name in subjects}
        for name in list(subjects) * (REPEATS + 2):
            times[name].append(microseconds(subjects[name][operation]))
        rows[operation] = {name: statistics.quantiles(t[2:], n=4) for name, t in times.items()}
    report(rows)
    versions = {"python": platform.python_version(), "torch": torch.__version__, "frl": "0.1.0"}
    if tensordict is not None:
        versions["tensordict"] = tensordict.__version__
    setting = {
        "keys": KEYS,
        "shape": SHAPE,
        "repeats": REPEATS,
        "calls": CALLS,
        "threads": 1,
        "machine": platform.machine(),
    }
    result = {"unit": "µs of CPU time, quartiles", "versions": versions, "setting": setting, "rows": rows}
    RESULT.write_text(json.dumps(result, indent=1) + "\n")


def report(rows: dict[str, dict[str, list[float]]]) -> None:
    print(
        f"{'µs (quartiles)':12}" + "".join(f"{name:>24}" for name in rows["get"]) + "   frl / tensordict   frl / dict"
    )
    for operation, cells in rows.items():
        line = "".join(f"{median:10.2f} ({low:.2f}–{high:.2f})".rjust(24) for low, median, high in cells.values())
        frl_time = cells["frl"][1]
        theirs = f"{frl_time / cells['tensordict'][1]:19.2f}" if "tensordict" in cells else " " * 19
        print(f"{operation:14}{line}{theirs}{frl_time / cells['dict'][1]:13.2f}")


if __name__ == "__main__":
    main()
