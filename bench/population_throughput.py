"""Trained steps per second of populations of PPO agents on CartPole against PureJaxRL's, side by side.

Claim: with PureJaxRL's configuration (4 environments for each agent, 128 steps, 4 epochs of 4 minibatches, two MLPs
64-64) a population of 8, 32 or 256 agents, one compiled program, makes at least 1.2 times the steps of PureJaxRL's
`train` under `jax.vmap`.

Each is a process of its own that compiles once, apart; then they take turns, and products of two 1024 × 1024 matrices
among them, the peak. All run with two threads and pinned to one core, and count with the better of the two. The share
of the peak is that of the arithmetic of the networks alone (matrix products of PPO's rollout and updates). Rows of
other numbers of agents are kept.

    python bench/population_throughput.py --jax-python PYTHON --purejaxrl CHECKOUT
"""

import argparse
import json
import sys

from report import machine, read, write
from side_by_side import PINNED, WORKERS, measure

UPDATES = {8: 75, 32: 20, 256: 3}  # about 300k steps
# a multiply-add is 2: two networks 4-64-64-(2, 1); a step is one forward pass in the rollout, two for the values of the
# batch, and 4 epochs of 3 (one forwards, two backwards)
WEIGHTS = (4 * 64 + 64 * 64) * 2 + 64 * 3
FLOP_PER_STEP = 2 * (WEIGHTS / 2 + WEIGHTS + 4 * 3 * WEIGHTS)


def commands(arguments: argparse.Namespace, agents: int) -> dict[str, list[str]]:
    numbers = ["4", str(UPDATES[agents])]
    ours = [sys.executable, str(WORKERS / "frl_ppo.py"), *numbers]
    jax = [arguments.jax_python, str(WORKERS / "purejaxrl_ppo.py"), arguments.purejaxrl, *numbers, str(agents)]
    product = [sys.executable, str(WORKERS / "sgemm.py")]
    return {
        "frl, 2 threads": [*ours, "2", str(agents)],
        "frl, 1 core": [*PINNED, *ours, "1", str(agents)],
        "PureJaxRL, 2 threads": jax,
        "PureJaxRL, 1 core": [*PINNED, *jax],
        "peak, 2 threads": [*product, "2"],
        "peak, 1 core": [*PINNED, *product, "1"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--purejaxrl", required=True, help="a checkout of PureJaxRL")
    parser.add_argument("--jax-python", required=True, help="a Python with jax 0.4.30 and gymnax 0.0.8")
    parser.add_argument("--agents", type=int, nargs="+", default=[8, 32, 256])
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    rows = [row for row in read("population_throughput").get("rows", []) if row["agents"] not in arguments.agents]
    for agents in arguments.agents:
        found = measure(commands(arguments, agents), arguments.repeats)
        share = FLOP_PER_STEP * found["frl_over"].pop("peak")
        rows = sorted([*rows, {"agents": agents, **found, "share_of_peak": share}], key=lambda row: row["agents"])
        print(json.dumps(rows, indent=1))
        result = {"rows": rows, "flop_per_step": FLOP_PER_STEP, "repeats": arguments.repeats}
        write("population_throughput", {**result, "machine": machine()})


if __name__ == "__main__":
    main()
