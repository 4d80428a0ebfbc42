"""Flags from dataclasses, by tyro: its sole importer."""

import contextlib
import io
import re
from collections.abc import Sequence
from typing import Any, TypeVar

import tyro

from frl.cli.errors import UsageError

T = TypeVar("T")

# Marks of fields: given without a flag; by a flag for each element; named by -o too.
Positional = tyro.conf.Positional
Repeated = tyro.conf.UseAppendAction
Output: Any = tyro.conf.arg(aliases=["-o"])


def parse(kind: type[T], arguments: Sequence[str], prog: str, default: T | None = None) -> T:
    """An instance of the dataclass `kind` from flags named like its fields; those of nested tuples have no prefix.

    Raises: UsageError for flags that are unknown, missing or malformed; SystemExit(0) after `--help`.
    """
    given: dict[str, Any] = {} if default is None else {"default": default}
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            return tyro.cli(
                kind,
                args=arguments,
                prog=prog,
                config=(tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes),
                **given,
            )
    except SystemExit as end:
        if not end.code:
            raise
        raise UsageError(_one_line(errors.getvalue()) + f"; see {prog} --help.") from None


def _one_line(box: str) -> str:
    """What tyro says in a box of several lines, without the box, its heading and its advice."""
    text = " ".join(line.strip("│ ") for line in box.splitlines() if not line.startswith("╭"))
    text = re.split(r"For full helptext|Argument helptext", text)[0]
    return " ".join(re.sub("[─╰╯]+", " ", text).split()).rstrip(".:;")
