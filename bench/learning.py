"""Learning: the command line's default configuration, every seed shown, the last policy evaluated.

    python bench/learning.py ppo CartPole-v1              # seeds 0-19 at once, 100 evaluation episodes each
    python bench/learning.py sac MountainCarContinuous-v0
    python bench/learning.py ppo gym:CartPole-v1 --num-seeds 3

What is stopped goes on from its checkpoint in runs/learning/ when the same command is given again. Of the mean returns
of the seeds, the interquartile mean and its 95 % bootstrap interval are kept.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import torch
from report import machine, read, write

from frl import random
from frl.training.statistics import bootstrap_interval, interquartile_mean

RUNS = Path("runs") / "learning"


def train(arguments: argparse.Namespace, seed: int, num_seeds: int) -> dict:
    """What `frl train` says of these seeds, begun or gone on with."""
    run = RUNS / f"{arguments.algorithm}_{arguments.env.replace(':', '_').replace('/', '_')}_{seed}_{num_seeds}"
    if not (run / "result.json").exists():
        begin = ["--env", arguments.env, "--out", str(run), "--seed", str(seed), "--num-seeds", str(num_seeds)]
        begun = any(run.glob("checkpoints/*"))
        if not begun:
            shutil.rmtree(run, ignore_errors=True)
        command = ["-m", "frl.cli", "train", arguments.algorithm, *(["--resume", str(run)] if begun else begin)]
        print("$", " ".join(["python", *command]), flush=True)
        subprocess.run([sys.executable, *command], check=True)
    return json.loads((run / "result.json").read_text())


def summary(results: list[dict]) -> dict:
    """The mean return of each seed; over seeds the interquartile mean with its interval, and how many reach 475."""
    seeds = [seed for result in results for seed in result["seeds"]]
    means = torch.tensor([returns for result in results for returns in result["evaluation_returns"]]).mean(-1)
    interval = bootstrap_interval(means, random.key(0), statistic=interquartile_mean)
    return {
        "steps": results[0]["step"],
        "seeds": len(seeds),
        "interquartile_mean": round(interquartile_mean(means).item(), 3),
        "interval": [round(bound.item(), 3) for bound in interval],
        "seeds_of_at_least_475": int((means >= 475).sum()),
        "mean_return_by_seed": {str(seed): round(mean, 3) for seed, mean in zip(seeds, means.tolist(), strict=True)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("algorithm")
    parser.add_argument("env")
    parser.add_argument("--num-seeds", type=int, default=20)
    arguments = parser.parse_args()
    # Gymnasium's environments are no part of a compiled program, so their seeds take turns
    at_once = 1 if arguments.env.startswith("gym:") else arguments.num_seeds
    results = [train(arguments, seed, at_once) for seed in range(0, arguments.num_seeds, at_once)]
    result = {**summary(results), "machine": machine()}
    print(json.dumps(result, indent=1))
    write("learning", {**read("learning"), f"{arguments.algorithm} {arguments.env}": result})


if __name__ == "__main__":
    main()
