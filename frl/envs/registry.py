"""Environments by name."""

import difflib
from collections.abc import Callable, Sequence
from typing import Any

from gymnasium.experimental.functional import FuncEnv

from frl import check
from frl.envs.bandits import BernoulliBandit, GaussianBandit
from frl.envs.base import Env
from frl.envs.bsuite import Catch, DeepSea, DiscountingChain, MemoryChain, UmbrellaChain
from frl.envs.classic import Acrobot, CartPole, MountainCar, MountainCarContinuous, Pendulum
from frl.envs.functional import FunctionalEnv
from frl.envs.gym import GymEnv
from frl.envs.minatar import Breakout
from frl.envs.navigation import FourRooms, PointNavigation, PointRobot

_PURE: dict[str, tuple[Callable[[], FuncEnv[Any, Any, Any, Any, Any, Any, Any]], int]] = {
    "CartPole-v1": (CartPole, 500),
    "Pendulum-v1": (Pendulum, 200),
    "Acrobot-v1": (Acrobot, 500),
    "MountainCar-v0": (MountainCar, 200),
    "MountainCarContinuous-v0": (MountainCarContinuous, 999),
    "Catch-v0": (Catch, 9),
    "DeepSea-v0": (DeepSea, 8),
    "MemoryChain-v0": (MemoryChain, 6),
    "UmbrellaChain-v0": (UmbrellaChain, 10),
    "DiscountingChain-v0": (DiscountingChain, 100),
    "BernoulliBandit-v0": (BernoulliBandit, 100),
    "GaussianBandit-v0": (GaussianBandit, 100),
    "FourRooms-v0": (FourRooms, 500),
    "PointNavigation-v0": (PointNavigation, 100),
    "PointRobot-v0": (PointRobot, 100),
    "MinAtar/Breakout-v1": (Breakout, 1000),
}


def ids() -> tuple[str, ...]:
    """The names of the pure environments; "gym:NAME" is Gymnasium's environment of that name.

    >>> ids()[:5]
    ('CartPole-v1', 'Pendulum-v1', 'Acrobot-v1', 'MountainCar-v0', 'MountainCarContinuous-v0')
    >>> ids()[5:10]
    ('Catch-v0', 'DeepSea-v0', 'MemoryChain-v0', 'UmbrellaChain-v0', 'DiscountingChain-v0')
    >>> ids()[10:15]
    ('BernoulliBandit-v0', 'GaussianBandit-v0', 'FourRooms-v0', 'PointNavigation-v0', 'PointRobot-v0')
    >>> ids()[15:]
    ('MinAtar/Breakout-v1',)
    """
    return tuple(_PURE)


def make(id: str, batch_size: Sequence[int] | int = ()) -> Env:
    """The environment of this name, with its usual time limit; a batch [*B] of them.

    Args: id: one of `ids()`, which are pure torch, or "gym:NAME". batch_size: [*B]; [] or [n] for one of Gymnasium's.
    Raises: ValueError for an unknown name, with the closest or, if none is close, all; for a batch that Gymnasium lacks
        or a negative size; TypeError if the name is no string or a size no integer.

    >>> make("CartPole-v1", batch_size=[8])
    FunctionalEnv(env=CartPole, batch_size=torch.Size([8]), max_steps=500)
    >>> make("gym:CartPole-v1", batch_size=8)
    GymEnv(env=CartPole-v1, batch_size=torch.Size([8]), device=cpu)
    """
    if not isinstance(id, str):
        raise TypeError(f"make: id is {id!r} but must be a string, the name of an environment: one of {ids()}.")
    batch = [batch_size] if isinstance(batch_size, int) else list(batch_size)
    if not all(isinstance(size, int) for size in batch):
        raise TypeError(f"make: batch_size is {batch_size!r} but must be an integer or a list of integers.")
    check.at_least("make", {f"batch_size[{i}]": size for i, size in enumerate(batch)}, 0)
    if id.startswith("gym:"):
        if len(batch) > 1:
            raise ValueError(
                f"make: {id} has batch size [] or [n], but batch_size is {batch}; reshape the data instead."
            )
        return GymEnv(id.removeprefix("gym:"), num_envs=batch[0] if batch else None)
    if id not in _PURE:
        close = difflib.get_close_matches(id, [*_PURE, *(f"gym:{name}" for name in _PURE)])
        hint = f"Did you mean {' or '.join(close)}?" if close else f"There are {', '.join(_PURE)}."
        raise ValueError(
            f"make: no environment {id!r}; frl.envs.ids() lists those in torch, gym:NAME is Gymnasium's. {hint}"
        )
    author, max_steps = _PURE[id]
    return FunctionalEnv(author(), batch, max_steps)
