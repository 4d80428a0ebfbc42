"""`frl eval RUN`: evaluates the last or the best policy of a run, and films it."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from frl.cli.build import build, evaluation_returns, film
from frl.cli.errors import require_at_least
from frl.cli.flags import Positional, parse
from frl.cli.report import print_evaluation
from frl.cli.saved import Which, saved
from frl.tensordict import TensorDict
from frl.training.statistics import shown


@dataclasses.dataclass(frozen=True)
class EvalOptions:
    """Evaluates a policy of a run, greedily, and films it where a video is wanted."""

    run: Annotated[Path, Positional]
    """The run directory."""
    episodes: int = 100
    """Episodes for each seed of the run."""
    member: int | None = None
    """Which of the members that were trained at once, counted from 0; by default all."""
    checkpoint: Which = "last"
    """Which policy: the last, or the one that was the best in a training with --eval-every; each seed's own best."""
    video: Path | None = None
    """Films the policy, that of the first member, and writes this file, .mp4 or .gif."""
    video_episodes: int = 1
    """Episodes of the video."""


def evaluate_run(arguments: Sequence[str]) -> int:
    """Runs the command; returns the exit code."""
    given = parse(EvalOptions, arguments, "frl eval")
    require_at_least(1, {"episodes": given.episodes, "video_episodes": given.video_episodes})
    found = saved(given.run, given.checkpoint, given.member)
    options = dataclasses.replace(found.options, eval_episodes=given.episodes)
    training = build(found.name, options)
    print(f"{training.recipe.title} on {options.env}, after {_steps(found.state)} steps")
    if given.video is not None:
        returns = film(training, options, found.state, given.video, given.video_episodes)
        print(f"video: {given.video}, returns {', '.join(shown(value) for value in returns.tolist())}")
    print_evaluation(evaluation_returns(training, options, found.state), options.seeds, options.varied)
    return 0


def _steps(state: TensorDict) -> str:
    """The steps of the state: from the fewest to the most where each seed is the best at another."""
    low, high = state["step"].min(), state["step"].max()
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
