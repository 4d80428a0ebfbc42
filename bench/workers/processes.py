"""Training runs as processes of their own, two at a time, as a worker of `bench/sweep_throughput.py`.

Usage: python processes.py NUM_PROCESSES NUM_UPDATES, then one line on standard input for each timed round. Each process
starts Python, imports frl, compiles with the caches of an earlier one, and trains one agent with one thread.
"""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

AT_ONCE = 2
WORKER = Path(__file__).parent / "frl_sweep.py"


def main() -> None:
    number, num_updates = (int(argument) for argument in sys.argv[1:])

    def run(seed: int) -> None:
        command = [sys.executable, str(WORKER), "alone", "1e-3", str(seed), str(num_updates)]
        subprocess.run(command, check=True)

    began = time.perf_counter()
    run(0)  # fills the caches
    print(json.dumps({"first": time.perf_counter() - began}), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(run, range(number)))
        print(json.dumps({"seconds": time.perf_counter() - began, "steps": number * num_updates * 512}), flush=True)


main()
