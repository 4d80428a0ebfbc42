"""A bad call and what is said of it, and the values that many of them share."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from frl import TensorDict, random


class Bad(NamedTuple):
    """A call, the error it raises, what the message says and, at the end, the remedy it names."""

    call: Callable[[], Any]
    error: type[Exception]
    says: tuple[str, ...]
    remedy: str


def bad(call: Callable[[], Any], error: type[Exception], *says: str) -> Bad:
    return Bad(call, error, says[:-1], says[-1])


KEY = random.key(0)
FLAGS = torch.zeros(5, 2, dtype=torch.bool)
STEPS = torch.zeros(5, 2)
TD = TensorDict({"observation": torch.zeros(3, 4), "reward": torch.zeros(3, 1)}, [3])
ones, zeros = torch.ones, torch.zeros


def ints(*shape: int) -> torch.Tensor:
    return torch.zeros(shape, dtype=torch.int64)
