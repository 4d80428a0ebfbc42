"""`frl envs`: the environments that one can name."""

from collections.abc import Sequence

from frl.cli.errors import UsageError


def list_environments(arguments: Sequence[str]) -> int:
    """Runs the command; returns the exit code."""
    from frl.envs import ids, make

    if arguments:
        raise UsageError(f"envs: takes no arguments, but {arguments[0]!r} was given.")
    width = max(map(len, ids()))
    for name in ids():
        env = make(name)
        observation, action = env.single_observation_spec["observation"], env.single_action_spec
        spaces = [f"{type(spec).__name__}{list(spec.shape)}" for spec in (observation, action)]
        print(f"{name:<{width}} torch      observation {spaces[0]}, action {spaces[1]}, {env.max_steps} steps")
    print(f"{'gym:ID':<{width}} Gymnasium  any environment registered there, as gym:CartPole-v1")
    return 0
