"""A run as it was saved: its options and its state, of all that was trained at once or of one member."""

from pathlib import Path
from typing import Literal, NamedTuple

from frl.cli.errors import UsageError, usage_errors
from frl.cli.options import Options, from_json
from frl.cli.run_directory import BEST, CHECKPOINTS, read_config
from frl.tensordict import TensorDict
from frl.training.checkpoint import CorruptCheckpoint, load_latest
from frl.training.population import member as member_of

Which = Literal["last", "best"]


class Saved(NamedTuple):
    """A state of a run of the algorithm `name`, and how many updates it has seen."""

    name: str
    options: Options
    state: TensorDict
    updates: int


def saved(run: Path, which: Which = "last", member: int | None = None) -> Saved:
    """The last or the best state in `run`; with `member` that of one, as if it had been trained alone.

    Raises: UsageError if there is no such run, state or member.
    """
    config = read_config(run)
    name, options = config["algorithm"], from_json(config["algorithm"], config["options"])
    if which == "best" and not (run / BEST).is_dir():
        raise UsageError(
            f"--checkpoint best: {run} has none, for it was trained without --eval-every; take --checkpoint last."
        )
    count = len(options.members)
    if member is not None and not 0 <= member < count:
        raise UsageError(f"--member is {member} but {run} has {count} of them; name one from 0 to {count - 1}.")
    with usage_errors(CorruptCheckpoint, FileNotFoundError):
        found = load_latest(run / (BEST if which == "best" else CHECKPOINTS))
    updates = found.metadata["updates"]
    if member is None or count == 1:
        return Saved(name, options, found.state, max(updates) if isinstance(updates, list) else updates)
    updates = updates[member] if isinstance(updates, list) else updates
    return Saved(name, options.members[member], member_of(found.state, member), updates)
