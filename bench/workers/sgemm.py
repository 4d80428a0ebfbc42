"""Products of two 1024 × 1024 matrices, as a worker of `bench/population_throughput.py`: a "step" is an operation.

Usage: python sgemm.py THREADS, then one line on standard input for each timed run, of about a second.
"""

import json
import sys
import time

SIZE, PRODUCTS = 1024, 60


def main() -> None:
    import torch

    torch.set_num_threads(int(sys.argv[1]))
    x = torch.randn(SIZE, SIZE)
    print(json.dumps({"torch": torch.__version__}), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        for _ in range(PRODUCTS):
            x @ x
        seconds = time.perf_counter() - began
        print(json.dumps({"seconds": seconds, "steps": 2 * SIZE**3 * PRODUCTS}), flush=True)


main()
