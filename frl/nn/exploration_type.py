"""How a probabilistic module turns its distribution into a value, and the ambient default for it."""

import enum
from collections.abc import Generator
from contextlib import contextmanager


class ExplorationType(enum.Enum):
    """How a probabilistic module turns its distribution into a value.

    RANDOM draws a sample and needs a key. MODE takes the most probable value, MEAN the expectation (the mode where the
    distribution has no closed mean), DETERMINISTIC is the mode.

    >>> ExplorationType.RANDOM.draws, ExplorationType.MODE.draws
    (True, False)
    """

    RANDOM = "random"
    MODE = "mode"
    MEAN = "mean"
    DETERMINISTIC = "deterministic"

    @property
    def draws(self) -> bool:
        """Whether it needs a random key."""
        return self is ExplorationType.RANDOM


class _Ambient:
    """The type of the innermost `set_exploration_type`; a plain attribute, for the compiler guards on no other kind."""

    exploration: ExplorationType | None = None


_ambient = _Ambient()


def exploration_type() -> ExplorationType | None:
    """The type that `set_exploration_type` supplies here, or None outside of any.

    >>> exploration_type() is None
    True
    """
    return _ambient.exploration


@contextmanager
def set_exploration_type(exploration: ExplorationType) -> Generator[None]:
    """Within it, modules that are called without `exploration=` take this type.

    Only the outermost call reads it, before anything is computed; pure functions should pass `exploration=` instead.

    >>> with set_exploration_type(ExplorationType.MODE):
    ...     exploration_type()
    <ExplorationType.MODE: 'mode'>
    """
    if not isinstance(exploration, ExplorationType):
        raise TypeError(
            f"set_exploration_type: got {exploration!r}; expected one of {[str(e) for e in ExplorationType]}."
        )
    before, _ambient.exploration = _ambient.exploration, exploration
    try:
        yield
    finally:
        _ambient.exploration = before
