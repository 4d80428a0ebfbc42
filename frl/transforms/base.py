"""What a transform is: what it does to an observation, to the outcome of a step, to an action, and to their specs."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from typing_extensions import Self

from frl import tree
from frl.envs import Env
from frl.specs import Bounded, Composite, Spec, Unbounded
from frl.tensordict import Key, TensorDict
from frl.transforms.entries import entry_spec, set_spec
from frl.transforms.replay import replay

State = TensorDict | None
"""What a transform remembers from one step to the next, [*B]; None for nothing."""


class Transform:
    """A pure pair: what it does to the TensorDict of a reset, and to the "next" of a step. Frozen.

    What it shows are entries of that TensorDict; what it has to remember beyond them is its state, a TensorDict [*B]
    that `TransformedEnv` carries from step to step. Those who write a transform without a state override `observe`, for
    what is seen at the root and in "next" alike, or `arrive`, for "next" alone; one with a state overrides `reset` and
    `step`. Rows [*B] are treated one by one, unless `rows_apart` is False.

    Called on data, `transform(td)`, it does to the roots and to "next" what it would have done in the environment. A
    TensorDict without "next" is taken for what a step arrives at. One with a state needs time as the last batch axis.
    """

    in_keys: Sequence[Key]
    rows_apart: bool = True
    """Whether a row of the batch never depends on another."""
    _place: tuple[Any, int] | None = None  # the TransformedEnv that it was taken from, and its position there

    # ---- entries

    def observe(self, td: TensorDict) -> TensorDict:
        """What it does to an observation, that of a reset or that in "next"."""
        return td

    def arrive(self, after: TensorDict) -> TensorDict:
        """What it does to the "next" of a step: by default, what it does to any observation."""
        return self.observe(after)

    def reset(self, td: TensorDict, state: State) -> tuple[TensorDict, State]:
        """What a reset shows, and the state at the beginning of an episode.

        Args: state: where the earlier episode left it, None at the very first: what survives episodes is taken from it.
        """
        return self.observe(td), state

    def step(self, td: TensorDict, after: TensorDict, state: State) -> tuple[TensorDict, State]:
        """The "next" of a step, and the state after it.

        Args: td: what the step was given, the action and what the policy wrote included. after: its "next" so far.
        """
        return self.arrive(after), state

    def act(self, td: TensorDict, spec: Spec) -> TensorDict:
        """`td` with the action that the environment below takes, whose `spec` is that of one environment."""
        return td

    def allowed(self, td: TensorDict) -> Tensor | None:
        """Which of the discrete actions may be taken, [*B, n] boolean, or None for all."""
        return None

    # ---- the environment

    def around(self, env: Env) -> Env:
        """The environment itself, changed: for what no function of one TensorDict can do."""
        return env

    def observation_spec(self, spec: Composite) -> Composite:
        """The spec of all that is shown, from that of what the environment below shows; of one environment."""
        return spec

    def action_spec(self, spec: Spec) -> Spec:
        """The spec of the action, from that of the environment below; of one environment."""
        return spec

    def reward_spec(self, spec: Spec) -> Spec:
        """The spec of the reward [1], from that of the environment below."""
        return spec

    def time_limit(self, limit: int | None) -> int | None:
        """The time limit, from that of the environment below."""
        return limit

    @property
    def bookkeeping(self) -> tuple[Key, ...]:
        """The keys of what it shows that no policy is meant to observe: counts, flags and sums."""
        return ()

    # ---- on data

    @property
    def stateless(self) -> bool:
        """Whether it treats every step by itself."""
        return type(self).reset is Transform.reset and type(self).step is Transform.step

    def __call__(self, td: TensorDict) -> TensorDict:
        """What it does to data, [*B] or [*B, T]."""
        if not isinstance(td, TensorDict):
            raise TypeError(f"{type(self).__name__}: called with a {type(td).__name__}; expected a TensorDict.")
        if not self.stateless:
            return replay(self, td)
        if "next" not in td:
            return self.arrive(td)
        return self.observe(td.exclude("next")).set("next", self.arrive(td["next"]))

    # ---- its place

    @property
    def parent(self) -> Env | None:
        """The environment with the transforms before this one alone, or None for one that was not taken from any."""
        return None if self._place is None else self._place[0]._before(self._place[1])

    def _placed(self, env: Env, index: int) -> Self:
        placed = copy.copy(self)
        object.__setattr__(placed, "_place", (env, index))
        return placed

    def _shown(self) -> str:
        """Its fields, for the repr."""
        return f"keys={list(self.in_keys)}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shown()})"


class Entrywise(Transform):
    """A transform without a state that is one function of tensors, `apply`, of each of its entries.

    `apply` takes [*B, *event] and works on the last axes, so that one environment, a batch and a trajectory are one
    call. Bounds of the spec are mapped too: `apply` must be monotone in every element.

    >>> class Halve(Entrywise):
    ...     in_keys = ("observation",)
    ...
    ...     def apply(self, x):
    ...         return x / 2
    >>> Halve()(TensorDict({"observation": torch.ones(2)}))["observation"]
    tensor([0.5000, 0.5000])
    """

    out_keys: Sequence[Key] | None = None

    def __post_init__(self) -> None:
        require_keys(self, "in_keys", self.in_keys)
        if self.out_keys is not None:
            require_keys(self, "out_keys", self.out_keys, len(self.in_keys))

    def apply(self, x: Tensor) -> Tensor:
        """[*B, *event] -> [*B, *new event]."""
        raise NotImplementedError

    def pairs(self) -> list[tuple[Key, Key]]:
        """Each key that is read with the one that is written."""
        return list(zip(self.in_keys, self.in_keys if self.out_keys is None else self.out_keys, strict=True))

    def observe(self, td: TensorDict) -> TensorDict:
        """`td` with `apply` of each entry."""
        for source, target in self.pairs():
            td = td.set(target, self.apply(entry(self, td, source)))
        return td

    def observation_spec(self, spec: Composite) -> Composite:
        """Each entry's spec mapped."""
        for source, target in self.pairs():
            spec = set_spec(spec, target, self.spec(entry_spec(self, spec, source)))
        return spec

    def spec(self, spec: Spec) -> Spec:
        """The spec of what `apply` makes of values of `spec`."""
        return mapped(self.apply, spec)


def mapped(f: Callable[[Tensor], Tensor], spec: Spec) -> Spec:
    """The spec of `f` of a value, for an `f` that is monotone in every element; Unbounded unless the spec is Bounded.

    >>> mapped(lambda x: -2 * x, Bounded(0.0, 1.0, 2)).space.low
    tensor([-2., -2.])
    """
    if isinstance(spec, Bounded):
        ends = f(spec.low), f(spec.high)
        low, high = torch.minimum(*ends), torch.maximum(*ends)
        if bool((low <= high).all()):  # not so where an infinite bound is scaled by zero
            return Bounded(low, high)
    zeros = f(spec.zeros())
    same = zeros.shape == spec.shape and zeros.dtype == spec.dtype and zeros.dtype == torch.bool
    return spec if same else Unbounded(zeros.shape, zeros.device, zeros.dtype)


def affine(loc: float | Tensor | None, scale: float | Tensor | None) -> str:
    """Both numbers, for a repr; nothing if they are not given, or are several.

    >>> affine(2, torch.tensor(1.0))
    'loc=2.0000, scale=1.0000, '
    """
    numbers = [x for x in (loc, scale) if x is not None and (not isinstance(x, Tensor) or x.numel() == 1)]
    return f"loc={float(numbers[0]):.4f}, scale={float(numbers[1]):.4f}, " if len(numbers) == 2 else ""


def entry(transform: Transform, td: TensorDict, key: Key) -> Tensor:
    """The entry of `td` under `key`.

    Raises: KeyError that names the transform and the entries that there are.

    >>> entry(Transform(), TensorDict({"a": torch.ones(1)}), "a")
    tensor([1.])
    """
    if key not in td:
        raise KeyError(
            f"{type(transform).__name__}: there is no entry {key!r}, only {list(td.keys(include_nested=True))}; name "
            "one of them in in_keys=."
        )
    return td[key]


def blank(td: TensorDict, dtype: torch.dtype) -> Tensor:
    """Zeros [*B, 1] beside the entries of `td`.

    >>> blank(TensorDict({"a": torch.ones(3, 2)}, [3]), torch.int64).shape
    torch.Size([3, 1])
    """
    leaves = tree.leaves(td)
    return torch.zeros((*td.batch_size, 1), dtype=dtype, device=leaves[0].device if leaves else td.device)


def remembered(transform: Transform, state: State) -> TensorDict:
    """The state of a transform that has one.

    Raises: ValueError if there is none, for nothing was reset.

    >>> remembered(Transform(), TensorDict({"count": torch.zeros(1)}))["count"]
    tensor([0.])
    """
    if state is None:
        raise ValueError(
            f'{type(transform).__name__}: td has no "transform_state", which a reset begins; begin with env.reset(key).'
        )
    return state


def require_keys(transform: Transform, argument: str, keys: Any, length: int | None = None) -> None:
    """Raises TypeError unless `keys` is a sequence of keys, ValueError unless there are `length` of them.

    >>> require_keys(Transform(), "in_keys", ["pixels", ("next", "pixels")])
    """
    name = type(transform).__name__
    if isinstance(keys, str) or not all(isinstance(key, (str, tuple)) for key in keys):
        raise TypeError(f"{name}: {argument} is {keys!r}; expected a list of keys, such as ['observation'].")
    if length is not None and len(keys) != length:
        raise ValueError(
            f"{name}: {argument} has {len(keys)} keys but in_keys has {length}; give one for each, in order."
        )
