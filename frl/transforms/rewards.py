"""Transforms of rewards."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from frl.specs import Bounded, Composite, Spec, Unbounded
from frl.tensordict import Key, TensorDict
from frl.transforms.base import Entrywise, State, Transform, affine, blank, entry, mapped, require_keys
from frl.transforms.entries import set_spec


@dataclass(frozen=True, eq=False, repr=False)
class _OfRewards(Entrywise):
    """A function of each reward, in place."""

    def observe(self, td: TensorDict) -> TensorDict:
        return td

    def arrive(self, after: TensorDict) -> TensorDict:
        return super().observe(after)

    def observation_spec(self, spec: Composite) -> Composite:
        return spec

    def reward_spec(self, spec: Spec) -> Spec:
        return self.spec(spec) if "reward" in self.in_keys else spec


@dataclass(frozen=True, eq=False, repr=False)
class RewardScaling(_OfRewards):
    """reward · scale + loc or, with `standard_normal`, (reward − loc) / scale.

    >>> td = TensorDict({"next": {"reward": torch.tensor([2.0])}})
    >>> RewardScaling(loc=1.0, scale=0.1)(td)["next", "reward"]
    tensor([1.2000])
    """

    loc: float | Tensor
    scale: float | Tensor
    in_keys: Sequence[Key] = ("reward",)
    standard_normal: bool = False

    def apply(self, x: Tensor) -> Tensor:
        """[*B, 1] -> [*B, 1]."""
        return (x - self.loc) / self.scale if self.standard_normal else x * self.scale + self.loc

    def _shown(self) -> str:
        return affine(self.loc, self.scale) + super()._shown()


@dataclass(frozen=True, eq=False, repr=False)
class RewardClipping(_OfRewards):
    """The reward, but at least `clamp_min` and at most `clamp_max`.

    Raises: ValueError if the one exceeds the other.

    >>> td = TensorDict({"next": {"reward": torch.tensor([2.0])}})
    >>> RewardClipping(-1.0, 1.0)(td)["next", "reward"]
    tensor([1.])
    """

    clamp_min: float
    clamp_max: float
    in_keys: Sequence[Key] = ("reward",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.clamp_min <= self.clamp_max:
            raise ValueError(
                f"RewardClipping: clamp_min is {self.clamp_min} and clamp_max is {self.clamp_max}; the first must not "
                "exceed the second."
            )

    def apply(self, x: Tensor) -> Tensor:
        """[*B, 1] -> [*B, 1]."""
        return x.clamp(self.clamp_min, self.clamp_max)

    def spec(self, spec: Spec) -> Spec:
        """Between the two."""
        if isinstance(spec, Bounded):
            return mapped(self.apply, spec)
        return Bounded(self.clamp_min, self.clamp_max, spec.shape, spec.device, spec.dtype)

    def _shown(self) -> str:
        return f"clamp_min={self.clamp_min:.4f}, clamp_max={self.clamp_max:.4f}, {super()._shown()}"


class Running(Transform):
    """A total for each reward, in `out_keys` [*B, 1], that goes on from step to step of an episode.

    >>> class Product(Running):
    ...     in_keys, out_keys, first = ("reward",), ("product",), 1.0
    ...
    ...     def total(self, before, reward):
    ...         return before * reward
    >>> td = Product().reset(TensorDict({"observation": torch.ones(2)}), None)[0]
    >>> Product().step(td, TensorDict({"reward": torch.tensor([3.0])}), None)[0]["product"]
    tensor([3.])
    """

    out_keys: Sequence[Key]

    def __post_init__(self) -> None:
        require_keys(self, "in_keys", self.in_keys)
        require_keys(self, "out_keys", self.out_keys, len(self.in_keys))

    @property
    def first(self) -> float:
        """The total at the beginning of every episode."""
        return 0.0

    def total(self, before: Tensor, reward: Tensor) -> Tensor:
        """The total after a step, from that before it and its reward."""
        raise NotImplementedError

    def reset(self, td: TensorDict, state: State) -> tuple[TensorDict, State]:
        """The first total."""
        for target in self.out_keys:
            td = td.set(target, blank(td, torch.float32) + self.first)
        return td, state

    def step(self, td: TensorDict, after: TensorDict, state: State) -> tuple[TensorDict, State]:
        """The total so far with this reward."""
        for source, target in zip(self.in_keys, self.out_keys, strict=True):
            before = entry(self, td, target)
            after = after.set(target, self.total(before, entry(self, after, source)).to(before.dtype))
        return after, state

    def observation_spec(self, spec: Composite) -> Composite:
        """With the totals."""
        for target in self.out_keys:
            spec = set_spec(spec, target, Unbounded(1))
        return spec

    @property
    def bookkeeping(self) -> tuple[Key, ...]:
        """The totals: a policy that is told of them reads them by their own names."""
        return tuple(self.out_keys)


@dataclass(frozen=True, eq=False, repr=False)
class RewardSum(Running):
    """The sum of the rewards of this episode, up to and with each step, in `out_keys`; it begins at 0.

    It adds up what the transforms before it make of the reward: put it first for the environment's own.

    Raises: TypeError if in_keys or out_keys are no keys; ValueError unless there are as many of both.

    >>> from frl import random
    >>> from frl.envs import make
    >>> from frl.transforms import TransformedEnv
    >>> td = TransformedEnv(make("CartPole-v1"), RewardSum()).rollout(3, key=random.key(0))
    >>> td["next", "episode_reward"].flatten().tolist()
    [1.0, 2.0, 3.0]
    """

    in_keys: Sequence[Key] = ("reward",)
    out_keys: Sequence[Key] = ("episode_reward",)

    def total(self, before: Tensor, reward: Tensor) -> Tensor:
        """The sum so far and this reward."""
        return before + reward
