import json
from pathlib import Path

import pytest
import torch

import frl
from frl.algorithms import actor_critic, ppo
from frl.cli import main
from frl.training.checkpoint import load_latest
from frl.training.serialize import state_hash
from tests.cli.tiny import train


def test_a_member_goes_on_as_the_run_of_its_seed_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    train(tmp_path / "many", "--num-seeds", "3", "--no-anneal", "--log")
    train(tmp_path / "alone", "--seed", "2", "--no-anneal", "--steps", "32", "--log")
    capsys.readouterr()
    assert main(["export", str(tmp_path / "many"), "--member", "2", "-o", str(tmp_path / "one")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'one'}\n"
    assert main(["train", "ppo", "--resume", str(tmp_path / "one"), "--steps", "32"]) == 0
    results = [json.loads((tmp_path / name / "result.json").read_text()) for name in ("one", "alone")]
    assert results[0] == results[1]


def test_a_policy_is_saved_alone_and_acts(tmp_path: Path):
    train(tmp_path / "many", "--num-seeds", "2", "--log")
    file = tmp_path / "policy.safetensors"
    assert main(["export", str(tmp_path / "many"), "--member", "1", "-o", str(file)]) == 0
    saved = frl.TensorDict.load(file)
    assert state_hash(saved["params"]) == state_hash(
        frl.training.member(load_latest(tmp_path / "many" / "checkpoints").state, 1)["train", "params"]
    )
    env = frl.envs.make("CartPole-v1", 5)
    algorithm = ppo(actor_critic(env.single_observation_spec, env.single_action_spec))
    returns = frl.training.evaluate(env, algorithm.act, saved, frl.random.key(0), 5)
    assert bool((returns >= 8).all())
    assert returns.dtype == torch.float32


def test_a_member_is_evaluated_as_with_all_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    train(tmp_path, "--num-seeds", "2", "--log")
    capsys.readouterr()
    assert main(["eval", str(tmp_path), "--episodes", "3"]) == 0
    together = capsys.readouterr().out.splitlines()
    assert main(["eval", str(tmp_path), "--episodes", "3", "--member", "1"]) == 0
    alone = capsys.readouterr().out.splitlines()
    assert [line for line in together if line.startswith("seed 1:")] == [line for line in alone if "seed 1:" in line]


def test_a_population_is_exported_by_one_member_at_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    train(tmp_path / "many", "--num-seeds", "2", "--log")
    run = str(tmp_path / "many")
    for flags, message in (
        (["-o", f"{tmp_path}/one"], "has 2 members; name one by --member, from 0 to 1."),
        (["-o", f"{tmp_path}/one", "--member", "2"], "--member is 2 but"),
        (["-o", run, "--member", "0"], "holds a run"),
        (["-o", f"{tmp_path}/none/a.safetensors", "--member", "0"], "none"),
        (["--member", "0"], "--out"),
    ):
        assert main(["export", run, *flags]) == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith("frl: error: ")
        assert message in error
