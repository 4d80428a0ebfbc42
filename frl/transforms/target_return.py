"""What is still wanted of an episode, for policies that are told which return to reach."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from frl.tensordict import Key
from frl.transforms.rewards import Running


@dataclass(frozen=True, eq=False, repr=False)
class TargetReturn(Running):
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
        super().__post_init__()
        if not math.isfinite(self.target_return):
            raise ValueError(f"TargetReturn: target_return is {self.target_return} but must be a finite number.")

    @property
    def first(self) -> float:
        """All of it."""
        return self.target_return

    def total(self, before: Tensor, reward: Tensor) -> Tensor:
        """What was wanted before, less this reward."""
        return before - reward

    def _shown(self) -> str:
        return f"target_return={self.target_return}, {super()._shown()}"
