"""Trainings of two or four updates, run in this process."""

from pathlib import Path

from frl.cli import main

TINY = ["--num-envs", "2", "--rollout-length", "4", "--num-epochs", "1", "--num-minibatches", "1"]
TINY += ["--eval-episodes", "2", "--compile", "off", "--steps", "16", "--env", "CartPole-v1"]


def train(out: Path, *flags: str) -> int:
    return main(["train", "ppo", *TINY, "--out", str(out), *flags])
