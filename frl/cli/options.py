"""The options of `frl train ppo`, and how they are kept with a run."""

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from frl.algorithms import PPOConfig
from frl.cli.errors import UsageError, usage_errors
from frl.cli.flags import parse
from frl.cli.run_directory import read_config
from frl.training.presets import preset

PROG = "frl train ppo"


@dataclasses.dataclass(frozen=True)
class Options:
    """Trains PPO and evaluates the last policy; leaves records, checkpoints and a learning curve in a run directory."""

    env: str = "CartPole-v1"
    """Environment: one of `frl envs`, or gym:ID for Gymnasium's own."""
    steps: int = 100_000
    """Environment steps in all, for each seed; rounded up to whole updates."""
    seed: int = 0
    """The seed of everything."""
    num_seeds: int = 1
    """Trains the seeds SEED, SEED + 1, … at once."""
    num_envs: int = 8
    """Environments stepped together."""
    rollout_length: int = 128
    """Steps of each environment between two updates."""
    anneal: bool = True
    """The learning rate falls linearly to zero over the training, unless --anneal-updates says when."""
    compile: Literal["auto", "on", "off"] = "auto"
    """Whether the training step is compiled; auto compiles where that ends sooner."""
    num_threads: int = 1
    """Threads of torch; 0 leaves its own choice. Small networks gain little from more, and lose much on a busy machine.
    Results are bitwise equal for one number of threads."""
    eval_episodes: int = 100
    """Episodes of the evaluation."""
    checkpoint_every: int = 20
    """Updates between two checkpoints; one more is left at the end and after Ctrl-C."""
    out: Path | None = None
    """The run directory; by default a new one in runs/."""
    resume: Path | None = None
    """Continues the run in this directory, with its options, from its newest valid checkpoint."""
    print_hash: bool = False
    """Prints the SHA-256 of the final state."""
    ppo: PPOConfig = dataclasses.field(default_factory=PPOConfig)

    @property
    def num_updates(self) -> int:
        """Updates of the whole training."""
        return -(-self.steps // (self.num_envs * self.rollout_length))

    @property
    def seeds(self) -> range:
        """The seeds that are trained at once."""
        return range(self.seed, self.seed + self.num_seeds)

    def hyperparameters(self) -> PPOConfig:
        """PPO's, with the annealing over the whole training if that is wanted."""
        wanted = self.anneal and not self.ppo.anneal_updates
        return self.ppo._replace(anneal_updates=float(self.num_updates)) if wanted else self.ppo


# What may change when a run is resumed: it does not decide what the state is.
CHANGEABLE = ("steps", "compile", "num_threads", "eval_episodes", "checkpoint_every", "out", "resume", "print_hash")


def read_options(arguments: Sequence[str]) -> Options:
    """The options of a command line. Defaults are the environment's preset, or those of the run that is resumed.

    Raises: UsageError for what cannot be parsed, is out of range, or cannot change in a run that is resumed.
    """
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    early.add_argument("--env", default="CartPole-v1")
    early.add_argument("--resume", type=Path)
    with usage_errors(argparse.ArgumentError):
        known, _ = early.parse_known_args(list(arguments))
    default = _of_environment(known.env) if known.resume is None else from_json(read_config(known.resume)["options"])
    options = parse(Options, arguments, PROG, default)
    _check(options)
    if options.resume is not None:
        _check_unchanged(default, options)
    return options


def _check_unchanged(before: Options, now: Options) -> None:
    for field in dataclasses.fields(Options):
        old, new = getattr(before, field.name), getattr(now, field.name)
        if old != new and field.name not in CHANGEABLE:
            raise UsageError(
                f"--{field.name.replace('_', '-')}: the run in {now.resume} has {old}, which --resume cannot change to "
                f"{new}; leave the flag out, or start a new run."
            )


def to_json(options: Options) -> dict[str, Any]:
    """The options as JSON's types; `from_json` reads them."""
    found = dataclasses.asdict(options)
    paths = {name: str(value) for name, value in found.items() if isinstance(value, Path)}
    return {**found, **paths, "ppo": options.ppo._asdict()}


def from_json(found: Mapping[str, Any]) -> Options:
    """The options that `to_json` wrote.

    >>> import json
    >>> from_json(json.loads(json.dumps(to_json(Options(seed=3))))) == Options(seed=3)
    True
    """
    with usage_errors(TypeError):
        values: dict[str, Any] = {**found, "out": None, "resume": None, "ppo": PPOConfig(**found["ppo"])}
        return Options(**values)


def _of_environment(env: str) -> Options:
    values = preset(env)
    return Options(
        env=env,
        steps=values.steps,
        num_envs=values.num_envs,
        rollout_length=values.rollout_length,
        anneal=values.anneal,
        ppo=values.ppo,
    )


def _check(options: Options) -> None:
    for name in ("steps", "num_seeds", "num_envs", "rollout_length", "eval_episodes", "checkpoint_every"):
        if getattr(options, name) < 1:
            raise UsageError(f"--{name.replace('_', '-')} is {getattr(options, name)} but must be at least 1.")
    for name in ("num_epochs", "num_minibatches"):
        if getattr(options.ppo, name) < 1:
            raise UsageError(f"--{name.replace('_', '-')} is {getattr(options.ppo, name)} but must be at least 1.")
    size = options.num_envs * options.rollout_length
    if size % options.ppo.num_minibatches:
        raise UsageError(
            f"--num-minibatches is {options.ppo.num_minibatches}, which does not divide the {size} steps of an update "
            f"(--num-envs {options.num_envs} × --rollout-length {options.rollout_length})."
        )
    if options.num_seeds > 1 and options.env.startswith("gym:"):
        raise UsageError(f"--num-seeds trains pure environments only, not {options.env}; run each seed by itself.")
    if options.out is not None and options.resume is not None:
        raise UsageError("--out and --resume cannot both be given; a run continues where it is.")
