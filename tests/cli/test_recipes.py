"""Each algorithm of the command line, put together and run for two updates."""

import dataclasses
import json
from pathlib import Path

import pytest

from frl import random
from frl.algorithms import actor_q, ddpg, explored_by
from frl.cli import ALGORITHMS, main, recipes
from frl.cli.build import build, initial_state
from frl.cli.options import ENVIRONMENTS, OPTIONS, read_options
from frl.cli.recipes import RECIPES
from frl.cli.vary import numbers
from frl.collectors import collect, start
from frl.envs import make
from frl.training import assemble, member, population, state_hash
from frl.training.checkpoint import load_latest
from frl.training.presets import DEFAULTS, PRESETS

PENDULUM = make("Pendulum-v1", 500)
TORQUES = ddpg(actor_q(PENDULUM.single_observation_spec, PENDULUM.single_action_spec, (4,)))
REPLAY = ["--capacity", "64", "--batch-size", "4", "--updates-per-rollout", "2", "--warmup", "8"]
OFF_POLICY = ["dqn", "bootstrapped_dqn", "ddpg", "td3", "sac", "redq"]
RECURRENT = ["recurrent_ppo", "recurrent_a2c"]
OTHERS = [*OFF_POLICY, *RECURRENT, "a2c", "reinforce", "ppo_penalty"]  # than PPO, which test_train.py trains


def test_every_algorithm_has_options_a_recipe_and_presets():
    assert set(ALGORITHMS) == set(RECIPES) == set(OPTIONS) == set(ENVIRONMENTS) == set(DEFAULTS) == set(PRESETS)


def tiny(name: str, out: Path, *flags: str) -> int:
    sizes = ["--num-envs", "2", "--rollout-length", "4", "--steps", "16", "--eval-episodes", "2", "--compile", "off"]
    sizes += ["--no-anneal"]  # which depends on the number of steps
    sizes += ["--num-minibatches", "1"] if name == "recurrent_ppo" else []
    replay = REPLAY if name in OFF_POLICY else []
    return main(["train", name, *sizes, *replay, "--out", str(out), *flags])


@pytest.mark.parametrize("name", OTHERS)
def test_it_trains_evaluates_and_resumes_bitwise(name: str, tmp_path: Path):
    assert tiny(name, tmp_path / "whole", "--steps", "32") == 0
    assert tiny(name, tmp_path / "part") == 0
    assert main(["train", name, "--resume", str(tmp_path / "part"), "--steps", "32"]) == 0
    whole, part = (json.loads((tmp_path / run / "result.json").read_text()) for run in ("whole", "part"))
    assert whole["state_sha256"] == part["state_sha256"]
    assert main(["eval", str(tmp_path / "part"), "--episodes", "2"]) == 0


@pytest.mark.parametrize("name", OTHERS)
def test_several_seeds_are_trained_at_once(name: str, tmp_path: Path):
    assert tiny(name, tmp_path / "run", "--num-seeds", "2") == 0
    assert len(json.loads((tmp_path / "run" / "result.json").read_text())["evaluation_returns"]) == 2


@pytest.mark.parametrize("env", ["MemoryChain-v0", "gym:CartPole-v1", "gym:Pendulum-v1"])
def test_a_policy_with_a_memory_carries_it_on_in_evaluations_during_the_training_too(env: str, tmp_path: Path):
    flags = ["--env", env, "--hidden-size", "5", "--eval-every", "8"]
    assert tiny("recurrent_ppo", tmp_path / "run", *flags) == 0
    assert main(["eval", str(tmp_path / "run"), "--checkpoint", "best", "--episodes", "2"]) == 0
    state = load_latest(tmp_path / "run" / "checkpoints").state
    for name in ("actor_state", "critic_state"):
        assert state["runner", "td", name].shape == (2, 1, 5)


def test_another_size_of_the_memory_does_not_resume_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    tiny("recurrent_a2c", tmp_path / "run", "--hidden-size", "5")
    capsys.readouterr()
    assert main(["train", "recurrent_a2c", "--resume", str(tmp_path / "run"), "--hidden-size", "6"]) == 2
    assert "--hidden-size: the run in" in capsys.readouterr().err


def test_sac_explores_by_correlated_noise_and_resumes_bitwise(tmp_path: Path):
    flags = ["--env", "MountainCarContinuous-v0", "--noise", "0.5"]
    assert tiny("sac", tmp_path / "whole", *flags, "--steps", "32") == 0
    assert tiny("sac", tmp_path / "part", *flags) == 0
    assert main(["train", "sac", "--resume", str(tmp_path / "part"), "--steps", "32"]) == 0
    whole, part = (json.loads((tmp_path / run / "result.json").read_text()) for run in ("whole", "part"))
    assert whole["state_sha256"] == part["state_sha256"]


@pytest.mark.parametrize(
    ("name", "flags"),
    [("sac", ["--env", "gym:Pendulum-v1", "--noise", "0.5"]), ("bootstrapped_dqn", ["--env", "gym:CartPole-v1"])],
)
def test_what_is_carried_through_gymnasiums_episodes_begins_anew_when_a_run_goes_on(
    name: str, flags: list[str], tmp_path: Path
):
    assert tiny(name, tmp_path / "run", *flags) == 0
    assert main(["train", name, "--resume", str(tmp_path / "run"), "--steps", "32"]) == 0


def test_noise_on_choices_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert tiny("sac", tmp_path / "run", "--env", "CartPole-v1", "--noise", "0.5") == 2
    assert "--noise is 0.5, which is added to continuous actions; leave it out" in capsys.readouterr().err


def test_noise_is_of_the_deviation_that_is_asked_for():
    process = recipes._process(PENDULUM, 0.5)
    env, algorithm = recipes._carrying(PENDULUM, process), explored_by(TORQUES, process)
    train = TORQUES.init(random.key(0))
    batch = collect(env, algorithm.act, train, start(env, random.key(1)), random.key(2), 40)[1]
    assert abs(batch["next", "ou_noise"][:, 30:].std().item() - 1.0) < 0.1  # torques in [-2, 2]


def test_dqn_trains_on_gymnasiums_own_environment(tmp_path: Path):
    assert tiny("dqn", tmp_path / "run", "--env", "gym:CartPole-v1") == 0


def test_another_algorithm_does_not_resume_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    tiny("dqn", tmp_path / "run")
    capsys.readouterr()
    assert main(["train", "ppo", "--resume", str(tmp_path / "run")]) == 2
    assert "holds a run of dqn, not of ppo; continue it by frl train dqn --resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--batch-size", "0"], "--batch-size is 0 but must be at least 1"),
        (["--warmup", "-1"], "--warmup is -1 but must be at least 0"),
        (["--noise", "-1"], "--noise is -1.0 but must be at least 0"),
    ],
)
def test_a_number_out_of_range_is_named(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]):
    assert main(["train", "sac", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_minibatches_that_do_not_divide_are_named_for_every_algorithm_that_has_some(
    capsys: pytest.CaptureFixture[str],
):
    assert main(["train", "ppo_penalty", "--num-minibatches", "3", "--num-envs", "4", "--rollout-length", "4"]) == 2
    assert "--num-minibatches is 3, which does not divide the 16 steps" in capsys.readouterr().err
    assert main(["train", "recurrent_ppo", "--num-minibatches", "8", "--num-envs", "4"]) == 2
    assert "--num-minibatches is 8, which does not divide the 4 sequences" in capsys.readouterr().err


def test_a_memory_of_no_size_is_refused(capsys: pytest.CaptureFixture[str]):
    assert main(["train", "recurrent_a2c", "--hidden-size", "0"]) == 2
    assert "--hidden-size is 0 but must be at least 1" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "steps", "samples"), [("ppo", 6, 16), ("a2c", 1, 32), ("dqn", 5, 7)])
def test_a_recipe_knows_how_much_is_learnt_from_how_many_steps(name: str, steps: int, samples: int):
    flags = {"ppo": ["--num-epochs", "3", "--num-minibatches", "2"], "a2c": []}
    flags["dqn"] = ["--updates-per-rollout", "5", "--batch-size", "7"]
    options = read_options(name, ["--num-envs", "4", "--rollout-length", "8", *flags[name]])
    assert (RECIPES[name].gradient_steps(options), RECIPES[name].samples(options)) == (steps, samples)


def test_a_learning_rate_is_annealed_over_all_gradient_steps():
    options = read_options(
        "dqn", ["--anneal", "--steps", "1024", "--updates-per-rollout", "10", "--rollout-length", "16"]
    )
    assert options.hyperparameters().anneal_updates == 1024 / (8 * 16) * 10


PERIODS = ("anneal_updates", "epsilon_updates", "target_period", "policy_period")


def other(name: str, value: float | None) -> float:
    """Another value of a setting, in its range."""
    if value is None:
        return -0.5
    return value + 1.0 if name in PERIODS else 0.5 * value


@pytest.mark.parametrize("name", ALGORITHMS)
def test_members_may_differ_in_every_number_and_are_the_runs_configured_so(name: str):
    """The step that members share is the first one's: what it takes from its settings and not from the state shows."""
    preset = OPTIONS[name]()
    replay = "replay" in vars(preset)
    flags = ["--env", ENVIRONMENTS[name], "--num-envs", "2", "--rollout-length", "4", "--steps", "8", "--no-anneal"]
    flags += ["--updates-per-rollout", "3", "--warmup", "0", "--batch-size", "4", "--capacity", "64"] if replay else []
    flags += ["--num-minibatches", "2"] if hasattr(preset.config, "num_minibatches") else []
    first = read_options(name, flags)
    config = {number: other(number, getattr(first.config, number)) for number in numbers(first.config)}
    second = dataclasses.replace(first, config=first.config._replace(**config))
    one, two = build(name, first), build(name, second)
    states = assemble([initial_state(one, first), initial_state(two, second)])
    alone, many = initial_state(two, second), population(one.loop, 2)
    for _ in range(2):
        states, _ = many.step(states)
        alone, _ = two.loop.step(alone)
    assert len(config) >= 5
    assert state_hash(member(states, 1)) == state_hash(alone)
