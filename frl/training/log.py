"""Records of a training: rows for each update and seed in a CSV file, and scalars for TensorBoard and W&B."""

import contextlib
import csv
import os
import secrets
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from frl import check, tree
from frl.tensordict import TensorDict
from frl.training.run import Callback


@contextlib.contextmanager
def csv_log(
    path: str | Path,
    seeds: Sequence[int] = (0,),
    start: int = 0,
    varied: Mapping[str, Sequence[float]] | None = None,
) -> Generator[Callback, None, None]:
    """A callback that writes a row per update and member: update, step, seed, seconds, metrics.

    Each update is flushed. A file that exists is continued after update `start`: later rows, left by a run that was
    killed, are dropped, and the seconds go on from the last.

    Args: seeds: one for each member of a population, whose metrics are [n]; one seed for metrics that are scalars.
        varied: hyperparameters that differ, by name, with a value for each member: columns hyper.NAME.
    Raises: ValueError for a negative start or values that are not one for each seed, or, when called, if there are more
        or fewer seeds than members.

    >>> import tempfile, torch
    >>> state, metrics = TensorDict({"step": torch.tensor(32)}), TensorDict({"loss": torch.tensor(0.5)})
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     with csv_log(f"{directory}/metrics.csv", seeds=[7]) as log:
    ...         _ = log(1, state, metrics)
    ...     read_csv(f"{directory}/metrics.csv")[0]["loss"]
    '0.5'
    """
    check.at_least("csv_log", {"start": start}, 0)
    names, rows = _labels(seeds, varied or {})
    path = Path(path)
    kept = [row for row in read_csv(path) if int(row["update"]) <= start] if path.exists() else []
    began = time.monotonic() - (float(kept[-1]["seconds"]) if kept else 0.0)
    with _rewritten(path, kept) as file:
        writer = csv.writer(file)

        def callback(updates: int, state: TensorDict, metrics: TensorDict) -> None:
            columns = _columns(metrics)
            if file.tell() == 0:
                writer.writerow(["update", "step", "seed", *names, "seconds", *columns])
            seconds = round(time.monotonic() - began, 3)
            steps = state["step"].reshape(-1).tolist()
            if len(steps) != len(seeds):
                raise ValueError(
                    f"csv_log: seeds is {list(seeds)} but the state has {len(steps)} members; pass one seed for each."
                )
            for row, step, *values in zip(rows, steps, *columns.values(), strict=True):
                writer.writerow([updates, step, *row, seconds, *values])
            file.flush()

        yield callback


def _labels(seeds: Sequence[int], varied: Mapping[str, Sequence[float]]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns, beside the seed, that tell members apart, and the seed and these values of each member."""
    for name, values in varied.items():
        if len(values) != len(seeds):
            raise ValueError(
                f"csv_log: {name!r} has {len(values)} values but there are {len(seeds)} seeds; give one of each for "
                "each member."
            )
    return [f"{_HYPER}{name}" for name in varied], list(zip(seeds, *varied.values(), strict=True))


_HYPER = "hyper."


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """The complete rows of a file of `csv_log`, by column; a last row that was cut off is left out."""
    text = Path(path).read_text()
    return list(csv.DictReader(text[: text.rfind("\n") + 1].splitlines()))


@contextlib.contextmanager
def tensorboard_log(directory: str | Path, resume_step: int | None = None) -> Generator[Callback, None, None]:
    """A callback that writes every metric, by environment step, to TensorBoard files in `directory`.

    Of a population it writes the mean of each metric, and each member's "episode_return" and "eval_return".

    Args: resume_step: of a run that continues: what was recorded after this step is hidden.
    Raises: ValueError for a negative step; KeyError, when called, for a state without "step".
    """
    if resume_step is not None:
        check.at_least("tensorboard_log", {"resume_step": resume_step}, 0)
    from torch.utils.tensorboard import SummaryWriter  # lazily: it takes half a second

    writer: Any = SummaryWriter(str(directory), purge_step=None if resume_step is None else resume_step + 1)

    def callback(updates: int, state: TensorDict, metrics: TensorDict) -> None:
        for name, value in _scalars(metrics).items():
            writer.add_scalar(name, value, int(state["step"].max()))

    try:
        yield callback
    finally:
        writer.close()


@contextlib.contextmanager
def wandb_log(
    directory: str | Path, config: Mapping[str, Any] | None = None, project: str | None = None, name: str | None = None
) -> Generator[Callback, None, None]:
    """A callback that sends what `tensorboard_log` writes to Weights & Biases, by environment step.

    W&B's own variables hold: WANDB_MODE=offline keeps all on the disk, to be sent by `wandb sync`; WANDB_PROJECT and
    WANDB_ENTITY say where it goes. A directory whose run was recorded before continues that run; what is done again
    W&B leaves as it was.

    Args: directory: where W&B makes its own, wandb/, which holds the id of the run too. config: of JSON's types, shown
        with the run. project, name: of the run.
    Raises: ImportError without wandb; TypeError for a config that is no mapping.
    Source: https://docs.wandb.ai/ref/python/init/.
    """
    if config is not None and not isinstance(config, Mapping):
        raise TypeError(f"wandb_log: config is a {type(config).__name__} but must be a mapping of names to values.")
    library: Any = require_wandb()
    file = Path(directory) / "wandb" / "run_id"
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        temporary = file.with_name(".tmp-run_id")
        temporary.write_text(secrets.token_hex(8))
        os.replace(temporary, file)
    run = library.init(
        project=project,
        name=name,
        dir=str(directory),
        config=dict(config or {}),
        id=file.read_text(),
        resume="allow",
    )

    def callback(updates: int, state: TensorDict, metrics: TensorDict) -> None:
        run.log(_scalars(metrics), step=int(state["step"].max()))

    try:
        yield callback
    except BaseException:
        run.finish(exit_code=1)  # W&B shows a run that failed
        raise
    run.finish()


def require_wandb() -> ModuleType:
    """The library `wandb`.

    Raises: ImportError where it is not installed.
    """
    try:
        import wandb  # type: ignore[import-not-found]  # lazily: it is optional
    except ImportError as error:
        raise ImportError("wandb_log: wandb is not installed; pip install 'frl[wandb]'.") from error
    return wandb


def _scalars(metrics: TensorDict) -> dict[str, float]:
    """The mean of each metric over the members, and the returns of each of several members."""
    found: dict[str, float] = {}
    for name, values in _columns(metrics).items():
        kind = "evaluation" if name.startswith("eval_") else "training"
        found[f"{kind}/{name}"] = sum(values) / len(values)
        if name in ("episode_return", "eval_return") and len(values) > 1:
            found |= {f"{name}/member_{i}": value for i, value in enumerate(values)}
    return found


def _columns(metrics: TensorDict) -> dict[str, list[float]]:
    """The metrics by dotted name, each with a value for every member."""
    return {name: leaf.reshape(-1).tolist() for name, leaf in tree.named_leaves(metrics)}


@contextlib.contextmanager
def _rewritten(path: Path, rows: list[dict[str, str]]) -> Generator[TextIO, None, None]:
    """A file of these rows, open at its end, which takes the place of `path` at once."""
    temporary = path.with_name(f".tmp-{path.name}")
    with temporary.open("w", newline="") as file:
        if rows:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
            file.flush()
        os.replace(temporary, path)
        yield file
