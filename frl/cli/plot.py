"""`frl plot RUN... -o curve.png`: the learning curves of runs, those of one environment averaged over their seeds."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from frl.cli.errors import UsageError, usage_errors
from frl.cli.flags import Output, Positional, parse
from frl.cli.run_directory import EVALUATIONS, METRICS, read_config
from frl.training.plot import Curve, plot, read_curves


@dataclasses.dataclass(frozen=True)
class PlotOptions:
    """Draws the learning curves of runs: one line for each algorithm and environment, the mean over their seeds."""

    runs: Annotated[tuple[Path, ...], Positional]
    """The run directories."""
    out: Annotated[Path, Output] = Path("curve.png")
    """The picture."""
    metric: str = "episode_return"
    """The column of metrics.csv; eval_return is that of evaluations.csv."""


def plot_runs(arguments: Sequence[str]) -> int:
    """Runs the command; returns the exit code."""
    options = parse(PlotOptions, arguments, "frl plot")
    if not options.runs:
        raise UsageError("plot: there is no run; name one or more run directories.")
    curves: dict[str, list[Curve]] = {}
    for run in options.runs:
        config = read_config(run)
        label = f"{config['algorithm'].upper()}, {config['options']['env']}"
        with usage_errors(ValueError, OSError):
            file = EVALUATIONS if options.metric.startswith("eval_") else METRICS
            curves.setdefault(label, []).extend(read_curves(run / file, options.metric))
    with usage_errors(ValueError, OSError):
        plot({label: found for label, found in curves.items() if found}, options.out, options.metric)
    print(options.out)
    return 0
