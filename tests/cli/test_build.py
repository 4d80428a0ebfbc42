import dataclasses
import shutil

import pytest
import torch

from frl.cli import build as cli_build
from frl.cli.build import build, initial_state, or_eager, shards, should_compile
from frl.cli.errors import UsageError
from frl.cli.options import OPTIONS, read_options
from frl.cli.recipes import RECIPES
from frl.envs import ids

SHORT = OPTIONS["ppo"](steps=1_000, num_envs=8, rollout_length=32)
LONG = dataclasses.replace(SHORT, steps=10_000_000)


def test_a_short_training_is_not_compiled_and_a_long_one_is():
    assert should_compile(RECIPES["ppo"], SHORT, pure=True)[0] is False
    assert should_compile(RECIPES["ppo"], LONG, pure=True)[0] is True


def test_many_seeds_make_a_short_training_long():
    assert (
        should_compile(RECIPES["ppo"], dataclasses.replace(SHORT, steps=100_000, num_seeds=1000), pure=True)[0] is True
    )


def test_what_runs_outside_torch_is_not_compiled_by_itself():
    compiled, why = should_compile(RECIPES["ppo"], dataclasses.replace(LONG, env="gym:CartPole-v1"), pure=False)
    assert (compiled, why) == (False, "most of the time goes to gym:CartPole-v1 itself")


def test_without_a_compiler_it_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert should_compile(RECIPES["ppo"], LONG, pure=True) == (False, "there is no C++ compiler")


@pytest.mark.parametrize(("flag", "compiled"), [("on", True), ("off", False)])
def test_the_flag_decides(flag: str, compiled: bool):
    for options in (SHORT, LONG):
        assert should_compile(RECIPES["ppo"], dataclasses.replace(options, compile=flag), pure=False)[0] is compiled


def test_an_unknown_environment_is_named():
    with pytest.raises(UsageError, match="CartPool-v1"):
        build("ppo", dataclasses.replace(SHORT, env="CartPool-v1"))


@pytest.mark.parametrize("env", ids())
def test_every_pure_environment_can_be_trained(env: str):
    options = read_options("ppo", ["--env", env])
    assert initial_state(build("ppo", options), options)["runner", "td"].batch_size == (options.num_envs,)


def test_several_seeds_start_as_each_alone():
    many = dataclasses.replace(SHORT, seed=4, num_seeds=2)
    alone = dataclasses.replace(SHORT, seed=5)
    states = initial_state(build("ppo", many), many)
    state = initial_state(build("ppo", alone), alone)
    assert torch.equal(states["key"][1], state["key"])
    observation = ("runner", "td", "observation")
    assert torch.equal(states[observation][1], state[observation])


def test_a_compilation_that_fails_leaves_eager_mode_and_says_so_once(capsys: pytest.CaptureFixture[str]):
    def compiled(state: str) -> tuple[str, str]:
        raise RuntimeError("C++ compile error\nmany lines")

    step = or_eager(compiled, lambda state: (state, "eager"))
    assert [step("a"), step("b")] == [("a", "eager"), ("b", "eager")]
    assert capsys.readouterr().err == "compile: failed, so this runs in eager mode: C++ compile error\n"


def test_a_compilation_that_succeeds_is_kept():
    step = or_eager(lambda state: (state, "compiled"), lambda state: (state, "eager"))
    assert [step("a"), step("b")] == [("a", "compiled"), ("b", "compiled")]


def test_members_go_together_by_about_eight_unless_they_have_replay_buffers(monkeypatch: pytest.MonkeyPatch):
    chunks: list[int | None] = []

    def population(loop, n, chunk=None):
        chunks.append(chunk)
        return loop

    monkeypatch.setattr(cli_build, "population", population)
    for name, flags in (("ppo", ()), ("ppo", ("--chunk", "2")), ("dqn", ())):
        build(name, read_options(name, ["--num-seeds", "16", *flags]))
    assert chunks == [8, 2, None]


@pytest.mark.parametrize(
    ("flags", "expected"), [((), 1), (("--num-threads", "4"), 4), (("--num-threads", "4", "--chunk", "8"), 2)]
)
def test_members_are_trained_on_as_many_cores_as_there_are_threads_and_whole_chunks(flags, expected):
    assert shards(read_options("ppo", ["--num-seeds", "16", *flags])) == expected


def test_a_hyperparameter_out_of_range_in_one_member_is_named():
    with pytest.raises(UsageError, match=r"ppo: gamma is 1\.5 but must be at most 1"):
        build("ppo", dataclasses.replace(SHORT, vary=(("gamma", "0.9,1.5"),)))


def test_members_start_from_their_own_settings():
    options = dataclasses.replace(SHORT, vary=(("learning-rate", "0.1,0.2"),), num_seeds=2)
    state = initial_state(build("ppo", options), options)
    expected = torch.tensor([0.1, 0.1, 0.2, 0.2])
    assert torch.equal(state["train", "hyper", "learning_rate"], expected)
    assert torch.equal(state["key"][0], state["key"][2])
    assert not torch.equal(state["key"][0], state["key"][1])
