import re
import sys
from pathlib import Path

import pytest
import torch

from frl.cli import main
from frl.training.checkpoint import load_latest
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


ENVIRONMENTS = {
    "ppo": "CartPole-v1",
    "a2c": "CartPole-v1",
    "recurrent_a2c": "CartPole-v1",
    "dqn": "CartPole-v1",
    "ddpg": "Pendulum-v1",
    "td3": "Pendulum-v1",
    "sac": "Pendulum-v1",
}
SHORT = ["--num-envs", "2", "--rollout-length", "4", "--steps", "16", "--eval-episodes", "1", "--compile", "off"]


@pytest.mark.parametrize("prefix", ["", "gym:"])
@pytest.mark.parametrize("algorithm", ENVIRONMENTS)
def test_the_policy_of_every_algorithm_is_filmed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, algorithm: str, prefix: str
):
    frames: list[torch.Tensor] = []
    monkeypatch.setattr(
        sys.modules["frl.training.record"],
        "write_video",
        lambda path, seen, fps: frames.extend(x[::40, ::40] for x in seen),
    )
    run = str(tmp_path / "run")
    less = ["--num-minibatches", "1"] if algorithm == "ppo" else []
    assert main(["train", algorithm, "--env", prefix + ENVIRONMENTS[algorithm], *SHORT, *less, "--out", run]) == 0
    capsys.readouterr()
    assert main(["eval", run, "--episodes", "1", "--video", f"{tmp_path}/a.mp4"]) == 0
    told = re.search(rf"video: {tmp_path}/a.mp4, returns (-?\d+\.\d+)\n", capsys.readouterr().out)
    assert told
    assert len(frames) == (201 if ENVIRONMENTS[algorithm] == "Pendulum-v1" else 1 + float(told[1]))


@pytest.mark.parametrize(("env", "suffix"), [("CartPole-v1", ".mp4"), ("gym:CartPole-v1", ".gif")])
def test_the_video_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str], env: str, suffix: str):
    train(tmp_path / "run", "--env", env)
    video = tmp_path / "videos" / f"a{suffix}"
    assert main(["eval", str(tmp_path / "run"), "--episodes", "1", "--video", str(video), "--video-episodes", "2"]) == 0
    assert re.search(r"video: .*, returns \d+\.\d, \d+\.\d\n", capsys.readouterr().out)
    assert video.stat().st_size > 1000


def test_the_best_policy_is_evaluated_where_one_was_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    run = tmp_path / "run"
    train(run, "--steps", "32", "--eval-every", "8", "--num-seeds", "2", "--log")
    assert f"best: {run}/best" in capsys.readouterr().out
    best = load_latest(run / "best")
    assert main(["eval", str(run), "--checkpoint", "best", "--episodes", "3"]) == 0
    low, high = int(best.state["step"].min()), int(best.state["step"].max())
    title = f"PPO on CartPole-v1, after {low if low == high else f'{low} to {high}'} steps"
    assert capsys.readouterr().out.splitlines()[0] == title


def test_a_run_without_evaluations_has_no_best(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    train(tmp_path / "run")
    assert main(["eval", str(tmp_path / "run"), "--checkpoint", "best"]) == 2
    assert "was trained without --eval-every; take --checkpoint last" in capsys.readouterr().err


def test_a_video_that_cannot_be_made_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    train(tmp_path / "run")
    capsys.readouterr()
    assert main(["eval", str(tmp_path / "run"), "--video", "a.avi"]) == 2
    assert capsys.readouterr().err == "frl: error: write_video: a.avi ends in '.avi' but must end in .mp4 or .gif.\n"
