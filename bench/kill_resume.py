"""Claim: killed at any moment and resumed, a training ends with bitwise the state of the uninterrupted one.

    python bench/kill_resume.py --kills 20 [--compile on] [--updates 60] [--out bench/results/kill_resume.json]
    python bench/kill_resume.py --kills 10 --compile on --num-seeds 3 --vary learning-rate log:1e-4:1e-2:2 \
        --out bench/results/kill_resume_population.json        # seeds and hyperparameters as one program

A small PPO run on CartPole saves a checkpoint after every update, so that many moments lie inside a save. Each
trial starts it anew, kills it (SIGKILL) at a random time from its first save to its last update, and resumes it to its
end; the SHA-256 of its final state is compared with that of a run left alone. `inside_save` counts the kills that left
an unfinished checkpoint behind.
"""

import argparse
import json
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch


def command(out: Path, options: argparse.Namespace, resume: bool) -> list[str]:
    start = [sys.executable, "-m", "frl.cli", "sweep" if options.vary else "train", "ppo"]
    if resume:
        return [*start, "--resume", str(out)]
    flags = {
        "env": "CartPole-v1",
        "steps": options.updates * 64,
        "num-seeds": options.num_seeds,
        "num-envs": 4,
        "rollout-length": 16,
        "num-epochs": 2,
        "num-minibatches": 2,
        "eval-episodes": 2,
        "checkpoint-every": 1,
        "num-threads": 1,
        "compile": options.compile,
        "out": out,
    }
    words = [word for name, value in flags.items() for word in (f"--{name}", str(value))]
    return [*start, *words, *(word for pair in options.vary for word in ("--vary", *pair))]


def launch(out: Path, options: argparse.Namespace) -> subprocess.Popen[bytes]:
    resume = (out / "config.json").exists()
    return subprocess.Popen(command(out, options, resume), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(out: Path, options: argparse.Namespace) -> str:
    """Runs to the end, from wherever it is; the hash of the final state."""
    process = launch(out, options)
    _, error = process.communicate()
    if process.returncode:
        raise SystemExit(f"the run failed with {process.returncode}: {error.decode()}")
    return json.loads((out / "result.json").read_text())["state_sha256"]


def first_update(out: Path, process: subprocess.Popen[bytes]) -> None:
    while not (out / "checkpoints").exists() and process.poll() is None:
        time.sleep(0.005)


def killed_and_resumed(out: Path, options: argparse.Namespace, seconds: float) -> tuple[str, bool, int]:
    """Kills the run `seconds` after its first save began, then finishes it: the hash, and what the kill had left."""
    process = launch(out, options)
    first_update(out, process)
    time.sleep(seconds)
    process.kill()
    process.communicate()
    saved = sorted((out / "checkpoints").glob("step_*"))
    inside_save = any((out / "checkpoints").glob(".tmp-*"))
    return finish(out, options), inside_save, len(saved) and int(saved[-1].name[5:])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--updates", type=int, default=60)
    parser.add_argument("--compile", choices=("on", "off"), default="off")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--num-seeds", type=int, default=1, help="seeds trained at once")
    parser.add_argument("--vary", nargs=2, action="append", default=[], help="a hyperparameter of a sweep")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    equal, moments, inside = 0, [], 0
    with tempfile.TemporaryDirectory() as directory:
        began = time.monotonic()
        whole = Path(directory) / "whole"
        process = launch(whole, options)
        first_update(whole, process)
        first_save = time.time()
        process.communicate()
        length = (whole / "checkpoints").stat().st_mtime - first_save  # to the last save
        result = json.loads((whole / "result.json").read_text())
        expected, members = result["state_sha256"], len(result["seeds"])
        for trial in range(options.kills):
            seconds = draw.uniform(0, length)
            found, inside_save, step = killed_and_resumed(Path(directory) / str(trial), options, seconds)
            equal, inside = equal + (found == expected), inside + inside_save
            moments.append(step)
            print(
                f"trial {trial}: killed at step {step}, {'equal' if found == expected else 'DIFFERENT'}",
                file=sys.stderr,
            )
    report = {
        "claim": "kill -9 at a random moment, resume: bitwise the final state of the uninterrupted run",
        "result": f"{equal} of {options.kills}",
        "compile": options.compile,
        "members": members,
        "killed_at_step": moments,
        "inside_save": inside,
        "steps": options.updates * 64,
        "seconds": round(time.monotonic() - began),
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
    }
    print(json.dumps(report, indent=2))
    if options.out:
        options.out.write_text(json.dumps(report, indent=2) + "\n")
    return 0 if equal == options.kills else 1


if __name__ == "__main__":
    sys.exit(main())
