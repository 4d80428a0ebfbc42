"""`frl eval RUN`: evaluates the last policy of a run."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from frl.cli.build import build, evaluation_returns
from frl.cli.errors import UsageError, usage_errors
from frl.cli.flags import Positional, parse
from frl.cli.options import from_json
from frl.cli.report import print_evaluation
from frl.cli.run_directory import read_config
from frl.training.checkpoint import CorruptCheckpoint, load_latest


@dataclasses.dataclass(frozen=True)
class EvalOptions:
    """Evaluates the last policy of a run, greedily."""

    run: Annotated[Path, Positional]
    """The run directory."""
    episodes: int = 100
    """Episodes for each seed of the run."""


def evaluate_run(arguments: Sequence[str]) -> int:
    """Runs the command; returns the exit code."""
    given = parse(EvalOptions, arguments, "frl eval")
    if given.episodes < 1:
        raise UsageError(f"--episodes is {given.episodes} but must be at least 1.")
    config = read_config(given.run)
    name = config["algorithm"]
    options = dataclasses.replace(from_json(name, config["options"]), eval_episodes=given.episodes)
    with usage_errors(CorruptCheckpoint, FileNotFoundError):
        found = load_latest(given.run / "checkpoints")
    training = build(name, options)
    print(f"{training.recipe.title} on {options.env}, after {found.step:,} steps")
    print_evaluation(evaluation_returns(training, options, found.state), options.seeds)
    return 0
