"""Environments by name."""

import difflib
from collections.abc import Callable, Sequence
from typing import Any

from gymnasium.experimental.functional import FuncEnv

from frl.envs.base import Env
from frl.envs.classic import CartPole, Pendulum
from frl.envs.functional import FunctionalEnv

_PURE: dict[str, tuple[Callable[[], FuncEnv[Any, Any, Any, Any, Any, Any, Any]], int]] = {
    "CartPole-v1": (CartPole, 500),
    "Pendulum-v1": (Pendulum, 200),
}


def ids() -> tuple[str, ...]:
    """The names of the pure environments.

    >>> ids()
    ('CartPole-v1', 'Pendulum-v1')
    """
    return tuple(_PURE)


def make(id: str, batch_size: Sequence[int] | int = ()) -> Env:
    """The environment of this name, with its usual time limit; a batch [*B] of them.

    >>> make("CartPole-v1", batch_size=[8])
    FunctionalEnv(env=CartPole, batch_size=torch.Size([8]), max_steps=500)
    """
    if id not in _PURE:
        close = difflib.get_close_matches(id, _PURE)
        raise ValueError(f"make: there is no environment {id!r}{close}; {', '.join(_PURE)}")
    author, max_steps = _PURE[id]
    return FunctionalEnv(author(), batch_size, max_steps)
