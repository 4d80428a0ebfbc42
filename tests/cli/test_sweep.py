"""`frl sweep`: a training with more members."""

import json
import shlex
from pathlib import Path

import pytest

from frl.cli import main
from frl.cli.options import read_options
from frl.training import member
from frl.training.checkpoint import load_latest
from frl.training.log import read_csv
from frl.training.serialize import state_hash
from tests.cli.tiny import TINY, train

VARY = ["--vary", "learning-rate", "log:1e-3:1e-1:2", "--vary", "gamma", "0.5,0.9"]


def sweep(out: Path, *flags: str) -> int:
    return main(["sweep", "ppo", *TINY, "--out", str(out), *flags])


def result(run: Path) -> dict:
    return json.loads((run / "result.json").read_text())


def last(run: Path):
    return load_latest(run / "checkpoints").state


def test_every_member_is_bitwise_the_run_of_its_hyperparameters_alone(tmp_path: Path):
    sweep(tmp_path / "sweep", *VARY, "--num-seeds", "2", "--seed", "3")
    train(tmp_path / "alone", "--learning-rate", "0.1", "--gamma", "0.5", "--seed", "4")
    assert state_hash(member(last(tmp_path / "sweep"), 5)) == state_hash(last(tmp_path / "alone"))
    found, alone = result(tmp_path / "sweep"), result(tmp_path / "alone")
    assert found["evaluation_returns"][5] == alone["evaluation_returns"][0]
    assert float(load_latest(tmp_path / "sweep" / "checkpoints").state["train", "hyper", "anneal_updates"][5]) == 2.0


def test_the_result_has_each_members_hyperparameters_seed_and_returns(tmp_path: Path):
    sweep(tmp_path, *VARY, "--num-seeds", "2")
    found = result(tmp_path)
    assert found["hyperparameters"] == {
        "learning_rate": [0.001] * 4 + [0.1] * 4,
        "gamma": [0.5, 0.5, 0.9, 0.9] * 2,
    }
    assert found["seeds"] == [0, 1] * 4
    assert [len(returns) for returns in found["evaluation_returns"]] == [2] * 8
    assert (tmp_path / "sweep.png").read_bytes().startswith(b"\x89PNG")


def test_the_metrics_of_each_member_have_its_hyperparameters(tmp_path: Path):
    sweep(tmp_path, *VARY)
    rows = read_csv(tmp_path / "metrics.csv")
    assert len(rows) == 2 * 4
    assert [(row["hyper.learning_rate"], row["hyper.gamma"]) for row in rows[:4]] == [
        *[("0.001", "0.5"), ("0.001", "0.9")],
        *[("0.1", "0.5"), ("0.1", "0.9")],
    ]


def test_the_best_is_the_command_that_trains_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    sweep(tmp_path, *VARY, "--num-seeds", "2", "--no-anneal")
    lines = capsys.readouterr().out.splitlines()
    found = result(tmp_path)
    assert f": {found['command']}" in next(
        line for line in lines if line.startswith("best of the sweep: learning rate")
    )
    assert len([line for line in lines if " over 2 seeds: mean " in line]) == 4
    frl, command, algorithm, *flags = shlex.split(found["command"])
    assert (frl, command, algorithm) == ("frl", "train", "ppo")
    options = read_options("ppo", flags)
    swept = read_options("ppo", [*TINY, *VARY, "--num-seeds", "2", "--no-anneal"])
    assert {name: getattr(options.config, name) for name in ("learning_rate", "gamma")} == found["best"]
    assert (options.num_seeds, options.vary, options.anneal) == (2, (), False)
    assert options.members[0] in swept.members
    means = [sum(returns) / len(returns) for returns in found["evaluation_returns"]]
    pairs = [(means[i] + means[i + 1]) / 2 for i in range(0, 8, 2)]
    first = pairs.index(max(pairs))
    assert found["best"] == {name: values[2 * first] for name, values in found["hyperparameters"].items()}


def test_a_resumed_sweep_is_bitwise_the_uninterrupted_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    sweep(tmp_path / "whole", *VARY, "--steps", "32", "--no-anneal")
    sweep(tmp_path / "halves", *VARY, "--no-anneal")
    assert main(["sweep", "ppo", "--resume", str(tmp_path / "halves"), "--steps", "32"]) == 0
    assert "resume: from step 16" in capsys.readouterr().out
    whole, halves = result(tmp_path / "whole"), result(tmp_path / "halves")
    assert {**halves, "command": ""} == {**whole, "command": ""}
    assert main(["sweep", "ppo", "--resume", str(tmp_path / "halves"), "--vary", "clip", "0.1"]) == 2
    assert "--vary: the run in" in capsys.readouterr().err


def test_values_with_one_seed_of_an_algorithm_with_replay(tmp_path: Path):
    flags = ["--num-envs", "2", "--rollout-length", "4", "--steps", "16", "--warmup", "0", "--updates-per-rollout", "1"]
    flags += ["--eval-episodes", "1", "--compile", "off", "--env", "Pendulum-v1"]
    assert main(["sweep", "sac", *flags, "--vary", "alpha", "0.1,1", "--out", str(tmp_path)]) == 0
    state = last(tmp_path)
    assert float(state["train", "params", "log_alpha"][0]) < -1 < float(state["train", "params", "log_alpha"][1])


def test_one_value_is_one_run(tmp_path: Path):
    sweep(tmp_path / "sweep", "--vary", "gamma", "0.5")
    train(tmp_path / "alone", "--gamma", "0.5")
    assert result(tmp_path / "sweep")["state_sha256"] == result(tmp_path / "alone")["state_sha256"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "sweep: nothing varies; name a hyperparameter and its values"),
        (["--vary", "gamma"], "--vary"),
        (["--vary", "gamma", "0.9,1.1"], "ppo: gamma is 1.1 but must be at most 1."),
        (["--vary", "clip", "linear:0:1:3"], "ppo: clip is 0.0 but must be above 0."),
        (["--vary", "num-envs", "1,2"], "there is no hyperparameter 'num-envs'; there are: learning-rate"),
        (["--vary", "num-minibatches", "1,2"], "members cannot differ in num-minibatches"),
        (["--vary", "gamma", "log:2:1:3"], "the lowest value is 2 but must be below 1"),
        (["--vary", "gamma", "0.5,0.9", "--num-seeds", "0"], "--num-seeds is 0 but must be at least 1."),
        (["--vary", "gamma", "0.5,0.9", "--env", "gym:CartPole-v1"], "--vary trains pure environments only"),
        (["--vary", "gamma", "0.5,0.9", "--chunk", "3"], "--chunk is 3, which does not divide the 2 members"),
        (["--vary", "gamma", "0.5,0.9", "--chunk", "-1"], "--chunk is -1 but must be at least 0."),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_two(
    tmp_path: Path, flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    assert sweep(tmp_path / "run", *flags) == 2
    error = capsys.readouterr().err
    assert error.startswith("frl: error: ")
    assert error.count("\n") == 1
    assert message in error
    assert not (tmp_path / "run").exists()


def test_replay_buffers_are_not_chunked(capsys: pytest.CaptureFixture[str]):
    assert main(["sweep", "dqn", "--vary", "gamma", "0.5,0.9", "--chunk", "1"]) == 2
    assert "--chunk would copy the replay buffers" in capsys.readouterr().err
