from pathlib import Path

import pytest

from frl.cli import main
from tests.cli.tiny import train


def test_a_run_is_evaluated_as_at_the_end_of_its_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    train(tmp_path / "run")
    trained = capsys.readouterr().out.splitlines()[-2:]
    assert main(["eval", str(tmp_path / "run"), "--episodes", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == trained


def test_what_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["eval", str(tmp_path)]) == 2
    assert main(["eval", str(tmp_path), "--episodes", "0"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "is no run directory" in first
    assert second == "frl: error: --episodes is 0 but must be at least 1."


def test_a_run_whose_checkpoints_are_gone_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    train(tmp_path / "run")
    (tmp_path / "run" / "checkpoints").rename(tmp_path / "elsewhere")
    assert main(["eval", str(tmp_path / "run")]) == 2
    assert "holds no checkpoint" in capsys.readouterr().err
