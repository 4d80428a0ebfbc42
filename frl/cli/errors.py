"""What a user can mend, said in one line."""

import contextlib
from collections.abc import Generator, Mapping


class UsageError(Exception):
    """A mistake in the call, not in the program: it is printed on one line, without a traceback."""


def require_at_least(least: int, values: Mapping[str, int]) -> None:
    """Raises UsageError that names the flag of the first value which is below `least`.

    >>> require_at_least(1, {"num_envs": 0})
    Traceback (most recent call last):
    frl.cli.errors.UsageError: --num-envs is 0 but must be at least 1.
    """
    for name, value in values.items():
        if value < least:
            raise UsageError(f"--{name.replace('_', '-')} is {value} but must be at least {least}.")


@contextlib.contextmanager
def usage_errors(*kinds: type[Exception]) -> Generator[None, None, None]:
    """Errors of these kinds are the user's to mend in what is done here.

    >>> with usage_errors(ValueError):
    ...     int("x")
    Traceback (most recent call last):
    frl.cli.errors.UsageError: invalid literal for int() with base 10: 'x'
    """
    try:
        yield
    except kinds as error:
        message = error.args[0] if isinstance(error, KeyError) else error
        raise UsageError(" ".join(str(message).split())) from error
