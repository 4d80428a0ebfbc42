"""The same action several times in a row."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from frl import check, control, tree
from frl.envs import Env, GymWrapper
from frl.envs.pixels import FrameSkip
from frl.tensordict import TensorDict
from frl.transforms.base import Transform
from frl.transforms.inner import Inner, around


@dataclass(frozen=True, eq=False, repr=False)
class FrameSkipTransform(Transform):
    """Each step is `frame_skip` steps of the environment with one action: the last observation, the sum of rewards.

    Where an episode ends on the way, so does the step: TorchRL's goes on beyond. It acts on the base environment, so it
    comes before all other transforms, wherever it stands.

    Raises: ValueError if `frame_skip` is below 1; TypeError for an environment that is neither pure nor Gymnasium's.

    >>> from frl import random
    >>> from frl.envs import make
    >>> from frl.transforms import TransformedEnv
    >>> env = TransformedEnv(make("CartPole-v1"), FrameSkipTransform(4))
    >>> env.rand_step(env.reset(random.key(0)), random.key(1))["next", "reward"], env.max_steps
    (tensor([4.]), 125)
    """

    frame_skip: int

    def __post_init__(self) -> None:
        check.at_least("FrameSkipTransform", {"frame_skip": self.frame_skip}, 1)

    def around(self, env: Env) -> Env:
        """The environment that repeats actions."""
        repeated = around(
            "FrameSkipTransform",
            env,
            lambda env: _Repeated(env, self.frame_skip),
            lambda env: FrameSkip(env, self.frame_skip),
        )
        if isinstance(repeated, GymWrapper):
            repeated.max_steps = _limit(env.max_steps, self.frame_skip)
        return repeated

    def _shown(self) -> str:
        return f"frame_skip={self.frame_skip}"


class _Repeated(Inner):
    def __init__(self, env: Env, num: int):
        super().__init__(env)
        self.num, self.max_steps = num, _limit(env.max_steps, num)

    def step(self, td: TensorDict, key: Tensor | None = None) -> TensorDict:
        keys = self.split_key(key, self.num)
        first = self.env.step(td, keys[0])["next"]
        if self.num == 1:
            return td.set("next", first)

        def body(carry: tuple[TensorDict, Tensor], key: Tensor) -> tuple[tuple[TensorDict, Tensor], Any]:
            at, total = carry
            after = self.env.step(at.set("action", td["action"]), key)["next"]
            ended = at["done"].squeeze(-1)
            reward = total + after["reward"].where(~at["done"], after["reward"].new_zeros(()))
            return (tree.where(ended, at, after.exclude("reward")), reward), ()

        (at, total), _ = control.scan(body, (first.exclude("reward"), first["reward"]), keys[1:])
        return td.set("next", at.set("reward", total))


def _limit(max_steps: int | None, num: int) -> int | None:
    return None if max_steps is None else -(-max_steps // num)
