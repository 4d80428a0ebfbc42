"""`frl export RUN`: saves a policy, or one member of a population as a run of its own."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from frl.cli.errors import UsageError, usage_errors
from frl.cli.flags import Output, Positional, parse
from frl.cli.options import to_json
from frl.cli.run_directory import CHECKPOINTS, CONFIG, create, read_config, write_json
from frl.cli.saved import Saved, Which, saved
from frl.training import checkpoint

POLICY = ".safetensors"


@dataclasses.dataclass(frozen=True)
class ExportOptions:
    """Saves a policy of a run, of one member where several were trained at once."""

    run: Annotated[Path, Positional]
    """The run directory."""
    out: Annotated[Path, Output]
    """A file NAME.safetensors for what the policy needs to act, or a new directory for a run of its own, which frl
    eval evaluates and frl train --resume continues."""
    member: int | None = None
    """Which of the members that were trained at once, counted from 0."""
    checkpoint: Which = "last"
    """Which policy: the last, or the one that was the best in a training with --eval-every."""


def export(arguments: Sequence[str]) -> int:
    """Runs the command; returns the exit code."""
    given = parse(ExportOptions, arguments, "frl export")
    found = saved(given.run, given.checkpoint, given.member)
    count = len(found.options.members)
    if count > 1:
        raise UsageError(f"export: {given.run} has {count} members; name one by --member, from 0 to {count - 1}.")
    if given.out.suffix == POLICY:
        with usage_errors(OSError):
            found.state["train"].select("params", "hyper", "updates").save(given.out)
    else:
        _run(found, create(given.out, found.name), bool(read_config(given.run).get("compiled")))
    print(given.out)
    return 0


def _run(found: Saved, directory: Path, compiled: bool) -> None:
    """A run directory from which the training goes on."""
    config = {"algorithm": found.name, "options": to_json(found.options)}
    write_json(directory / CONFIG, {**config, "compiled": compiled})
    checkpoint.save(
        directory / CHECKPOINTS, found.state, int(found.state["step"]), {**config, "updates": found.updates}
    )
