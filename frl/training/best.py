"""The best state of a training, kept as a checkpoint."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from frl import tree
from frl.tensordict import TensorDict
from frl.training import checkpoint
from frl.training.run import Callback


def keep_best(
    directory: str | Path, metadata: Mapping[str, Any] | None = None, metric: str = "eval_return"
) -> Callback:
    """A callback that keeps in `directory` one checkpoint, of the state with the highest `metric` so far.

    Of equal ones it keeps the first. It goes on from what `directory` holds, so that a run that was killed and resumed
    ends with the best of the run that was not. The metadata hold the metric and, as "updates", when it was the best.

    Of a population, where the metric is [n], each member is kept where it was best itself, as by the run of its seed
    alone: the checkpoint is one state of the population whose members may be of different steps.

    Args: directory: of its own, not that of other checkpoints. metadata: more of it. metric: a scalar or [n], by
        `measured` or the training's own; NaN is never the best.
    Raises: KeyError, when called, without the metric; OSError if the checkpoint cannot be written.

    >>> import tempfile
    >>> def see(keep, step, value):
    ...     keep(step, TensorDict({"step": torch.tensor(step)}), TensorDict({"eval_return": torch.tensor(value)}))
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     keep = keep_best(directory)
    ...     for step, value in enumerate([1.0, 5.0, 3.0]):
    ...         see(keep, step, value)
    ...     checkpoint.load_latest(directory).metadata
    {'eval_return': 5.0, 'updates': 1}
    """
    directory = Path(directory)
    before = _kept(directory)
    highest = None if before is None else torch.tensor(before.metadata[metric], dtype=torch.float64)
    when = None if before is None else torch.tensor(before.metadata["updates"])
    del before  # a whole state

    def callback(updates: int, state: TensorDict, metrics: TensorDict) -> None:
        nonlocal highest, when
        if metric not in metrics:
            raise KeyError(
                f"keep_best: there is no metric {metric!r}, only {list(metrics)}; name one of them by metric=."
            )
        value = metrics[metric].detach().cpu().to(torch.float64)
        top = torch.full_like(value, -torch.inf) if highest is None else highest
        better = value > top
        if not bool(better.any()):
            return
        if highest is not None and not bool(better.all()):
            state = _mixed(better, state, checkpoint.load_latest(directory).state)
        highest = torch.where(better, value, top)
        when = torch.where(better, updates, torch.zeros_like(value, dtype=torch.int64) if when is None else when)
        found = {metric: highest.tolist(), "updates": when.tolist()}
        step = int(state["step"].max())
        checkpoint.discard(directory, step)  # of a training that was resumed before them, and went another way
        checkpoint.save(directory, state, step, {**(metadata or {}), **found}, keep=1)

    return callback


def _kept(directory: Path) -> checkpoint.Checkpoint | None:
    """What is kept, or None; what is corrupt is named on stderr, and counts as nothing."""
    try:
        return checkpoint.load_latest(directory)
    except (FileNotFoundError, checkpoint.CorruptCheckpoint):
        return None


def _mixed(better: Tensor, state: TensorDict, kept: TensorDict) -> TensorDict:
    """`state` of the members that are better, and of the others what was kept.

    That comes from the disk, not from memory: a compiled step may write into its old states.
    """
    kept = tree.map(lambda old, new: old.to(new.device), kept, state)
    return tree.where(better.to(state["step"].device), state, kept)
