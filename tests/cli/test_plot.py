from pathlib import Path

import pytest

from frl.cli import main
from tests.cli.tiny import train


def test_runs_are_drawn_into_one_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for seed in "01":
        train(tmp_path / seed, "--seed", seed, "--rollout-length", "32", "--steps", "128")
    capsys.readouterr()
    out = tmp_path / "both.png"
    assert main(["plot", str(tmp_path / "0"), str(tmp_path / "1"), "-o", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert out.read_bytes().startswith(b"\x89PNG")
    assert main(["plot", str(tmp_path / "0"), "-o", str(out), "--metric", "profit"]) == 2
    assert "has no column 'profit'" in capsys.readouterr().err


def test_a_sweep_is_drawn_against_what_was_varied_and_its_curves_by_their_metric(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run, out = tmp_path / "run", tmp_path / "a.png"
    train(run, "--vary", "gamma", "0.5,0.9", "--rollout-length", "32", "--steps", "128")
    (run / "sweep.png").unlink()
    for flags in ([], ["--metric", "episode_return"]):
        assert main(["plot", str(run), "-o", str(out), *flags]) == 0
        assert out.read_bytes().startswith(b"\x89PNG")
        out.unlink()
    (run / "result.json").unlink()
    capsys.readouterr()
    assert main(["plot", str(run), "-o", str(out)]) == 2
    assert "has not ended; continue it by --resume, or name a --metric" in capsys.readouterr().err


def test_no_run_and_what_is_no_run_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["plot"]) == 2
    assert main(["plot", str(tmp_path)]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == "frl: error: plot: there is no run; name one or more run directories."
    assert "is no run directory" in second


def test_evaluations_during_the_training_are_drawn_by_their_metric(tmp_path: Path):
    run, out = tmp_path / "run", tmp_path / "c.png"
    train(run, "--eval-every", "8")
    assert main(["plot", str(run), "--metric", "eval_return", "-o", str(out)]) == 0
    assert out.exists()
