"""Peers in processes of their own, which compile once, apart, and then take turns being timed."""

import json
import statistics
import subprocess
from pathlib import Path

WORKERS = Path(__file__).parent / "workers"
PINNED = ["taskset", "-c", "0"]


class Worker:
    """A process that prints a line of JSON once it is ready, and one for each line that it is sent."""

    def __init__(self, name: str, command: list[str]):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = self._read()

    def _read(self) -> dict:
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError(f"{self.name} ended: {self.process.wait()}")

    def run(self) -> float:
        """Steps per second of one timed run."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        result = self._read()
        return result["steps"] / result["seconds"]


def measure(commands: dict[str, list[str]], repeats: int) -> dict:
    """Quartiles of the rates of all workers, and frl's best median over each peer's.

    What stands before the comma in a name is the peer; it counts with the better of its rows.
    """
    workers = [Worker(name, command) for name, command in commands.items()]
    rates = {worker.name: [] for worker in workers}
    for worker in workers:
        worker.run()
    for _ in range(repeats):
        for worker in workers:
            rates[worker.name].append(worker.run())
    for worker in workers:
        worker.process.kill()
    table = {worker.name: {"steps_per_s": quartiles(rates[worker.name]), "ready": worker.ready} for worker in workers}
    peers = {name.split(",")[0] for name in table}
    best = {peer: max(r["steps_per_s"][1] for name, r in table.items() if name.startswith(peer)) for peer in peers}
    return {"rates": table, "frl_over": {peer: best["frl"] / best[peer] for peer in sorted(best) if peer != "frl"}}


def quartiles(values: list[float]) -> list[float]:
    low, middle, high = statistics.quantiles(values, n=4)
    return [round(low), round(middle), round(high)]
