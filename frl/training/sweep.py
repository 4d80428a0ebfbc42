"""What a sweep shows: the scores of each combination of hyperparameters, over its seeds, and their picture."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from frl import random
from frl.training.statistics import bootstrap_interval, interquartile_mean, mean

LINES = 8
"""More lines than that are drawn as a map of colours."""


class Trial(NamedTuple):
    """One combination of hyperparameters, and what each of its seeds has scored [seeds]."""

    hyperparameters: dict[str, float]
    scores: Tensor


def trials(hyperparameters: Mapping[str, Sequence[float]], scores: Tensor) -> list[Trial]:
    """The combinations in a population of which member i has `hyperparameters[name][i]` and `scores[i]`, in its order.

    Raises: ValueError unless there is one value of each name, and one score, for each member.

    >>> trials({"gamma": [0.9, 0.9, 0.99]}, torch.tensor([1.0, 3.0, 5.0]))[0]
    Trial(hyperparameters={'gamma': 0.9}, scores=tensor([1., 3.]))
    """
    for name, values in hyperparameters.items():
        if scores.shape != (len(values),):
            raise ValueError(
                f"trials: scores have shape {list(scores.shape)} but {name!r} has {len(values)} values; give one of "
                "each for each member."
            )
    columns = [list(map(float, values)) for values in hyperparameters.values()]
    rows = list(zip(*columns, strict=True)) or [()] * len(scores)
    found: dict[tuple[float, ...], list[int]] = {}
    for i, row in enumerate(rows):
        found.setdefault(row, []).append(i)
    names = list(hyperparameters)
    return [Trial(dict(zip(names, row, strict=True)), scores[index]) for row, index in found.items()]


def best(found: Sequence[Trial]) -> Trial:
    """The trial of the highest interquartile mean; of equal ones that of the highest mean, then the first.

    Raises: ValueError without a trial.

    >>> best(trials({"gamma": [0.9, 0.9, 0.99]}, torch.tensor([1.0, 3.0, 5.0]))).hyperparameters
    {'gamma': 0.99}
    """
    if not found:
        raise ValueError("best: there is no trial; pass those of at least one member.")
    return max(found, key=lambda trial: (interquartile_mean(trial.scores).item(), mean(trial.scores).item()))


def plot_sweep(
    found: Sequence[Trial], out: str | Path, logarithmic: Collection[str] = (), ylabel: str = "final return"
) -> None:
    """Draws a PNG of the scores against the first hyperparameter: interquartile means and 95 % bootstrap intervals.

    There is a line for each combination of the others; where these are too many, a map of colours.

    Args: logarithmic: the names whose axes are.
    Raises: ValueError without a trial, or if trials have no hyperparameter.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # lazily: it takes a second and a half
    from matplotlib.figure import Figure

    if not found or not found[0].hyperparameters:
        raise ValueError("plot_sweep: there is no hyperparameter to draw against; pass trials that differ in one.")
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    name = next(iter(found[0].hyperparameters))
    lines: dict[str, list[Trial]] = {}
    for trial in found:
        rest = {other: value for other, value in trial.hyperparameters.items() if other != name}
        lines.setdefault(told(rest), []).append(trial)
    (_lines if len(lines) <= LINES else _map)(axes, lines, name, ylabel)
    if name in logarithmic and len(lines) <= LINES:
        axes.set_xscale("log")
    axes.set_xlabel(_plain(name))
    figure.savefig(str(out), dpi=150)


def told(hyperparameters: Mapping[str, float]) -> str:
    """A combination in words.

    >>> told({"learning_rate": 3e-4, "lambda_": 0.95})
    'learning rate 0.0003, lambda 0.95'
    """
    return ", ".join(f"{_plain(name)} {value:g}" for name, value in hyperparameters.items())


def _plain(name: str) -> str:
    return name.rstrip("_").replace("_", " ")


def _lines(axes: Any, lines: Mapping[str, Sequence[Trial]], name: str, ylabel: str) -> None:
    key = random.key(0)
    for label, members in lines.items():
        members = sorted(members, key=lambda trial: trial.hyperparameters[name])
        values = [trial.hyperparameters[name] for trial in members]
        (line,) = axes.plot(values, [_middle(trial) for trial in members], marker=".", label=label or None)
        spans = [bootstrap_interval(trial.scores, key, statistic=interquartile_mean) for trial in members]
        low, high = ([float(bound) for bound in bounds] for bounds in zip(*spans, strict=True))
        axes.fill_between(values, low, high, alpha=0.2, color=line.get_color(), linewidth=0)
    if len(lines) > 1:
        axes.legend(frameon=False)
    axes.set_ylabel(f"{ylabel}, interquartile mean of {max(len(t.scores) for m in lines.values() for t in m)} seeds")
    axes.grid(alpha=0.3)


def _map(axes: Any, lines: Mapping[str, Sequence[Trial]], name: str, ylabel: str) -> None:
    values = sorted({trial.hyperparameters[name] for members in lines.values() for trial in members})
    cells = torch.full((len(lines), len(values)), torch.nan)
    for row, members in enumerate(lines.values()):
        for trial in members:
            cells[row, values.index(trial.hyperparameters[name])] = _middle(trial)
    image = axes.imshow(cells.numpy(), aspect="auto", origin="lower")
    axes.figure.colorbar(image, label=f"{ylabel}, interquartile mean")
    shown = range(0, len(values), -(-len(values) // 8))
    axes.set_xticks(list(shown), [f"{values[i]:.3g}" for i in shown])
    rows, labels = range(0, len(lines), -(-len(lines) // 20)), list(lines)
    axes.set_yticks(list(rows), [labels[i] for i in rows])


def _middle(trial: Trial) -> float:
    return interquartile_mean(trial.scores).item()
