import json
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from frl.cli import main
from frl.envs import ids
from frl.training.checkpoint import load_latest
from frl.training.log import read_csv
from frl.training.serialize import state_hash
from tests.cli.tiny import TINY, train

ROOT = Path(__file__).parent.parent.parent


def result(run: Path) -> dict:
    return json.loads((run / "result.json").read_text())


def test_a_training_ends_with_the_evaluation_and_leaves_its_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run = tmp_path / "run"
    assert train(run, "--print-hash") == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"evaluation: mean return \d+\.\d+ over 2 episodes", lines[-1])
    assert lines[:3] == [
        "PPO on CartPole-v1: seed 0, 16 steps in 2 environments, 2 updates",
        f"run directory: {run}",
        "compile: no: --compile off",
    ]
    assert {path.name for path in run.iterdir()} >= {
        "checkpoints",
        "config.json",
        "metrics.csv",
        "result.json",
        "tensorboard",
    }
    assert [row["step"] for row in read_csv(run / "metrics.csv")] == ["8", "16"]
    digest = state_hash(load_latest(run / "checkpoints").state)
    assert result(run)["state_sha256"] == digest
    assert f"state: sha256 {digest}" in lines


def test_a_learning_curve_is_drawn_once_an_episode_has_ended(tmp_path: Path):
    assert train(tmp_path / "run", "--rollout-length", "32", "--steps", "128") == 0
    assert (tmp_path / "run" / "curve.png").exists()


def test_a_seed_fixes_the_run_and_another_seed_is_another_run(tmp_path: Path):
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        train(tmp_path / name, "--seed", seed)
    a, b, c = (result(tmp_path / name) for name in "abc")
    assert {**a, "seeds": 0} == {**b, "seeds": 0}
    assert a["state_sha256"] != c["state_sha256"]


def test_seeds_trained_at_once_are_the_runs_of_each_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    train(tmp_path / "many", "--seed", "5", "--num-seeds", "2")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[-4:]] == ["seed 5", "seed 6", "over 2 seeds", "evaluation"]
    train(tmp_path / "alone", "--seed", "6")
    many, alone = (load_latest(tmp_path / name / "checkpoints").state for name in ("many", "alone"))
    assert state_hash(many["train"][1] if many["train"].batch_dims else _second(many["train"])) == state_hash(
        alone["train"]
    )
    assert {row["seed"] for row in read_csv(tmp_path / "many" / "metrics.csv")} == {"5", "6"}


def _second(state):
    from frl import tree

    return tree.map(lambda x: x[1], state)


def test_a_resumed_run_is_bitwise_the_uninterrupted_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    train(tmp_path / "whole", "--steps", "32", "--no-anneal")
    train(tmp_path / "halves", "--no-anneal")
    assert main(["train", "ppo", "--resume", str(tmp_path / "halves"), "--steps", "32"]) == 0
    assert "resume: from step 16" in capsys.readouterr().out
    assert result(tmp_path / "halves") == result(tmp_path / "whole")
    both = [
        [{**row, "seconds": ""} for row in read_csv(tmp_path / name / "metrics.csv")] for name in ("halves", "whole")
    ]
    assert both[0] == both[1]


@pytest.mark.parametrize("env", ["CartPole-v1", "gym:CartPole-v1"])
def test_evaluations_during_the_training_leave_it_bitwise_as_it_was(tmp_path: Path, env: str):
    for name, flags in (("plain", ()), ("evaluated", ("--eval-every", "8"))):
        train(tmp_path / name, "--env", env, "--steps", "40", *flags)
    assert result(tmp_path / "evaluated") == result(tmp_path / "plain")
    metrics = [
        [{**row, "seconds": ""} for row in read_csv(tmp_path / name / "metrics.csv")] for name in ("plain", "evaluated")
    ]
    assert metrics[0] == metrics[1]
    assert load_latest(tmp_path / "evaluated" / "best").metadata["eval_return"] >= 8


def test_a_resumed_run_has_the_evaluations_and_the_best_of_the_uninterrupted_one(tmp_path: Path):
    flags = ["--eval-every", "8", "--no-anneal"]
    train(tmp_path / "whole", "--steps", "64", *flags)
    train(tmp_path / "halves", "--steps", "24", *flags)
    assert main(["train", "ppo", "--resume", str(tmp_path / "halves"), "--steps", "64"]) == 0
    _require_same_best(tmp_path / "halves", tmp_path / "whole")


def _require_same_best(run: Path, whole: Path) -> None:
    evaluations = [[{**row, "seconds": ""} for row in read_csv(path / "evaluations.csv")] for path in (run, whole)]
    assert evaluations[0] == evaluations[1]
    found, expected = load_latest(run / "best"), load_latest(whole / "best")
    assert (found.step, found.metadata["eval_return"]) == (expected.step, expected.metadata["eval_return"])
    assert state_hash(found.state) == state_hash(expected.state)


def test_a_run_without_a_checkpoint_is_resumed_from_its_beginning(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    train(tmp_path / "whole")
    train(tmp_path / "killed")
    for path in sorted((tmp_path / "killed" / "checkpoints").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    main(["train", "ppo", "--resume", str(tmp_path / "killed")])
    assert "no checkpoint was saved; starting from the beginning" in capsys.readouterr().out
    assert result(tmp_path / "killed") == result(tmp_path / "whole")


def test_what_decides_the_state_cannot_change_when_a_run_is_resumed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    train(tmp_path / "run")
    assert main(["train", "ppo", "--resume", str(tmp_path / "run"), "--seed", "9"]) == 2
    assert "--seed: the run in" in capsys.readouterr().err
    assert main(["train", "ppo", "--resume", str(tmp_path / "run"), "--gamma", "0.5"]) == 2
    assert "--gamma: the run in" in capsys.readouterr().err


def test_a_run_whose_checkpoints_are_all_corrupt_is_not_resumed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    train(tmp_path / "run")
    for file in (tmp_path / "run" / "checkpoints").rglob("manifest.json"):
        file.write_text("{}")
    assert main(["train", "ppo", "--resume", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("frl: error: checkpoint: ")


def test_a_run_directory_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    train(tmp_path / "run")
    capsys.readouterr()
    assert train(tmp_path / "run") == 2
    error = capsys.readouterr().err
    assert error == (
        f"frl: error: --out: {tmp_path}/run holds a run; continue it by --resume {tmp_path}/run, "
        "or choose another directory.\n"
    )


def test_gymnasium_environments_resume_statistically_and_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    run = tmp_path / "run"
    assert train(run, "--env", "gym:CartPole-v1") == 0
    assert main(["train", "ppo", "--resume", str(run), "--steps", "24"]) == 0
    assert "its episodes start anew, a statistical resume" in capsys.readouterr().out
    assert [row["step"] for row in read_csv(run / "metrics.csv")] == ["8", "16", "24"]


@pytest.mark.parametrize("env", ids())
def test_every_pure_environment_is_trained(tmp_path: Path, env: str):
    assert train(tmp_path / "run", "--env", env) == 0


def test_ctrl_c_leaves_a_checkpoint_from_which_the_run_continues(tmp_path: Path):
    run = tmp_path / "run"
    command = [sys.executable, "-m", "frl.cli", "train", "ppo", *TINY, "--steps", "1000000", "--out", str(run)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_for(run / "metrics.csv", process)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in error
    assert f"continue by: frl train ppo --resume {run}" in error
    found = load_latest(run / "checkpoints")
    assert found.step == int(found.state["step"]) > 0


def test_killed_at_random_moments_a_run_ends_bitwise_as_the_uninterrupted_one(tmp_path: Path):
    """`bench/kill_resume.py` does this at full size, with a fresh interpreter each time."""
    flags = ["--steps", "160", "--checkpoint-every", "1", "--num-threads", "1", "--eval-every", "16"]
    train(tmp_path / "whole", *flags)
    run, generator = tmp_path / "killed", random.Random(0)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["frl.cli.train", "torch.utils.tensorboard"])
    arguments = ["train", "ppo", *TINY, *flags, "--out", str(run)]
    for _ in range(3):
        child = context.Process(target=main, args=(arguments,))
        before = set(run.glob("checkpoints/*"))
        child.start()
        while set(run.glob("checkpoints/*")) <= before:
            assert child.is_alive()
            time.sleep(0.001)
        time.sleep(generator.uniform(0, 0.1))
        child.kill()
        child.join()
        arguments = ["train", "ppo", "--resume", str(run)]
    assert main(arguments) == 0
    assert result(run) == result(tmp_path / "whole")
    _require_same_best(run, tmp_path / "whole")


def wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    while not file.exists() or os.stat(file).st_size == 0:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
