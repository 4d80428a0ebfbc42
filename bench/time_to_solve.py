"""From the start of the process to the evaluation of a solved CartPole, with cold caches, frl against SB3.

Claim: `frl train ppo --env CartPole-v1` is over sooner than SB3's PPO with rl-zoo's settings; both train 100,000 steps.
frl evaluates 100 episodes, SB3 10. frl's CartPole is pure torch, SB3's is Gymnasium's.

    python bench/time_to_solve.py --torch-python PYTHON     # a Python with stable-baselines3
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from report import machine, write

WORKER = Path(__file__).parent / "workers" / "sb3_cartpole.py"


def timed(command: list[str]) -> tuple[float, str]:
    with tempfile.TemporaryDirectory() as directory:
        environment = {
            **os.environ,
            "TMPDIR": directory,  # where Inductor keeps its precompiled headers
            "TORCHINDUCTOR_CACHE_DIR": f"{directory}/cache",
            "XDG_CACHE_HOME": f"{directory}/x",
        }
        began = time.perf_counter()
        done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=True)
        return time.perf_counter() - began, done.stdout.strip().splitlines()[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch-python", default=sys.executable)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    commands = {
        "frl": [sys.executable, "-m", "frl.cli", "train", "ppo", "--env", "CartPole-v1"],
        "SB3": [arguments.torch_python, str(WORKER)],
    }
    runs: dict[str, list] = {name: [] for name in commands}
    for _ in range(arguments.repeats):
        for name, command in commands.items():
            runs[name].append(timed(command))
            print(name, *runs[name][-1], flush=True)
    seconds = {name: statistics.quantiles([s for s, _ in result], n=4) for name, result in runs.items()}
    result = {"seconds": seconds, "frl_over_sb3": seconds["frl"][1] / seconds["SB3"][1], "machine": machine()}
    result["evaluations"] = {name: [line for _, line in lines] for name, lines in runs.items()}
    write("time_to_solve", result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
