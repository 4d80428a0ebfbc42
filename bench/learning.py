"""Learning: the command line's default configuration, every seed shown, the last policy evaluated.

python bench/learning.py --env CartPole-v1            # seeds 0-19 at once, 100 evaluation episodes each
python bench/learning.py --env Pendulum-v1
python bench/learning.py --env gym:CartPole-v1 --num-seeds 3
python bench/learning.py --algorithm dqn --env CartPole-v1
python bench/learning.py --algorithm ddpg --env Pendulum-v1      # or td3, sac, redq
python bench/learning.py --algorithm sac --env MountainCarContinuous-v0
python bench/learning.py --algorithm a2c --env CartPole-v1
python bench/learning.py --algorithm reinforce --env CartPole-v1
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from report import machine, write

from frl.training.statistics import interquartile_mean


def train(arguments: argparse.Namespace, seed: int, num_seeds: int, directory: Path) -> dict:
    command = [
        sys.executable,
        "-m",
        "frl.cli",
        "train",
        arguments.algorithm,
        "--env",
        arguments.env,
        "--out",
        str(directory),
    ]
    command += ["--seed", str(seed), "--num-seeds", str(num_seeds)]
    print("$", " ".join(command[1:]), flush=True)
    subprocess.run(command, check=True)
    return json.loads((directory / "result.json").read_text())


def summary(results: list[dict]) -> dict:
    """The mean return of each seed, and over seeds the interquartile mean and how many solve CartPole."""
    seeds = [seed for result in results for seed in result["seeds"]]
    means = torch.tensor([returns for result in results for returns in result["evaluation_returns"]]).mean(-1)
    for seed, mean in zip(seeds, means.tolist(), strict=True):
        print(f"seed {seed}: {mean:.1f}")
    return {
        "steps": results[0]["step"],
        "mean_return_by_seed": {str(seed): round(mean, 1) for seed, mean in zip(seeds, means.tolist(), strict=True)},
        "interquartile_mean": round(interquartile_mean(means).item(), 1),
        "seeds_of_at_least_475": int((means >= 475).sum()),
        "seeds": len(seeds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--algorithm", default="ppo")
    parser.add_argument("--env", default="CartPole-v1")
    parser.add_argument("--num-seeds", type=int, default=20)
    arguments = parser.parse_args()
    # Gymnasium's environments are no part of a compiled program, so their seeds take turns
    at_once = 1 if arguments.env.startswith("gym:") else arguments.num_seeds
    with tempfile.TemporaryDirectory() as scratch:
        turns = range(0, arguments.num_seeds, at_once)
        results = [train(arguments, seed, at_once, Path(scratch) / str(seed)) for seed in turns]
    result = summary(results)
    print(json.dumps(result, indent=1))
    name = "" if arguments.algorithm == "ppo" else f"{arguments.algorithm}_"
    write(f"learning_{name}{arguments.env.replace(':', '_')}", {**result, "machine": machine()})


if __name__ == "__main__":
    main()
