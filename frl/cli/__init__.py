"""The command line: `frl train ALGORITHM | sweep ALGORITHM | eval | export | plot | envs`."""

import sys
from collections.abc import Callable, Sequence

from frl.cli.errors import UsageError

ALGORITHMS = (
    *("ppo", "ppo_penalty", "recurrent_ppo", "a2c", "recurrent_a2c", "reinforce"),
    *("dqn", "bootstrapped_dqn", "ddpg", "td3", "sac", "redq"),
)

USAGE = f"""usage: frl COMMAND [-h] ...

  frl train ppo --env CartPole-v1    trains, evaluates, and leaves a run directory; --resume continues one
  frl sweep ppo --vary learning-rate log:1e-4:1e-2:32 --num-seeds 8
                                     trains all values with all seeds at once, names the best, draws them all
  frl eval RUN --video run.mp4       evaluates the last policy of a run, or the best, and films it
  frl export RUN --member 3 -o policy.safetensors
                                     saves a policy, or a member as a run of its own
  frl plot RUN... -o curve.png       draws the learning curves of runs, or a sweep
  frl envs                           lists the environments

The algorithms are {", ".join(ALGORITHMS[:-1])} and {ALGORITHMS[-1]}.
`frl train ppo --env ID -h` shows all options, with their defaults for that environment."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit code: 0, 2 for what the user can mend, 128 + n after signal n.

    >>> main(["envs"]) == 0 and "CartPole-v1" in "CartPole-v1"  # doctest: +ELLIPSIS
    CartPole-v1 ...
    True
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _command(arguments)
    except UsageError as error:
        print(f"frl: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _command(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE)
        return 0 if arguments else 2
    name, *rest = arguments
    trainings: dict[str, Callable[[str, list[str]], int]] = {"train": _train, "sweep": _sweep}
    if name in trainings and rest and rest[0] in ("-h", "--help"):
        print(USAGE)
        return 0
    if name in trainings:
        if not rest or rest[0] not in ALGORITHMS:
            raise UsageError(
                f"{name}: unknown algorithm {rest[0] if rest else ''!r}; there are: {', '.join(ALGORITHMS)}."
            )
        return trainings[name](rest[0], rest[1:])
    commands: dict[str, Callable[[list[str]], int]] = {"eval": _eval, "export": _export, "plot": _plot, "envs": _envs}
    if name not in commands:
        raise UsageError(f"unknown command {name!r}; there are: {', '.join((*trainings, *commands))}.")
    return commands[name](rest)


# Each command imports what it needs when it is called: `frl envs` loads no plotting, `import frl` loads no command.


def _train(algorithm: str, arguments: list[str]) -> int:
    from frl.cli.train import train

    return train(algorithm, arguments)


def _sweep(algorithm: str, arguments: list[str]) -> int:
    from frl.cli.train import sweep

    return sweep(algorithm, arguments)


def _export(arguments: list[str]) -> int:
    from frl.cli.export import export

    return export(arguments)


def _eval(arguments: list[str]) -> int:
    from frl.cli.evaluate import evaluate_run

    return evaluate_run(arguments)


def _plot(arguments: list[str]) -> int:
    from frl.cli.plot import plot_runs

    return plot_runs(arguments)


def _envs(arguments: list[str]) -> int:
    from frl.cli.envs import list_environments

    return list_environments(arguments)
