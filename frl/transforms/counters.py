"""Transforms that count and mark: the steps of an episode, its limit, and its beginning."""

from dataclasses import dataclass

import torch

from frl import check
from frl.specs import Binary, Bounded, Composite
from frl.tensordict import Key, TensorDict
from frl.transforms.base import State, Transform, blank, entry, remembered, require_keys
from frl.transforms.entries import set_spec


@dataclass(frozen=True, eq=False, repr=False)
class StepCounter(Transform):
    """The number of steps since the reset, in `step_count_key` [*B, 1], int64.

    Args: max_steps: the count at which an episode is truncated, at least 1; by default no transform truncates it.
    Raises: ValueError for a limit below 1.

    >>> from frl import random
    >>> from frl.envs import make
    >>> from frl.transforms import TransformedEnv
    >>> td = TransformedEnv(make("Pendulum-v1"), StepCounter(max_steps=3)).rollout(10, key=random.key(0))
    >>> td["step_count"].flatten().tolist(), td["next", "truncated"].flatten().tolist()
    ([0, 1, 2], [False, False, True])
    """

    max_steps: int | None = None
    step_count_key: Key = "step_count"

    def __post_init__(self) -> None:
        if self.max_steps is not None:
            check.at_least("StepCounter", {"max_steps": self.max_steps}, 1)
        require_keys(self, "step_count_key", [self.step_count_key])

    def reset(self, td: TensorDict, state: State) -> tuple[TensorDict, State]:
        """Zero."""
        return td.set(self.step_count_key, blank(td, torch.int64)), state

    def step(self, td: TensorDict, after: TensorDict, state: State) -> tuple[TensorDict, State]:
        """One more."""
        count = entry(self, td, self.step_count_key) + 1
        return _truncated(after.set(self.step_count_key, count), count, self.max_steps), state

    def observation_spec(self, spec: Composite) -> Composite:
        """With the count."""
        limit = torch.iinfo(torch.int64).max - 1 if self.max_steps is None else self.max_steps
        return set_spec(spec, self.step_count_key, Bounded(0, limit, 1, dtype=torch.int64))

    def time_limit(self, limit: int | None) -> int | None:
        """The lower of the two limits."""
        return _lower(limit, self.max_steps)

    @property
    def bookkeeping(self) -> tuple[Key, ...]:
        """The count."""
        return (self.step_count_key,)

    def _shown(self) -> str:
        return f"max_steps={self.max_steps}"


@dataclass(frozen=True, eq=False, repr=False)
class TimeLimit(Transform):
    """Truncates an episode after `max_steps` steps; it never terminates one. The count is not shown: see StepCounter.

    Raises: ValueError for a limit below 1.

    >>> from frl import random
    >>> from frl.envs import make
    >>> from frl.transforms import TransformedEnv
    >>> TransformedEnv(make("Pendulum-v1"), TimeLimit(5)).rollout(10, key=random.key(0)).batch_size
    torch.Size([5])
    """

    max_steps: int

    def __post_init__(self) -> None:
        check.at_least("TimeLimit", {"max_steps": self.max_steps}, 1)

    def reset(self, td: TensorDict, state: State) -> tuple[TensorDict, State]:
        """A count of zero."""
        return td, TensorDict({"count": blank(td, torch.int64)}, td.batch_size)

    def step(self, td: TensorDict, after: TensorDict, state: State) -> tuple[TensorDict, State]:
        """Truncated at the limit."""
        count = remembered(self, state)["count"] + 1
        return _truncated(after, count, self.max_steps), TensorDict({"count": count}, td.batch_size)

    def time_limit(self, limit: int | None) -> int | None:
        """The lower of the two limits."""
        return _lower(limit, self.max_steps)

    def _shown(self) -> str:
        return f"max_steps={self.max_steps}"


@dataclass(frozen=True, eq=False, repr=False)
class InitTracker(Transform):
    """Whether an episode begins here, in `init_key` [*B, 1]: True right after a reset, False in every "next".

    >>> from frl import random
    >>> from frl.envs import make
    >>> from frl.transforms import TransformedEnv
    >>> td = TransformedEnv(make("Pendulum-v1"), InitTracker()).rollout(3, key=random.key(0))
    >>> td["is_init"].flatten().tolist(), td["next", "is_init"].flatten().tolist()
    ([True, False, False], [False, False, False])
    """

    init_key: Key = "is_init"

    def __post_init__(self) -> None:
        require_keys(self, "init_key", [self.init_key])

    def reset(self, td: TensorDict, state: State) -> tuple[TensorDict, State]:
        """True."""
        return td.set(self.init_key, ~blank(td, torch.bool)), state

    def step(self, td: TensorDict, after: TensorDict, state: State) -> tuple[TensorDict, State]:
        """False."""
        return after.set(self.init_key, blank(after, torch.bool)), state

    def observation_spec(self, spec: Composite) -> Composite:
        """With the flag."""
        return set_spec(spec, self.init_key, Binary(1, dtype=torch.bool))

    @property
    def bookkeeping(self) -> tuple[Key, ...]:
        """The flag."""
        return (self.init_key,)

    def _shown(self) -> str:
        return f"keys={[self.init_key]}"


def _truncated(after: TensorDict, count: torch.Tensor, limit: int | None) -> TensorDict:
    """`after` with the episodes truncated whose count has reached the limit."""
    if limit is None:
        return after
    over = count >= limit
    flags = {name: after[name] | over for name in ("truncated", "done") if name in after}
    return after.update(flags)


def _lower(limit: int | None, other: int | None) -> int | None:
    limits = [x for x in (limit, other) if x is not None]
    return min(limits) if limits else None
