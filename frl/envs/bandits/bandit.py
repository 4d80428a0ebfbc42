"""What bandits share: a task of several arms, of which each episode has another, and what a learner sees of it."""

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

import gymnasium
import numpy as np
import torch
from gymnasium.experimental.functional import FuncEnv
from torch import Tensor

from frl import check
from frl.envs.drawing import BLACK, canvas
from frl.envs.spaces import scalar_type


class BanditState(NamedTuple):
    """The task, which is not seen, and what came of the last pull."""

    arms: Tensor
    """The expected reward of each arm, [*B, A]."""
    last_action: Tensor
    """int64 [*B]; -1 before the first pull."""
    last_reward: Tensor
    """[*B]; 0 before the first pull."""
    time: Tensor
    """Pulls so far, int64 [*B]."""


class _Horizon(Protocol):
    @property
    def num_pulls(self) -> float | Tensor: ...


_P = TypeVar("_P", bound=_Horizon)


class Bandit(FuncEnv[BanditState, Tensor, Tensor, Tensor, Tensor, Any, _P]):
    """A bandit as a problem of meta-learning: each episode draws another task, and all pulls of it are one episode.

    The observation [*B, A + 2] is (the last reward, the last action one-hot, 2 t / `num_pulls` − 1), with zeros for the
    action before the first pull: what RL² (Duan et al. 2016, https://arxiv.org/abs/1611.02779; Wang et al. 2016,
    https://arxiv.org/abs/1611.05763) feeds to a policy with a memory, for there is nothing else to see. The action [*B]
    is an arm. Terminal after `num_pulls` pulls: the end is seen to come, so nothing is to be hoped for after it.

    Those who derive from it write `get_default_params`, `_drawn_arms` and `_pull`.

    Args: num_arms: A, at least 2. max_reward: the bound of what one pull pays, or infinity. dtype: of the observation
        and the reward.
    Raises: ValueError for less arms; TypeError for a dtype that is not floating point.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 10}

    def __init__(self, num_arms: int, max_reward: float, dtype: torch.dtype):
        super().__init__()
        name = type(self).__name__
        check.at_least(name, {"num_arms": num_arms}, 2)
        self.num_arms, self.dtype = num_arms, dtype
        scalar = scalar_type(name, dtype)
        least = 0.0 if max_reward < np.inf else -np.inf
        low = np.array([least, *[0.0] * num_arms, -1.0], scalar)
        high = np.array([max_reward, *[1.0] * num_arms, 1.0], scalar)
        self.observation_space = gymnasium.spaces.Box(low, high, dtype=scalar)
        self.action_space = gymnasium.spaces.Discrete(num_arms)

    @abstractmethod
    def get_default_params(self) -> _P:  # type: ignore[override]
        """The tasks and their length unless others are given."""

    @abstractmethod
    def _drawn_arms(self, rng: Tensor, params: _P) -> Tensor:
        """The expected rewards of another task for each key, [*B, A]."""

    @abstractmethod
    def _pull(self, action: Tensor, expected: Tensor, rng: Tensor, params: _P) -> Tensor:
        """What the arms [*B] of these expected rewards [*B] pay, [*B]."""

    def initial(self, rng: Tensor, params: _P | None = None) -> BanditState:
        """Another task for each key [*B, 2], unless the physics fix one; nothing pulled yet."""
        arms = self._drawn_arms(rng, self._physics(params))
        time, none = torch.zeros_like(rng[..., 0]), torch.full_like(rng[..., 0], -1)
        return BanditState(arms, none, torch.zeros_like(time, dtype=self.dtype), time)

    def transition(self, state: BanditState, action: Tensor, rng: Tensor, params: _P | None = None) -> BanditState:
        """One pull, whose reward is remembered."""
        arm = action.to(torch.int64)
        expected = state.arms.gather(-1, arm.unsqueeze(-1)).squeeze(-1)
        return BanditState(state.arms, arm, self._pull(arm, expected, rng, self._physics(params)), state.time + 1)

    def observation(self, state: BanditState, rng: Tensor, params: _P | None = None) -> Tensor:
        """(the last reward, the last action one-hot, the time from -1 to 1), [*B, A + 2]."""
        one_hot = state.last_action.unsqueeze(-1) == torch.arange(self.num_arms, device=rng.device)
        over = torch.clamp(state.time.to(self.dtype) / self._physics(params).num_pulls, max=1.0)
        parts = (state.last_reward.unsqueeze(-1), one_hot.to(self.dtype), (2 * over - 1).unsqueeze(-1))
        return torch.cat(parts, -1)

    def reward(
        self, state: BanditState, action: Tensor, next_state: BanditState, rng: Tensor, params: _P | None = None
    ) -> Tensor:
        """What the pull paid, [*B]."""
        return next_state.last_reward.clone()

    def terminal(self, state: BanditState, rng: Tensor, params: _P | None = None) -> Tensor:
        """Whether all pulls are done, [*B]."""
        return state.time >= self._physics(params).num_pulls

    def draw(self, state: BanditState, params: _P | None = None, size: tuple[int, int] | None = None) -> Tensor:
        """[*B] -> [*B, H, W, 3] uint8: each arm's expected reward, the last pull below, its reward beside it.

        A reward of 1 is 40 pixels of 160 × 60 A; the line at the bottom is the time.

        >>> from frl import random
        >>> from frl.envs.bandits import BernoulliBandit
        >>> BernoulliBandit().draw(BernoulliBandit().initial(random.key(0))).shape
        torch.Size([160, 120, 3])
        """
        width, floor = 60 * self.num_arms, 80
        picture = canvas((width, 160), size, state.time.device).segment((0, floor), (width, floor), 1, BLACK)
        reward = floor + 40 * torch.clamp(state.last_reward, -1.7, 1.9)
        for i in range(self.num_arms):
            x, arm = 60 * i + 25, floor + 40 * torch.clamp(state.arms[..., i], -1.7, 1.9)
            picture = picture.segment((x, floor), (x, arm), 20, (153, 194, 255))
            pulled = torch.where(state.last_action == i, 5.0, -1e6)  # a disc of negative radius is nowhere
            picture = picture.disc((x + 18, reward), pulled, (204, 51, 51)).disc((x, 12), pulled, BLACK)
        over = state.time / self._physics(params).num_pulls
        return picture.segment((0, 2), (over * width, 2), 3, BLACK).pixels()

    def _physics(self, params: _P | None) -> _P:
        return self.get_default_params() if params is None else params
