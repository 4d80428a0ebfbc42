"""What the README shows and says is so: its example runs, its commands and its figures are real."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import frl

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
RESULTS = ROOT / "bench" / "results"
COMMANDS = (
    "python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/frl train ppo --env CartPole-v1",
    ".venv/bin/pip install -e '.[test]' && .venv/bin/pytest -n auto",
)


def _example() -> dict[str, Any]:
    """The names that the first Python block defines."""
    source = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert source, "the README shows no Python"
    names: dict[str, Any] = {}
    with torch.random.fork_rng(devices=[]):  # the constructor of a module draws from the global generator
        exec(compile(source.group(1), "README.md", "exec"), names)
    return names


def _learned(names: dict[str, Any]) -> bool:
    """Whether the example made another set of parameters for each of five seeds."""
    leaves = frl.tree.leaves(names["params"])
    return all(x.shape[0] == 5 and len(x.unique(dim=0)) == 5 and bool(x.isfinite().all()) for x in leaves)


def test_the_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frl, "compile", lambda f: f)
    assert _learned(_example())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # of torch's compiler, when it is imported
def test_the_example_runs_compiled() -> None:
    assert _learned(_example())


@pytest.mark.parametrize("command", COMMANDS)
def test_the_two_commands_stand_there_each_on_one_line(command: str) -> None:
    assert command in [line.strip() for line in README.splitlines()]


# ---- figures: rows between <!-- bench:NAME --> and <!-- /bench:NAME --> come from bench/results/NAME.json


def tables(text: str) -> dict[str, str]:
    """What stands between each pair of markers; an opening one without its end fails."""
    found = dict(re.findall(r"<!-- bench:([\w-]+) -->\n(.*?)<!-- /bench:\1 -->", text, re.DOTALL))
    opened = re.findall(r"<!-- bench:([\w-]+) -->", text)
    assert sorted(found) == sorted(opened), f"markers without an end: {set(opened) - set(found)}"
    return found


def unproven(table: str, results: Any) -> list[str]:
    """The numbers of a table that no result, rounded as the table rounds it, gives."""
    return [shown for shown in _shown(table) if not any(_rounds_to(x, shown) for x in _numbers(results))]


def _shown(table: str) -> list[str]:
    """The numbers in the cells; the header names things, and a figure inside a name, `PPO2`, is none."""
    rows = [line for line in table.splitlines() if line.lstrip().startswith("|")]
    return re.findall(r"(?<![\w.])[-−]?\d[\d,]*\.?\d*", "\n".join(rows[2:]))


def _numbers(results: Any) -> list[float]:
    if isinstance(results, dict):
        return [x for key, value in results.items() for x in (*_numbers(value), *_numbers(_number(key)))]
    if isinstance(results, list):
        return [x for value in results for x in _numbers(value)]
    return [float(results)] if isinstance(results, (int, float)) and not isinstance(results, bool) else []


def _number(key: str) -> float | None:
    return float(key) if re.fullmatch(r"-?\d+\.?\d*", key) else None


def _rounds_to(value: float, shown: str) -> bool:
    digits = shown.replace(",", "").replace("−", "-")
    decimals = len(digits.partition(".")[2])
    return any(abs(value / unit - float(digits)) <= 0.5 * 10.0**-decimals + 1e-9 for unit in (1, 1000, 1_000_000))


@pytest.mark.parametrize("name", tables(README) or [None])
def test_every_figure_of_the_readme_stands_in_its_results_file(name: str | None) -> None:
    if name is not None:
        results = json.loads((RESULTS / f"{name}.json").read_text())
        assert not unproven(tables(README)[name], results)


def test_a_figure_without_its_result_is_found() -> None:
    text = "<!-- bench:speed -->\n| envs | steps/s |\n|---|---|\n| 64 | 365k |\n| 4 | 1.5 |\n<!-- /bench:speed -->\n"
    table = tables(text)["speed"]
    assert not unproven(table, {"64": {"frl": 364_821.0}, "4": [1.468, 1.52]})
    assert unproven(table, {"64": {"frl": 371_000.0}, "4": [1.52]}) == ["365"]
