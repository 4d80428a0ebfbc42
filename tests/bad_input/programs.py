"""Bad checkpoints and bad command lines."""

import contextlib
import io
import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from frl import TensorDict, cli, training
from frl.cli.errors import UsageError
from frl.training import checkpoint
from tests.bad_input.case import TD, bad, ones


def damaged(file: str, damage: Callable[[bytes], bytes | None]) -> Any:
    """Loads a checkpoint of which one file was damaged, or removed where the damage is None."""
    with tempfile.TemporaryDirectory() as directory:
        path = training.save(directory, TensorDict({"w": ones(100)}), 1) / file
        content = damage(path.read_bytes())
        path.unlink() if content is None else path.write_bytes(content)
        return training.load(path.parent)


def saved_twice() -> None:
    with tempfile.TemporaryDirectory() as directory:
        for value in (0.0, 1.0):
            training.save(directory, TensorDict({"w": torch.tensor(value)}), 1)


STATE, MANIFEST = "state.safetensors", "manifest.json"
CORRUPT = checkpoint.CorruptCheckpoint
FILES = {
    "metadata that no file can hold": bad(
        lambda: checkpoint.save("/none", TensorDict({"w": ones(1)}), 1, {"x": object()}),
        TypeError,
        "metadata",
        "object",
        "must be of JSON's types",
    ),
    "a truncated checkpoint": bad(
        lambda: damaged(STATE, lambda b: b[:-7]), CORRUPT, STATE, "'bytes': 472", "'bytes': 465", "load an earlier"
    ),
    "a checkpoint with a flipped bit": bad(
        lambda: damaged(STATE, lambda b: b[:-1] + bytes([b[-1] ^ 1])),
        CORRUPT,
        STATE,
        "sha256",
        "load an earlier checkpoint",
    ),
    "a checkpoint without its leaves": bad(
        lambda: damaged(STATE, lambda b: None), CORRUPT, STATE, "expected a file", "load an earlier"
    ),
    "a truncated manifest": bad(
        lambda: damaged(MANIFEST, lambda b: b[:9]), CORRUPT, MANIFEST, "JSON", "load an earlier"
    ),
    "an edited manifest": bad(
        lambda: damaged(MANIFEST, lambda b: b.replace(b'"step": 1', b'"step": 2')),
        CORRUPT,
        MANIFEST,
        "hash",
        "load an earlier",
    ),
    "a missing checkpoint": bad(
        lambda: training.load("/none/step_1"), FileNotFoundError, "/none/step_1", "that `save` returned"
    ),
    "no checkpoint": bad(lambda: training.load_latest("/none"), FileNotFoundError, "/none", "pass another directory"),
    "another state under one step": bad(
        saved_twice, FileExistsError, "another state of step 1", "save to another directory"
    ),
    "a negative step": bad(lambda: training.save("/none", TD, -1), ValueError, "step is -1", "must be at least 0"),
}


def frl_says(*arguments: str) -> None:
    """Raises what the command line says of a mistake."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        code = cli.main(arguments)
    if code == 2:
        raise UsageError(said.getvalue().strip())


train = partial(frl_says, "train", "ppo")

COMMANDS = {
    "an unknown command": bad(lambda: frl_says("trin"), UsageError, "'trin'", "there are: train, sweep, eval"),
    "an unknown algorithm": bad(lambda: frl_says("train", "dqm"), UsageError, "'dqm'", "there are: ppo"),
    "an unknown --env": bad(
        lambda: train("--env", "CartPol-v1"), UsageError, "'CartPol-v1'", "Did you mean CartPole-v1"
    ),
    "an unknown flag": bad(
        lambda: train("--lerning-rate", "1"), UsageError, "--lerning-rate", "Perhaps you meant: --learning-rate"
    ),
    "a word for a number": bad(
        lambda: train("--steps", "many"), UsageError, "--steps", "'many'", "see frl train ppo --help"
    ),
    "no training step": bad(lambda: train("--steps", "0"), UsageError, "--steps is 0", "must be at least 1"),
    "resuming what is not there": bad(
        lambda: train("--resume", "/none"), UsageError, "/none is no run directory", "name one that"
    ),
    "evaluating what is not there": bad(
        lambda: frl_says("eval", "/none"), UsageError, "/none is no run directory", "name one that"
    ),
    "plotting what is not there": bad(
        lambda: frl_says("plot", "/none"), UsageError, "/none is no run directory", "name one that"
    ),
}
