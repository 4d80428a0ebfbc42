import dataclasses
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import pytest

from frl.cli.errors import UsageError
from frl.cli.flags import Output, Positional, parse


class Inner(NamedTuple):
    rate: float = 0.5


@dataclasses.dataclass(frozen=True)
class Flags:
    """Flags of a test."""

    runs: Annotated[tuple[Path, ...], Positional] = ()
    out: Annotated[Path, Output] = Path("a")
    mode: Literal["on", "off"] = "on"
    count: int = 1
    inner: Inner = dataclasses.field(default_factory=Inner)


def test_flags_are_named_like_the_fields_without_prefix():
    flags = parse(Flags, ["x", "y", "-o", "b", "--count", "3", "--rate", "2"], "test")
    assert flags == Flags((Path("x"), Path("y")), Path("b"), "on", 3, Inner(2.0))


def test_what_is_not_given_comes_from_the_default():
    assert parse(Flags, ["--mode", "off"], "test", Flags(count=7)) == Flags(count=7, mode="off")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--count", "x"], ["--count", "invalid literal for int", "'x'"]),
        (["--cuont", "1"], ["Unrecognized options: --cuont", "Perhaps you meant: --count"]),
        (["--mode", "auto"], ["'auto'", "--mode", "('on', 'off')"]),
    ],
)
def test_a_mistake_is_told_in_one_line_that_names_the_flag(arguments: list[str], words: list[str]):
    with pytest.raises(UsageError) as caught:
        parse(Flags, arguments, "test")
    message = str(caught.value)
    assert all(word in message for word in words)
    assert message.endswith("; see test --help.")
    assert "\n" not in message
    assert "│" not in message


def test_help_is_printed_and_ends_the_program(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        parse(Flags, ["--help"], "test")
    assert caught.value.code == 0
    assert "--count" in capsys.readouterr().out
