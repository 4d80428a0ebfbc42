"""`frl plot RUN... -o curve.png`: the learning curves of runs, those of one environment averaged over their seeds.

`frl plot RUN` of a sweep draws the final return against what was varied.
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch

from frl.cli.errors import UsageError, usage_errors
from frl.cli.flags import Output, Positional, parse
from frl.cli.options import Options, from_json
from frl.cli.run_directory import EVALUATIONS, METRICS, RESULT, read_config
from frl.cli.vary import axes
from frl.training.plot import Curve, plot, read_sweep
from frl.training.sweep import plot_sweep, trials


@dataclasses.dataclass(frozen=True)
class PlotOptions:
    """Draws the learning curves of runs: one line for each algorithm and environment, the mean over their seeds."""

    runs: Annotated[tuple[Path, ...], Positional]
    """The run directories."""
    out: Annotated[Path, Output] = Path("curve.png")
    """The picture."""
    metric: str | None = None
    """The column of metrics.csv; eval_return is that of evaluations.csv. By default episode_return, or, of one run that
    is a sweep, the return of its last policies against what was varied."""


def plot_runs(arguments: Sequence[str]) -> int:
    """Runs the command; returns the exit code."""
    options = parse(PlotOptions, arguments, "frl plot")
    if not options.runs:
        raise UsageError("plot: there is no run; name one or more run directories.")
    config = read_config(options.runs[0])
    if options.metric is None and len(options.runs) == 1 and config["options"].get("vary"):
        draw_sweep(options.runs[0], from_json(config["algorithm"], config["options"]), options.out)
    else:
        _curves(options.runs, options.metric or "episode_return", options.out)
    print(options.out)
    return 0


def _curves(runs: Sequence[Path], metric: str, out: Path) -> None:
    curves: dict[str, list[Curve]] = {}
    for run in runs:
        config = read_config(run)
        label = f"{config['algorithm'].upper()}, {config['options']['env']}"
        with usage_errors(ValueError, OSError):
            file = EVALUATIONS if metric.startswith("eval_") else METRICS
            for varied, found in read_sweep(run / file, metric).items():
                curves.setdefault(f"{label}, {varied}" if varied else label, []).extend(found)
    with usage_errors(ValueError, OSError):
        plot(curves, out, metric)


def draw_sweep(run: Path, options: Options, out: Path) -> None:
    """Draws the returns of the last policies of a sweep that has ended against what was varied.

    Raises: UsageError if it has not ended, or if `out` cannot be written.
    """
    if not (run / RESULT).exists():
        raise UsageError(f"plot: the sweep in {run} has not ended; continue it by --resume, or name a --metric.")
    returns = torch.tensor(json.loads((run / RESULT).read_text())["evaluation_returns"])
    logarithmic = [axis.name for axis in axes(options.vary, vars(options)["config"]) if axis.logarithmic]
    with usage_errors(ValueError, OSError):
        plot_sweep(trials(options.varied, returns.mean(1)), out, logarithmic)
