import dataclasses
import json

import pytest

from frl.algorithms import PPOConfig
from frl.cli.errors import UsageError
from frl.cli.options import OPTIONS, command_line, from_json, read_options, to_json
from frl.training.presets import preset

PPOOptions = OPTIONS["ppo"]


def test_defaults_are_the_preset_of_the_environment():
    options = read_options("ppo", ["--env", "Pendulum-v1"])
    chosen = preset("ppo", "Pendulum-v1")
    assert (options.steps, options.num_envs, options.config) == (chosen.steps, chosen.num_envs, chosen.config)


@pytest.mark.parametrize("arguments", [["--env=Pendulum-v1"], ["--seed", "1", "--env", "Pendulum-v1"]])
def test_the_environment_is_found_wherever_it_is_named(arguments: list[str]):
    assert read_options("ppo", arguments).config == preset("ppo", "Pendulum-v1").config


def test_hyperparameters_are_flags():
    options = read_options("ppo", ["--learning-rate", "0.01", "--lambda_", "0.5", "--num-epochs", "2"])
    assert (options.config.learning_rate, options.config.lambda_, options.config.num_epochs) == (0.01, 0.5, 2)


def test_steps_are_rounded_up_to_whole_updates():
    assert PPOOptions(steps=100, num_envs=3, rollout_length=8).num_updates == 5


def test_evaluations_come_after_whole_updates():
    base = PPOOptions(num_envs=3, rollout_length=8)
    found = [dataclasses.replace(base, eval_every=n).updates_per_evaluation for n in (0, 1, 24, 25)]
    assert found == [0, 1, 1, 2]


def test_seeds_count_up_from_the_first():
    assert list(PPOOptions(seed=5, num_seeds=3).seeds) == [5, 6, 7]


def test_members_are_the_options_of_each_run_alone():
    options = read_options("ppo", ["--vary", "gamma", "0.9,0.95", "--seed", "4", "--num-seeds", "2", "--steps", "999"])
    expected = [
        read_options("ppo", ["--gamma", gamma, "--seed", seed, "--steps", "999"])
        for gamma in ("0.9", "0.95")
        for seed in ("4", "5")
    ]
    assert list(options.members) == expected
    assert options.varied == {"gamma": [0.9, 0.9, 0.95, 0.95]}
    assert list(expected[0].members) == [expected[0]]


def test_the_command_line_of_options_reads_as_these():
    flags = ["--env", "Pendulum-v1", "--log", "csv", "--no-anneal", "--lambda_", "0.5", "--vary", "gamma", "0.9,0.95"]
    options = read_options("ppo", [*flags, "--eval-every", "100"])
    command = command_line("ppo", options).split()
    assert command[:3] == ["frl", "train", "ppo"]
    assert read_options("ppo", command[3:]) == options


def test_the_learning_rate_is_annealed_over_the_whole_training_unless_told_otherwise():
    base = PPOOptions(steps=80, num_envs=2, rollout_length=4, config=PPOConfig())
    assert base.hyperparameters().anneal_updates == 10.0
    assert from_json("ppo", {**to_json(base), "anneal": False}).hyperparameters().anneal_updates == 0.0
    chosen = from_json("ppo", {**to_json(base), "config": PPOConfig(anneal_updates=3.0)._asdict()})
    assert chosen.hyperparameters().anneal_updates == 3.0


def test_options_survive_json():
    options = PPOOptions(
        env="gym:X-v0",
        seed=2,
        vary=(("gamma", "0.5"), ("clip", "0.1,0.2")),
        config=PPOConfig(learning_rate=0.1),
        log=("wandb", "csv"),
    )
    assert from_json("ppo", json.loads(json.dumps(to_json(options)))) == options


def test_options_of_another_version_are_named():
    with pytest.raises(UsageError, match="surprise"):
        from_json("ppo", {**to_json(PPOOptions()), "surprise": 1})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "0"], "--steps is 0 but must be at least 1"),
        (["--num-seeds", "0"], "--num-seeds is 0 but must be at least 1"),
        (["--num-epochs", "0"], "--num-epochs is 0 but must be at least 1"),
        (["--checkpoint-every", "-1"], "--checkpoint-every is -1 but must be at least 1"),
        (
            ["--num-envs", "3", "--rollout-length", "5", "--num-minibatches", "4"],
            "does not divide the 15 steps of an update",
        ),
        (
            ["--env", "gym:CartPole-v1", "--num-seeds", "2"],
            "--num-seeds trains pure environments only, not gym:CartPole-v1",
        ),
        (["--eval-every", "-1"], "--eval-every is -1 but must be at least 0"),
        (["--log", "paper"], "--log"),
        (["--env"], "argument --env: expected one argument"),
        (["--resume", "/nowhere"], "/nowhere is no run directory"),
    ],
)
def test_a_value_out_of_range_is_named(arguments: list[str], message: str):
    with pytest.raises(UsageError, match=message):
        read_options("ppo", arguments)
