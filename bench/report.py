"""The spread of a figure, where it was measured, and the file that keeps it."""

import json
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch


def machine() -> dict[str, Any]:
    """The processor, the threads and the versions that a figure depends on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    return {
        "cpu": cpu,
        "cores": len([line for line in lines if line.startswith("processor")]),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def quartiles(values: Sequence[float], digits: int | None = None) -> dict[str, Any]:
    """The median of several measurements, and the quartiles around it; by default rounded to integers."""
    low, median, high = (round(x, digits) for x in statistics.quantiles(values, n=4))
    return {"median": median, "quartiles": [low, high]}


def read(name: str) -> dict[str, Any]:
    """What bench/results/<name>.json holds; nothing if there is none yet."""
    path = Path(__file__).parent / "results" / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def write(name: str, result: dict[str, Any]) -> None:
    """Keeps `result` as bench/results/<name>.json."""
    path = Path(__file__).parent / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")
