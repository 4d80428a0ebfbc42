"""Claims about replay buffers of 100,000 rows of 17 + 6 floats, on one thread:

- a `sample` of 256 rows takes at most half of TorchRL's time, an `extend` of 1000 rows at most two thirds, in memory
  and memory-mapped; a `sample` of transitions no longer than SB3's;
- to draw 256 rows by priority and write new priorities back takes no longer than a sum tree in NumPy does;
- compiled and donated, an `add` to a pure buffer takes the same time at 10,000 and at 1,000,000 rows, within 1.5 times.

    python bench/replay_speed.py --torchrl-python PYTHON --torch-python PYTHON [--rounds 7]

The first PYTHON is that of an environment with torchrl, the second of one with stable_baselines3; a peer without one is
left out. TorchRL's prioritised buffer is measured where its binaries load, which need their torch; the plain ones do
without. Each library runs in a process of its own; they take turns, and a figure is the median time of one call in each
of the rounds.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from report import machine, write

import frl
from frl import TensorDict, replay, tree

WORKERS = Path(__file__).parent / "workers"
CLAIMS = {  # how many times the peer's time is at least ours
    ("torchrl", "sample, memory"): 2.0,
    ("torchrl", "extend, memory"): 1.5,
    ("torchrl", "sample, mapped"): 2.0,
    ("torchrl", "extend, mapped"): 1.5,
    ("torchrl", "sample and update priorities"): 1.0,
    ("sb3", "sample, transitions"): 1.0,
}
CAPACITIES = 10_000, 1_000_000
REFERENCE = "draw and update priorities", "draw and update priorities, NumPy", 1.0


def worker(python: str, name: str):
    """The figures of one library."""
    done = subprocess.run([python, WORKERS / f"replay_{name}.py"], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{name}, by {python}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def host(pythons: dict[str, str], rounds: int):
    """The figures of each library in each round; they take turns."""
    found = {name: [] for name in pythons}
    for _ in range(rounds):
        for name, python in pythons.items():
            found[name].append(worker(python, name))
    return found


def quartiles(values):
    return statistics.quantiles(values, n=4) if len(values) > 1 else values * 3


def compiled_adds(prioritised: bool, calls: int):
    """Microseconds of a compiled, donated `add` of 16 steps of 8 environments, for each capacity; they take turns."""
    flag = torch.zeros(8, 16, 1, dtype=torch.bool)
    after = {"observation": torch.randn(8, 16, 17), "reward": torch.randn(8, 16, 1), "terminated": flag}
    batch = TensorDict({"observation": torch.randn(8, 16, 17), "action": torch.randn(8, 16, 6), "next": after}, [8, 16])
    adds, states, times = {}, {}, {capacity: [] for capacity in CAPACITIES}
    for capacity in CAPACITIES:
        buffer = replay.uniform(capacity, 256)
        buffer = replay.prioritized(buffer) if prioritised else buffer
        adds[capacity] = frl.compile(buffer.add, donate=True)
        state = tree.map(torch.clone, buffer.init(batch[0, 0]))  # zeros in memory that was touched, as it is once full
        states[capacity] = adds[capacity](state, batch)
    for _ in range(calls):
        for capacity in CAPACITIES:
            begin = time.perf_counter()
            states[capacity] = adds[capacity](states[capacity], batch)
            times[capacity].append((time.perf_counter() - begin) * 1e6)
    return {capacity: quartiles(t) for capacity, t in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torchrl-python")
    parser.add_argument("--torch-python")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=1000, help="of each compiled add")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    peers = {"frl": sys.executable, "torchrl": arguments.torchrl_python, "sb3": arguments.torch_python}
    found = host({name: python for name, python in peers.items() if python}, arguments.rounds)
    figures = {
        name: {call: quartiles([r["us"][call] for r in rounds]) for call in rounds[0]["us"]}
        for name, rounds in found.items()
    }
    ratios = {
        f"{peer}: {call}": (figures[peer][call][1] / figures["frl"][call][1], must)
        for (peer, call), must in CLAIMS.items()
        if call in figures.get(peer, {})
    }
    ours, theirs, must = REFERENCE
    ratios["NumPy: " + ours] = figures["frl"][theirs][1] / figures["frl"][ours][1], must
    adds = {}
    for name, prioritised in (("uniform", False), ("prioritized", True)):
        adds[name] = compiled_adds(prioritised, arguments.calls)
        small, large = (adds[name][capacity][1] for capacity in CAPACITIES)
        ratios[f"compiled add, {name}: 10^4 over 10^6"] = small / large, 1 / 1.5
    for name, calls in figures.items():
        for call, (low, median, high) in calls.items():
            print(f"{name:8} {call:36} {median:8.1f} us ({low:.1f}-{high:.1f})")
    for name, (ratio, must) in ratios.items():
        print(f"{name:45} {ratio:6.2f}, claimed {must:.2f}: {'holds' if ratio >= must else 'FAILS'}")
    versions = {name: rounds[0]["version"] for name, rounds in found.items()}  # of each library, and of its torch
    result = {
        "unit": "µs of one call, quartiles",
        "machine": machine(),
        "versions": versions,
        "rounds": arguments.rounds,
    }
    write("replay_speed", {**result, "host": figures, "compiled add": adds, "ratios": ratios})
    sys.exit(any(ratio < must for ratio, must in ratios.values()))


if __name__ == "__main__":
    main()
