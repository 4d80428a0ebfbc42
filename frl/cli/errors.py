"""What a user can mend, said in one line."""

import contextlib
from collections.abc import Generator


class UsageError(Exception):
    """A mistake in the call, not in the program: it is printed on one line, without a traceback."""


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
