"""`frl eval RUN`: evaluates the last or the best policy of a run, and films it."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from frl.cli.build import build, evaluation_returns, film
from frl.cli.errors import UsageError, require_at_least, usage_errors
from frl.cli.flags import Positional, parse
from frl.cli.options import from_json
from frl.cli.report import print_evaluation
from frl.cli.run_directory import BEST, CHECKPOINTS, read_config
from frl.tensordict import TensorDict
from frl.training.checkpoint import Checkpoint, CorruptCheckpoint, load_latest


@dataclasses.dataclass(frozen=True)
class EvalOptions:
    """Evaluates a policy of a run, greedily, and films it where a video is wanted."""

    run: Annotated[Path, Positional]
    """The run directory."""
    episodes: int = 100
    """Episodes for each seed of the run."""
    checkpoint: Literal["last", "best"] = "last"
    """Which policy: the last, or the one that was the best in a training with --eval-every; each seed's own best."""
    video: Path | None = None
    """Films the policy, that of the first seed, and writes this file, .mp4 or .gif."""
    video_episodes: int = 1
    """Episodes of the video."""


def evaluate_run(arguments: Sequence[str]) -> int:
    """Runs the command; returns the exit code."""
    given = parse(EvalOptions, arguments, "frl eval")
    require_at_least(1, {"episodes": given.episodes, "video_episodes": given.video_episodes})
    config = read_config(given.run)
    name = config["algorithm"]
    options = dataclasses.replace(from_json(name, config["options"]), eval_episodes=given.episodes)
    found = _load(given)
    training = build(name, options)
    print(f"{training.recipe.title} on {options.env}, after {_steps(found.state)} steps")
    if given.video is not None:
        returns = film(training, options, found.state, given.video, given.video_episodes)
        print(f"video: {given.video}, returns {', '.join(f'{value:.1f}' for value in returns.tolist())}")
    print_evaluation(evaluation_returns(training, options, found.state), options.seeds)
    return 0


def _steps(state: TensorDict) -> str:
    """The steps of the state: from the fewest to the most where each seed is the best at another."""
    low, high = state["step"].min(), state["step"].max()
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _load(given: EvalOptions) -> Checkpoint:
    if given.checkpoint == "best" and not (given.run / BEST).is_dir():
        raise UsageError(
            f"--checkpoint best: {given.run} has none, for it was trained without --eval-every; take --checkpoint last."
        )
    with usage_errors(CorruptCheckpoint, FileNotFoundError):
        return load_latest(given.run / (BEST if given.checkpoint == "best" else CHECKPOINTS))
