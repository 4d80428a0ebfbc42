"""Several transforms, one after the other, as one."""

from collections.abc import Iterator
from textwrap import indent
from typing import Any, overload

from torch import Tensor

from frl.envs import Env
from frl.specs import Composite, Spec
from frl.tensordict import Key, TensorDict
from frl.transforms.base import State, Transform


class Compose(Transform):
    """Transforms applied in the order in which they are given, each to what the one before it shows.

    Actions go back through them in the opposite order. A Compose among them stands for its own transforms.

    Raises: TypeError if one of them is no transform.

    >>> from frl.transforms import RewardClipping, StepCounter
    >>> Compose(StepCounter(), RewardClipping(-1, 1))
    Compose(
            StepCounter(max_steps=None),
            RewardClipping(clamp_min=-1.0000, clamp_max=1.0000, keys=['reward']))
    """

    transforms: tuple[Transform, ...]

    def __init__(self, *transforms: Transform):
        flat: list[Transform] = []
        for transform in transforms:
            if not isinstance(transform, Transform):
                raise TypeError(
                    f"Compose: {transform!r} is a {type(transform).__name__} but must be a Transform; pass them one by "
                    "one, Compose(first, second), and not as a list."
                )
            flat.extend(transform.transforms if isinstance(transform, Compose) else [transform])
        object.__setattr__(self, "transforms", tuple(flat))
        object.__setattr__(self, "rows_apart", all(transform.rows_apart for transform in flat))

    def __setattr__(self, name: str, value: Any) -> None:
        raise TypeError(f"Compose is immutable: .{name} cannot be assigned; build a new one.")

    def append(self, transform: Transform) -> "Compose":
        """These transforms and one more."""
        return Compose(*self.transforms, transform)

    @overload
    def __getitem__(self, index: int) -> Transform: ...
    @overload
    def __getitem__(self, index: slice) -> "Compose": ...
    def __getitem__(self, index: int | slice) -> "Transform | Compose":
        return Compose(*self.transforms[index]) if isinstance(index, slice) else self.transforms[index]

    def __len__(self) -> int:
        return len(self.transforms)

    def __iter__(self) -> Iterator[Transform]:
        return iter(self.transforms)

    # ---- what they do, in turn

    def observe(self, td: TensorDict) -> TensorDict:
        """What all of them do to an observation."""
        for transform in self.transforms:
            td = transform.observe(td)
        return td

    def arrive(self, after: TensorDict) -> TensorDict:
        """What all of them do to "next"."""
        for transform in self.transforms:
            after = transform.arrive(after)
        return after

    def reset(self, td: TensorDict, state: State) -> tuple[TensorDict, State]:
        """What all of them show at a reset, and their states, by their places."""
        states: dict[str, TensorDict] = {}
        for i, transform in enumerate(self.transforms):
            td, new = transform.reset(td, _own(state, i))
            if new is not None:
                states[str(i)] = new
        return td, TensorDict(states, td.batch_size) if states else None

    def step(self, td: TensorDict, after: TensorDict, state: State) -> tuple[TensorDict, State]:
        """What all of them make of "next", and their states."""
        states: dict[str, TensorDict] = {}
        for i, transform in enumerate(self.transforms):
            after, new = transform.step(td, after, _own(state, i))
            if new is not None:
                states[str(i)] = new
        return after, TensorDict(states, td.batch_size) if states else None

    def act(self, td: TensorDict, spec: Spec) -> TensorDict:
        """The action that the environment below takes."""
        specs = [spec]
        for transform in self.transforms:
            specs.append(transform.action_spec(specs[-1]))
        for transform, below in zip(reversed(self.transforms), reversed(specs[:-1]), strict=True):
            td = transform.act(td, below)
        return td

    def allowed(self, td: TensorDict) -> Tensor | None:
        """Which actions the last one of them that says so allows."""
        last = None
        for transform in self.transforms:
            mask = transform.allowed(td)
            last = last if mask is None else mask
        return last

    def around(self, env: Env) -> Env:
        """The environment changed by all of them."""
        for transform in self.transforms:
            env = transform.around(env)
        return env

    # ---- specs

    def observation_spec(self, spec: Composite) -> Composite:
        """The spec of what the last one shows."""
        for transform in self.transforms:
            spec = transform.observation_spec(spec)
        return spec

    def action_spec(self, spec: Spec) -> Spec:
        """The spec of the action that the last one takes."""
        for transform in self.transforms:
            spec = transform.action_spec(spec)
        return spec

    def reward_spec(self, spec: Spec) -> Spec:
        """The spec of the reward that the last one shows."""
        for transform in self.transforms:
            spec = transform.reward_spec(spec)
        return spec

    def time_limit(self, limit: int | None) -> int | None:
        """The time limit of all of them."""
        for transform in self.transforms:
            limit = transform.time_limit(limit)
        return limit

    @property
    def bookkeeping(self) -> tuple[Key, ...]:
        """The bookkeeping of all of them."""
        return tuple(key for transform in self.transforms for key in transform.bookkeeping)

    @property
    def stateless(self) -> bool:
        """Whether all of them are."""
        return all(transform.stateless for transform in self.transforms)

    def __call__(self, td: TensorDict) -> TensorDict:
        """What they do to data, in turn."""
        for transform in self.transforms:
            td = transform(td)
        return td

    def __repr__(self) -> str:
        if not self.transforms:
            return "Compose()"
        return "Compose(\n" + indent(",\n".join(map(repr, self.transforms)), " " * 8) + ")"


def _own(state: State, i: int) -> State:
    return None if state is None else state.get(str(i))
