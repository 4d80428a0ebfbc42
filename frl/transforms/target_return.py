"""What is still wanted of an episode, for policies that are told which return to reach."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from frl.specs import Composite, Unbounded
from frl.tensordict import Key, TensorDict
from frl.transforms.base import State, Transform, blank, entry, require_keys
from frl.transforms.entries import set_spec


@dataclass(frozen=True, eq=False, repr=False)
class TargetReturn(Transform):
    """The wanted return less the rewards of the episode so far, in `out_keys` [*B, 1], which a policy is to earn yet.

    It subtracts what the transforms before it make of the reward. What is to stay the same in every step, as a wanted
    rate of reward, is a `TensorDictPrimer`.

    Args: target_return: at the beginning of every episode. in_keys: of the rewards. out_keys: one for each of them.
    Raises: TypeError if in_keys or out_keys are no keys; ValueError unless there are as many of both, and for a target
        that is not finite.
    Source: Chen et al. (2021), "Decision transformer", arXiv:2106.01345, section 3.

    >>> from frl import random
    >>> from frl.envs import make
    >>> from frl.transforms import TransformedEnv
    >>> td = TransformedEnv(make("CartPole-v1"), TargetReturn(500.0)).rollout(3, key=random.key(0))
    >>> td["return_to_go"].flatten().tolist()
    [500.0, 499.0, 498.0]
    """

    target_return: float
    in_keys: Sequence[Key] = ("reward",)
    out_keys: Sequence[Key] = ("return_to_go",)

    def __post_init__(self) -> None:
        require_keys(self, "in_keys", self.in_keys)
        require_keys(self, "out_keys", self.out_keys, len(self.in_keys))
        if not math.isfinite(self.target_return):
            raise ValueError(f"TargetReturn: target_return is {self.target_return} but must be a finite number.")

    def reset(self, td: TensorDict, state: State) -> tuple[TensorDict, State]:
        """All of it."""
        for target in self.out_keys:
            td = td.set(target, blank(td, torch.float32) + self.target_return)
        return td, state

    def step(self, td: TensorDict, after: TensorDict, state: State) -> tuple[TensorDict, State]:
        """What was wanted before, less this reward."""
        for source, target in zip(self.in_keys, self.out_keys, strict=True):
            wanted = entry(self, td, target)
            after = after.set(target, (wanted - entry(self, after, source)).to(wanted.dtype))
        return after, state

    def observation_spec(self, spec: Composite) -> Composite:
        """With what is wanted."""
        for target in self.out_keys:
            spec = set_spec(spec, target, Unbounded(1))
        return spec

    @property
    def bookkeeping(self) -> tuple[Key, ...]:
        """What is wanted: a policy that is told reads it by its own name."""
        return tuple(self.out_keys)

    def _shown(self) -> str:
        return f"target_return={self.target_return}, {super()._shown()}"
