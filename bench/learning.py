"""Learning: the command line's default configuration, every seed shown, the last policy evaluated.

python bench/learning.py --env CartPole-v1            # seeds 0-19 at once, 100 evaluation episodes each
python bench/learning.py --env Pendulum-v1
python bench/learning.py --env gym:CartPole-v1 --num-seeds 3
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from report import machine, write


def train(env: str, seed: int, num_seeds: int, directory: Path) -> dict:
    command = [sys.executable, "-m", "frl.cli", "train", "ppo", "--env", env, "--out", str(directory)]
    command += ["--seed", str(seed), "--num-seeds", str(num_seeds)]
    print("$", " ".join(command[1:]), flush=True)
    subprocess.run(command, check=True)
    return json.loads((directory / "result.json").read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="CartPole-v1")
    parser.add_argument("--num-seeds", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        result = train(arguments.env, 0, arguments.num_seeds, Path(scratch) / "run")
    write(f"learning_{arguments.env.replace(':', '_')}", {**result, "machine": machine()})


if __name__ == "__main__":
    main()
