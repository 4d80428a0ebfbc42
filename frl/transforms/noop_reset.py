"""Episodes that begin with some random steps."""

from dataclasses import dataclass
from typing import Any

import gymnasium
import torch
from torch import Tensor

from frl import check, control, tree
from frl import random as rand
from frl.envs import Env
from frl.envs.base import promote
from frl.tensordict import TensorDict
from frl.transforms.base import Transform
from frl.transforms.inner import GymEnvironment, Inner, around


@dataclass(frozen=True, eq=False, repr=False)
class NoopResetEnv(Transform):
    """After each reset, up to `noops` random steps, before the episode is shown. They count towards a time limit.

    Where an episode ends on the way, it begins afresh and is shown at once. The steps know of no ActionMask. It acts on
    the base environment, so it comes before all other transforms, wherever it stands. In a pure environment each
    collected step pays for `noops` more, for any row may need a reset.

    Args: noops: at least 1. random: the number of steps is drawn from 1 to `noops`; otherwise it is `noops`.
    Raises: ValueError if `noops` is below 1; TypeError for an environment that is neither pure nor Gymnasium's.

    >>> from frl.envs import make
    >>> from frl.transforms import TransformedEnv
    >>> env = TransformedEnv(make("Pendulum-v1"), NoopResetEnv(3))
    >>> env.transform
    NoopResetEnv(noops=3, random=True)
    >>> env.reset(rand.key(0))["observation"].shape
    torch.Size([3])
    """

    noops: int = 30
    random: bool = True

    def __post_init__(self) -> None:
        check.at_least("NoopResetEnv", {"noops": self.noops}, 1)

    def around(self, env: Env) -> Env:
        """The environment whose episodes begin so."""
        return around(
            "NoopResetEnv",
            env,
            lambda env: _Begun(env, self.noops, self.random),
            lambda env: _BegunGym(env, self.noops, self.random),
        )

    def _shown(self) -> str:
        return f"noops={self.noops}, random={self.random}"


class _Begun(Inner):
    def __init__(self, env: Env, noops: int, random: bool):
        super().__init__(env)
        self.noops, self.random = noops, random

    def reset(self, key: Tensor | None = None) -> TensorDict:
        k_reset, k_again, k_count, k_steps = self.split_key(key, 4)
        td, again = self.env.reset(k_reset), self.env.reset(k_again)
        (keys,) = rand.rows(k_count, self.batch_size)
        low = 1 if self.random else self.noops
        count = rand.randint(low, self.noops + 1, (), keys)

        def body(carry: TensorDict, x: tuple[Tensor, Tensor]) -> tuple[TensorDict, Any]:
            index, key = x
            after = promote(self.env.rand_step(carry, key))
            moves = (index < count) & ~carry["done"].squeeze(-1)
            return tree.where(moves, after, carry), ()

        steps = torch.arange(self.noops, device=keys.device), rand.split(k_steps, self.noops)
        td, _ = control.scan(body, td, steps)
        return tree.where(td["done"].squeeze(-1), again, td)


class _BegunGym(gymnasium.Wrapper[Any, Any, Any, Any]):
    def __init__(self, env: GymEnvironment, noops: int, random: bool):
        super().__init__(env)
        self.noops, self.random = noops, random

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        observation, info = self.env.reset(seed=seed, options=options)
        draws = self.unwrapped.np_random  # seeded by the reset, so that equal keys give equal episodes
        self.action_space.seed(int(draws.integers(2**31)))
        for _ in range(int(draws.integers(1, self.noops + 1)) if self.random else self.noops):
            observation, _, terminated, truncated, info = self.env.step(self.action_space.sample())
            if terminated or truncated:
                return self.env.reset()
        return observation, info
