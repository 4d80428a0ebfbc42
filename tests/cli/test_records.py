import contextlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from frl.cli import main
from frl.training.log import read_csv
from tests.cli.tiny import train


def test_metrics_go_where_they_are_asked_to(tmp_path: Path):
    train(tmp_path / "csv", "--log", "csv", "csv")
    train(tmp_path / "tensorboard", "--log", "tensorboard")
    train(tmp_path / "nowhere", "--log")
    left = {run.name: {path.name for path in run.iterdir()} for run in tmp_path.iterdir()}
    always = {"checkpoints", "config.json", "result.json"}
    assert left["csv"] == {*always, "metrics.csv"}
    assert left["tensorboard"] == {*always, "tensorboard"}
    assert left["nowhere"] == always


def test_wandb_is_one_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    given: list[dict[str, Any]] = []
    logged: list[int] = []
    run = SimpleNamespace(log=lambda data, step: logged.append(step), finish=lambda exit_code=None: logged.append(-1))

    def init(**settings: Any) -> SimpleNamespace:
        given.append(settings)
        return run

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=init))
    assert train(tmp_path / "run", "--log", "wandb", "--eval-every", "16") == 0
    assert logged == [8, 16, 16, -1]
    assert (given[0]["name"], given[0]["config"]["algorithm"], given[0]["config"]["num_envs"]) == ("run", "ppo", 2)
    assert main(["train", "ppo", "--resume", str(tmp_path / "run"), "--steps", "24"]) == 0
    assert given[1]["id"] == given[0]["id"]


def test_a_logger_that_is_not_installed_stops_the_command_before_there_is_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert train(tmp_path / "run", "--log", "wandb") == 2
    assert capsys.readouterr().err == "frl: error: wandb_log: wandb is not installed; pip install 'frl[wandb]'.\n"
    assert not (tmp_path / "run").exists()


def test_evaluations_are_written_at_the_updates_that_reach_their_step(tmp_path: Path):
    flags = ["--num-seeds", "2", "--steps", "40", "--eval-every", "9", "--log", "csv"]  # of updates of 8 steps
    train(tmp_path / "run", *flags)
    rows = read_csv(tmp_path / "run" / "evaluations.csv")
    assert list(rows[0]) == ["update", "step", "seed", "seconds", "eval_return", "eval_return_std"]
    assert [(row["update"], row["step"], row["seed"]) for row in rows] == [
        *[("2", "16", "0"), ("2", "16", "1")],
        *[("4", "32", "0"), ("4", "32", "1")],
    ]
    assert all(float(row["eval_return"]) >= 8 for row in rows)


def test_every_evaluation_plays_other_episodes_than_the_one_before_and_the_one_at_the_end(tmp_path: Path):
    """A policy that does not learn differs by its episodes alone."""
    flags = ["--learning-rate", "0", "--steps", "80", "--eval-every", "8", "--eval-episodes", "7", "--log", "csv"]
    train(tmp_path / "run", *flags)
    evaluations = [row["eval_return"] for row in read_csv(tmp_path / "run" / "evaluations.csv")]
    assert len(evaluations) == 10
    assert len(set(evaluations)) > 2


def test_what_is_opened_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    closed: list[object] = []
    original = contextlib.closing

    def closing(thing: Any) -> Any:
        closed.append(thing)
        return original(thing)

    monkeypatch.setattr(contextlib, "closing", closing)
    train(tmp_path / "run", "--env", "gym:CartPole-v1", "--eval-every", "8", "--log")
    assert len(closed) == 2  # the environments of the evaluations during the training, and at its end
