"""The options of `frl train ALGORITHM`, and how they are kept with a run."""

import argparse
import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from frl.cli.errors import UsageError, require_at_least, usage_errors
from frl.cli.flags import Repeated, parse
from frl.cli.run_directory import read_config
from frl.cli.vary import axes, combinations, flag
from frl.training.presets import DEFAULTS, Config, Memory, Preset, Replay, preset

Logger = Literal["csv", "tensorboard", "wandb"]


@dataclasses.dataclass(frozen=True)
class Options:
    """What all algorithms have in common; each adds its hyperparameters as `config`, and `replay` if it has one."""

    env: str = "CartPole-v1"
    """Environment: one of `frl envs`, or gym:ID for Gymnasium's own."""
    steps: int = 100_000
    """Environment steps in all, for each seed; rounded up to whole updates."""
    seed: int = 0
    """The seed of everything."""
    num_seeds: int = 1
    """Trains the seeds SEED, SEED + 1, … at once."""
    vary: Repeated[tuple[tuple[str, str], ...]] = ()
    """Trains several values of a hyperparameter at once, each with all seeds: log:LOW:HIGH:COUNT, linear:LOW:HIGH:COUNT
    or values with commas between. Given more than once, every combination."""
    chunk: int = 0
    """How many of what is trained at once go together, compiled; the chunks take turns, in the memory of one. 0 chooses
    about 8 where there is no replay, else all."""
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
    What is trained at once is cut in as many parts, where that comes out even, each trained on a core of its own.
    Results are bitwise equal for one number of threads."""
    eval_episodes: int = 100
    """Episodes of an evaluation."""
    eval_every: int = 0
    """Environment steps between two evaluations during the training, rounded up to whole updates; the best policy is
    kept in RUN/best. 0 evaluates the last policy alone."""
    log: tuple[Logger, ...] = ("csv", "tensorboard")
    """Where metrics are written: csv (frl plot reads it), tensorboard, wandb (W&B, where it is installed; it heeds
    WANDB_MODE, WANDB_PROJECT and WANDB_ENTITY)."""
    checkpoint_every: int = 20
    """Updates between two checkpoints; one more is left at the end and after Ctrl-C."""
    out: Path | None = None
    """The run directory; by default a new one in runs/."""
    resume: Path | None = None
    """Continues the run in this directory, with its options, from its newest valid checkpoint."""
    print_hash: bool = False
    """Prints the SHA-256 of the final state."""

    @property
    def num_updates(self) -> int:
        """Updates of the whole training."""
        return -(-self.steps // (self.num_envs * self.rollout_length))

    @property
    def updates_per_evaluation(self) -> int:
        """Updates between two evaluations during the training, 0 for none."""
        return -(-self.eval_every // (self.num_envs * self.rollout_length))

    @property
    def seeds(self) -> range:
        """The seeds that are trained at once, each with every combination of what varies."""
        return range(self.seed, self.seed + self.num_seeds)

    @cached_property
    def members(self) -> "tuple[Options, ...]":
        """The options by which each of the runs that are trained at once is a run alone; seeds change fastest."""
        config: Any = vars(self)["config"]
        alone = dataclasses.replace(self, num_seeds=1, vary=(), chunk=0)
        chosen = [config._replace(**values) for values in combinations(axes(self.vary, config))]
        return tuple(dataclasses.replace(alone, seed=seed, config=each) for each in chosen for seed in self.seeds)  # type: ignore[call-arg]

    @property
    def varied(self) -> dict[str, list[float]]:
        """By name, for each member, the value of each hyperparameter that varies; empty where none does."""
        names = [axis.name for axis in axes(self.vary, vars(self)["config"])]
        return {name: [getattr(vars(member)["config"], name) for member in self.members] for name in names}

    def hyperparameters(self) -> Config:
        """The algorithm's, with the annealing over the whole training if that is wanted."""
        config: Any = vars(self)["config"]
        replay: Replay | None = vars(self).get("replay")
        if not self.anneal or config.anneal_updates:
            return config
        updates = self.num_updates * (replay.updates_per_rollout if replay else 1)
        return config._replace(anneal_updates=float(updates))


def _options(default: Preset) -> type[Options]:
    """The options of an algorithm whose presets are like `default`."""
    given = {name: getattr(default, name) for name in _NESTED}
    parts = [(name, type(part)) for name, part in given.items() if part is not None]
    fields = [(name, kind, dataclasses.field(default_factory=kind)) for name, kind in parts]
    told = "Trains, and evaluates the last policy; leaves records, checkpoints and a learning curve in a run directory."
    return dataclasses.make_dataclass("Options", fields, bases=(Options,), frozen=True, namespace={"__doc__": told})


_NESTED = ("memory", "exploration", "replay", "config")  # the parts of a preset that are tuples of flags
OPTIONS: dict[str, type[Options]] = {name: _options(default) for name, default in DEFAULTS.items()}


# What is trained unless --env says otherwise.
ENVIRONMENTS = {
    **dict.fromkeys(OPTIONS, "CartPole-v1"),
    **dict.fromkeys(("ddpg", "td3", "sac", "redq"), "Pendulum-v1"),
    "bootstrapped_dqn": "DeepSea-v0",
}

# What may change when a run is resumed: it does not decide what the state is.
CHANGEABLE = (
    *("steps", "compile", "num_threads", "eval_episodes", "eval_every", "log", "checkpoint_every"),
    *("out", "resume", "print_hash"),
)


def read_options(algorithm: str, arguments: Sequence[str], command: str = "train") -> Options:
    """The options of a command line. Defaults are the environment's preset, or those of the run that is resumed.

    Raises: UsageError for what cannot be parsed, is out of range, or cannot change in a run that is resumed.
    """
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    early.add_argument("--env", default=ENVIRONMENTS[algorithm])
    early.add_argument("--resume", type=Path)
    with usage_errors(argparse.ArgumentError):
        known, _ = early.parse_known_args(list(arguments))
    default = _of_environment(algorithm, known.env) if known.resume is None else _of_run(algorithm, known.resume)
    options = parse(OPTIONS[algorithm], arguments, f"frl {command} {algorithm}", default)
    _check(options)
    if options.resume is not None:
        _check_unchanged(default, options)
    return options


def _check_unchanged(before: Options, now: Options) -> None:
    old, new = _flat(before), _flat(now)
    for name in old:
        if old[name] != new[name] and name not in CHANGEABLE:
            raise UsageError(
                f"--{name.replace('_', '-')}: the run in {now.resume} has {old[name]}, which --resume cannot change to "
                f"{new[name]}; leave the flag out, or start a new run."
            )


def _flat(options: Options) -> dict[str, Any]:
    """The value of each flag."""
    found = to_json(options)
    nested = {name: value for part in _NESTED for name, value in found.get(part, {}).items()}
    return {**{name: value for name, value in found.items() if name not in _NESTED}, **nested}


def to_json(options: Options) -> dict[str, Any]:
    """The options as JSON's types; `from_json` reads them."""
    found = {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
    return {name: _plain(value) for name, value in found.items()}


def from_json(algorithm: str, found: Mapping[str, Any]) -> Options:
    """The options that `to_json` wrote.

    >>> import json
    >>> options = OPTIONS["dqn"](seed=3)
    >>> from_json("dqn", json.loads(json.dumps(to_json(options)))) == options
    True
    """
    kind = OPTIONS[algorithm]
    nested = {field.name: field.default_factory for field in dataclasses.fields(kind) if field.name in _NESTED}
    with usage_errors(TypeError):
        values: dict[str, Any] = {**found, "out": None, "resume": None}
        values |= {"log": tuple(found["log"])} if "log" in found else {}
        values |= {"vary": tuple(map(tuple, found["vary"]))} if "vary" in found else {}
        values |= {name: make(**found[name]) for name, make in nested.items()}  # type: ignore[operator]
        return kind(**values)


def command_line(algorithm: str, options: Options) -> str:
    """The command that trains so: its flags are what differs from the environment's preset.

    >>> command_line("ppo", dataclasses.replace(_of_environment("ppo", "CartPole-v1"), seed=3, anneal=False))
    'frl train ppo --env CartPole-v1 --seed 3 --no-anneal'
    """
    usual, values = _flat(_of_environment(algorithm, options.env)), _flat(options)
    words = ["frl", "train", algorithm, "--env", options.env]
    for name, value in values.items():
        if value == usual[name] or name in ("out", "resume"):
            continue
        if isinstance(value, bool):
            words.append(f"--{flag(name)}" if value else f"--no-{flag(name)}")
        elif name == "vary":
            words += [word for pair in value for word in ("--vary", *pair)]
        else:
            words += [f"--{flag(name)}", *(map(str, value) if isinstance(value, list) else [str(value)])]
    return shlex.join(words)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return value._asdict() if hasattr(value, "_asdict") else list(value)  # type: ignore[attr-defined]
    return str(value) if isinstance(value, Path) else value


def _of_environment(algorithm: str, env: str) -> Options:
    values = preset(algorithm, env)._asdict()
    return OPTIONS[algorithm](env=env, **{name: value for name, value in values.items() if value is not None})


def _of_run(algorithm: str, run: Path) -> Options:
    config = read_config(run)
    if config.get("algorithm") != algorithm:
        raise UsageError(
            f"--resume: {run} holds a run of {config.get('algorithm')}, not of {algorithm}; continue it by frl train "
            f"{config.get('algorithm')} --resume {run}."
        )
    return from_json(algorithm, config["options"])


def _check(options: Options) -> None:
    counts = ("steps", "num_seeds", "num_envs", "rollout_length", "eval_episodes", "checkpoint_every")
    require_at_least(1, {name: getattr(options, name) for name in counts})
    if options.eval_every < 0:
        raise UsageError(f"--eval-every is {options.eval_every} but must be at least 0; 0 evaluates at the end alone.")
    _check_minibatches(options)
    _check_replay(options)
    noise = vars(options)["exploration"].noise if "exploration" in vars(options) else 0.0
    if not noise >= 0:
        raise UsageError(f"--noise is {noise} but must be at least 0; 0 explores by the policy alone.")
    if "memory" in vars(options):
        require_at_least(1, {"hidden_size": vars(options)["memory"].hidden_size})
    _check_members(options)
    if options.out is not None and options.resume is not None:
        raise UsageError("--out and --resume cannot both be given; a run continues where it is.")


def _check_members(options: Options) -> None:
    count = len(options.members)
    if count > 1 and options.env.startswith("gym:"):
        what = "--vary" if options.vary else "--num-seeds"
        each = "each member" if options.vary else "each seed"
        raise UsageError(f"{what} trains pure environments only, not {options.env}; run {each} by itself.")
    require_at_least(0, {"chunk": options.chunk})
    if options.chunk and count % options.chunk:
        raise UsageError(f"--chunk is {options.chunk}, which does not divide the {count} members; choose a divisor.")
    if options.chunk and getattr(options, "replay", None) is not None:
        raise UsageError("--chunk would copy the replay buffers from chunk to chunk; leave it out.")


def _check_minibatches(options: Options) -> None:
    config: Any = vars(options)["config"]
    if not hasattr(config, "num_minibatches"):
        return
    require_at_least(1, {"num_epochs": config.num_epochs, "num_minibatches": config.num_minibatches})
    memory: Memory | None = getattr(options, "memory", None)
    size, of = options.num_envs * options.rollout_length, f" × --rollout-length {options.rollout_length}"
    if memory is not None:
        size, of = options.num_envs, ", one sequence each"
    if size % config.num_minibatches:
        what = "steps" if memory is None else "sequences"
        raise UsageError(
            f"--num-minibatches is {config.num_minibatches}, which does not divide the {size} {what} of an "
            f"update (--num-envs {options.num_envs}{of})."
        )


def _check_replay(options: Options) -> None:
    replay: Replay | None = getattr(options, "replay", None)
    for name, value in replay._asdict().items() if replay else ():
        require_at_least(0 if name == "warmup" else 1, {name: value})
