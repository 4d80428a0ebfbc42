"""Learning curves as a picture: the mean over seeds, and its interval."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from frl import random
from frl.training.log import read_csv
from frl.training.statistics import bootstrap_interval
from frl.training.sweep import told

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Steps, and the value at each."""


def plot(curves: Mapping[str, Sequence[Curve]], out: str | Path, ylabel: str = "episode_return") -> None:
    """Draws a PNG with a line for each label: the mean of its curves, with its 95 % bootstrap interval.

    Curves of one label are averaged where all of them are defined, at the steps of any.

    Args: curves: by label; `read_curves` reads them. out: the path of the PNG.
    Raises: ValueError if there is no curve.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # lazily: it takes a second and a half
    from matplotlib.figure import Figure

    if not any(curves.values()):
        raise ValueError("plot: there is no curve; pass files with at least one episode that ended.")
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for label, members in curves.items():
        steps, values = align(members)
        (line,) = axes.plot(
            steps, values.mean(0), label=f"{label} ({len(members)} seeds)" if len(members) > 1 else label
        )
        if len(members) > 1:
            low, high = bootstrap_interval(torch.from_numpy(values.T.copy()), random.key(0))
            axes.fill_between(steps, low.numpy(), high.numpy(), alpha=0.2, color=line.get_color(), linewidth=0)
    axes.set(xlabel="environment steps", ylabel=ylabel.replace("_", " "))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(str(out), dpi=150)


def read_curves(path: str | Path, metric: str = "episode_return") -> list[Curve]:
    """One curve for each member in a file of `csv_log`, from the first update by which an episode had ended.

    Raises: ValueError if the file lacks the metric.
    """
    return [curve for curves in read_sweep(path, metric).values() for curve in curves]


def read_sweep(path: str | Path, metric: str = "episode_return") -> dict[str, list[Curve]]:
    """As `read_curves`, by the combination of the hyperparameters that vary, in words: "" where none does.

    Raises: ValueError if the file lacks the metric.
    """
    rows = read_csv(path)
    if rows and metric not in rows[0]:
        raise ValueError(f"read_curves: {path} has no column {metric!r}, only {list(rows[0])}.")
    members: dict[tuple[str, ...], list[dict[str, str]]] = {}
    names = [name for name in (rows[0] if rows else ()) if name.startswith("hyper.")]
    for row in rows:
        members.setdefault((row["seed"], *(row[name] for name in names)), []).append(row)
    curves: dict[str, list[Curve]] = {}
    for (_, *values), mine in members.items():
        label = told({name.removeprefix("hyper."): float(x) for name, x in zip(names, values, strict=True)})
        first = next((i for i, row in enumerate(mine) if float(row.get("episodes", 1)) > 0), len(mine))
        if first < len(mine):
            curves.setdefault(label, []).append((_numbers(mine[first:], "step"), _numbers(mine[first:], metric)))
    return curves


def align(curves: Sequence[Curve]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The steps [T] that lie where all curves are defined, and the values [n, T], interpolated.

    >>> wide, short = (np.array([0.0, 2.0]), np.array([0.0, 4.0])), (np.array([1.0, 2.0]), np.array([5.0, 6.0]))
    >>> steps, values = align([wide, short])
    >>> steps.tolist(), values.tolist()
    ([1.0, 2.0], [[2.0, 4.0], [5.0, 6.0]])
    """
    low, high = max(steps[0] for steps, _ in curves), min(steps[-1] for steps, _ in curves)
    grid = np.unique(np.concatenate([steps for steps, _ in curves]))
    grid = grid[(grid >= low) & (grid <= high)]
    return grid, np.stack([np.interp(grid, steps, values) for steps, values in curves])


def _numbers(rows: Iterable[Mapping[str, str]], column: str) -> NDArray[np.float64]:
    return np.array([float(row[column]) for row in rows])
