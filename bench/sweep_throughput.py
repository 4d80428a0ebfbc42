"""A sweep as one program, against its runs one after the other and against a process for each.

Claim: 32 learning rates with 8 seeds each, PPO on CartPole in PureJaxRL's configuration (4 environments, 128 steps, 4
epochs of 4 minibatches, two MLPs 64-64), train as one compiled program at least 1.5 times as fast as the same 256 runs
one after the other by the compiled step of one run, and at least 4 times as fast as 256 processes, two at a time.

All are rates of trained steps. Compilation is left out of the first two, which are timed in processes that compile
once, and count with the better of two threads and one core. Of the runs one after the other 16 are timed, spread over
the sweep. A process trains 100,000 steps, and its start, its imports and its compilation, from the caches of an earlier
one, count; 4 of them are timed, each with one thread. All take turns.

    python bench/sweep_throughput.py            # about 20 minutes
"""

import argparse
import json
import sys

from report import machine, write
from side_by_side import PINNED, WORKERS, measure

STEPS = 4 * 128  # of an update of one agent
WHOLE = 100_000 // STEPS  # updates of a run


def commands(arguments: argparse.Namespace) -> dict[str, list[str]]:
    numbers = [str(arguments.rates), str(arguments.seeds)]

    def worker(kind: str, updates: int, threads: int) -> list[str]:
        words = [sys.executable, str(WORKERS / "frl_sweep.py"), kind, *numbers, str(updates), str(threads)]
        return [*words, str(arguments.runs)]

    few, more = arguments.updates, 4 * arguments.updates
    processes = [
        sys.executable,
        str(WORKERS / "processes.py"),
        str(arguments.processes),
        str(arguments.process_updates),
    ]
    return {
        "frl, 2 threads": worker("one-program", few, 2),
        "frl, 1 core": [*PINNED, *worker("one-program", few, 1)],
        "one after the other, 2 threads": worker("one-by-one", more, 2),
        "one after the other, 1 core": [*PINNED, *worker("one-by-one", more, 1)],
        "processes, two at a time": processes,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", type=int, default=32)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--updates", type=int, default=10, help="of the one program in a timed run; rates are steady")
    parser.add_argument("--runs", type=int, default=16, help="timed one after the other")
    parser.add_argument("--processes", type=int, default=4, help="in a timed round")
    parser.add_argument("--process-updates", type=int, default=WHOLE)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--name", default="sweep_throughput", help="of the results file")
    arguments = parser.parse_args()
    found = measure(commands(arguments), arguments.repeats)
    runs = arguments.rates * arguments.seeds
    best = {}
    for name, row in found["rates"].items():
        kind = name.split(",")[0]
        best[kind] = max(best.get(kind, 0), row["steps_per_s"][1])
    total = runs * arguments.process_updates * STEPS
    result = {
        "runs": runs,
        "repeats": arguments.repeats,
        **found,
        "minutes_of_the_whole_sweep": {kind: round(total / rate / 60, 1) for kind, rate in best.items()},
        "steps_of_the_whole_sweep": total,
        "machine": machine(),
    }
    print(json.dumps(result, indent=1))
    write(arguments.name, result)


if __name__ == "__main__":
    main()
