"""The directory of a run: config.json, metrics.csv, tensorboard/, checkpoints/, result.json and curve.png.

A training with evaluations has evaluations.csv and best/ too, one that is sent to W&B wandb/. A sweep has sweep.png
instead of curve.png.
"""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from frl.cli.errors import UsageError

CONFIG, RESULT, METRICS, EVALUATIONS = "config.json", "result.json", "metrics.csv", "evaluations.csv"
CHECKPOINTS, BEST, SWEEP = "checkpoints", "best", "sweep.png"
_REMEDY = "name one that frl train has made"


def create(out: Path | None, name: str) -> Path:
    """A new run directory: `out`, or one in runs/ with `name` and the time.

    Raises: UsageError if `out` has a run in it, or cannot be made.
    """
    path = out or Path("runs") / f"{name.replace(':', '-').replace('/', '-')}_{time.strftime('%Y%m%d-%H%M%S')}"
    if (path / CONFIG).exists():
        raise UsageError(f"--out: {path} holds a run; continue it by --resume {path}, or choose another directory.")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out: {path} cannot be made: {error.strerror}.") from error
    return path


def read_config(path: Path) -> dict[str, Any]:
    """What `write_json` has left as the configuration of the run in `path`.

    Raises: UsageError if there is no run.
    """
    file = path / CONFIG
    try:
        config = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        reason = "there is none" if isinstance(error, FileNotFoundError) else str(error)
        raise UsageError(f"{path} is no run directory: {CONFIG} could not be read: {reason}; {_REMEDY}.") from error
    if not isinstance(config, dict) or not isinstance(config.get("options"), dict) or "algorithm" not in config:
        raise UsageError(f"{path} is no run directory: {CONFIG} has no algorithm and options; {_REMEDY}.")
    return config


def write_json(file: Path, content: Mapping[str, Any]) -> None:
    """Writes `file` at once: whoever reads it finds the old content or the new."""
    temporary = file.with_name(f".tmp-{file.name}")
    with temporary.open("w") as opened:
        json.dump(content, opened, indent=2)
        opened.write("\n")
        opened.flush()
        os.fsync(opened.fileno())
    os.replace(temporary, file)
