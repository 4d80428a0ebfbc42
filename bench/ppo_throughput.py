"""Trained steps per second of the whole PPO step against its peers, side by side.

Claim: with PureJaxRL's configuration (128 steps, 4 epochs of 4 minibatches, two MLPs 64-64) frl's compiled step trains
faster than PureJaxRL, SB3 and CleanRL. frl and PureJaxRL step CartPole in their own tensors, the others Gymnasium's.

Every peer is a process of its own that compiles once, apart; then all take turns, each timed `--repeats` times.
PureJaxRL and frl run both with two threads and pinned to one core, and count with the better of the two.

    python bench/ppo_throughput.py --jax-python PYTHON --purejaxrl CHECKOUT --torch-python PYTHON --cleanrl CHECKOUT
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from report import machine, write

WORKERS = Path(__file__).parent / "workers"
PINNED = ["taskset", "-c", "0"]
UPDATES = {4: 600, 64: 40, 1024: 4}  # about 300k steps for the fast ones
SLOW_UPDATES = {4: 20, 64: 2, 1024: 1}


class Worker:
    def __init__(self, name: str, command: list[str]):
        self.name, self.seconds = name, []
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = self._read()

    def _read(self) -> dict:
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError(f"{self.name} ended: {self.process.wait()}")

    def run(self) -> float:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        result = self._read()
        return result["steps"] / result["seconds"]


def commands(arguments: argparse.Namespace, num_envs: int) -> dict[str, list[str]]:
    n, fast, slow = str(num_envs), str(UPDATES[num_envs]), str(SLOW_UPDATES[num_envs])
    ours = [sys.executable, str(WORKERS / "frl_ppo.py"), n, fast]
    found = {"frl, 2 threads": [*ours, "2"], "frl, 1 core": [*PINNED, *ours, "1"]}
    if arguments.purejaxrl:
        jax = [arguments.jax_python, str(WORKERS / "purejaxrl_ppo.py"), arguments.purejaxrl, n, fast]
        found |= {"PureJaxRL, 2 threads": jax, "PureJaxRL, 1 core": [*PINNED, *jax]}
    if num_envs <= 64:
        found["SB3"] = [arguments.torch_python, str(WORKERS / "sb3_ppo.py"), n, slow, "2"]
        if arguments.cleanrl:
            found["CleanRL"] = [
                arguments.torch_python,
                str(WORKERS / "cleanrl_ppo.py"),
                arguments.cleanrl,
                n,
                slow,
                "2",
            ]
    return found


def measure(arguments: argparse.Namespace, num_envs: int) -> dict:
    workers = [Worker(name, command) for name, command in commands(arguments, num_envs).items()]
    rates = {worker.name: [] for worker in workers}
    for worker in workers:
        worker.run()
    for _ in range(arguments.repeats):
        for worker in workers:
            rates[worker.name].append(worker.run())
    for worker in workers:
        worker.process.kill()
    table = {worker.name: {"steps_per_s": quartiles(rates[worker.name]), "ready": worker.ready} for worker in workers}
    best = {
        peer: max(r["steps_per_s"][1] for name, r in table.items() if name.startswith(peer)) for peer in peers(table)
    }
    ratios = {peer: best["frl"] / best[peer] for peer in best if peer != "frl"}
    return {"num_envs": num_envs, "rates": table, "frl_over": ratios}


def peers(table: dict) -> set[str]:
    return {name.split(",")[0] for name in table}


def quartiles(values: list[float]) -> list[float]:
    low, middle, high = statistics.quantiles(values, n=4)
    return [round(low), round(middle), round(high)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--purejaxrl", help="a checkout of PureJaxRL")
    parser.add_argument("--jax-python", help="a Python with jax 0.4.30 and gymnax 0.0.8")
    parser.add_argument("--cleanrl", help="a checkout of CleanRL")
    parser.add_argument("--torch-python", default=sys.executable, help="a Python with stable-baselines3")
    parser.add_argument("--num-envs", type=int, nargs="+", default=[4, 64, 1024])
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    rows = []
    for num_envs in arguments.num_envs:
        row = measure(arguments, num_envs)
        rows.append(row)
        print(json.dumps(row, indent=1))
        write("ppo_throughput", {"rows": rows, "repeats": arguments.repeats, "machine": machine()})


if __name__ == "__main__":
    main()
