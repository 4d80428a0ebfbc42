"""DiscountingChain: the first action chooses how long one waits, and the longer wait may pay a little more."""

from typing import Any, ClassVar, NamedTuple

import gymnasium
import numpy as np
import torch
from gymnasium.experimental.functional import FuncEnv
from torch import Tensor

from frl.envs.bsuite.chain import chain, place
from frl.envs.drawing import BLACK
from frl.envs.spaces import scalar_type

_Five = tuple[float | Tensor, float | Tensor, float | Tensor, float | Tensor, float | Tensor]


class DiscountingChainParams(NamedTuple):
    """When each of the five chains pays and how much, each a number or a tensor that broadcasts against [*B]."""

    reward_times: _Five = (1, 3, 10, 30, 100)
    """The step of the episode, counted from 1."""
    rewards: _Five = (1.1, 1.0, 1.0, 1.0, 1.0)
    """bsuite's `mapping_seed` says which of them is 1.1."""
    episode_length: float | Tensor = 100


class DiscountingChainState(NamedTuple):
    """Each int64 [*B]."""

    context: Tensor
    """The first action, and -1 before it."""
    time: Tensor


class DiscountingChain(FuncEnv[DiscountingChainState, Tensor, Tensor, Tensor, Tensor, Any, DiscountingChainParams]):
    """DiscountingChain of bsuite: of five chains, one pays 10 % more; which one is best is for the discount to say.

    The observation [*B, 2] is (the chain, -1 before it is chosen; t / `episode_length`). The first action [*B], 0 to 4,
    chooses the chain; later ones do nothing. The reward is 0 but for one step, the 1st, 3rd, 10th, 30th or 100th.
    Terminal after `episode_length` steps.

    Args: dtype: of the observation and the reward.
    Source: Osband et al. (2020), "Behaviour suite for reinforcement learning".

    >>> env, key = DiscountingChain(), torch.zeros(2, dtype=torch.int64)
    >>> begin = env.initial(key)
    >>> after = env.transition(begin, torch.tensor(0), key)
    >>> env.reward(begin, torch.tensor(0), after, key), env.observation(after, key)
    (tensor(1.1000), tensor([0.0000, 0.0100]))
    """

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 20}

    def __init__(self, dtype: torch.dtype = torch.float32):
        super().__init__()
        self.dtype = dtype
        scalar = scalar_type(type(self).__name__, dtype)
        self.observation_space = gymnasium.spaces.Box(
            np.array([-1.0, 0.0], scalar), np.array([4.0, 1.0], scalar), dtype=scalar
        )
        self.action_space = gymnasium.spaces.Discrete(5)

    def get_default_params(self) -> DiscountingChainParams:  # type: ignore[override]
        """The times of bsuite, and the bonus for the chain that pays first."""
        return DiscountingChainParams()

    def initial(self, rng: Tensor, params: DiscountingChainParams | None = None) -> DiscountingChainState:
        """No chain yet, for keys [*B, 2], of which nothing is drawn."""
        time = torch.zeros_like(rng[..., 0])
        return DiscountingChainState(time - 1, time)

    def transition(
        self, state: DiscountingChainState, action: Tensor, rng: Tensor, params: DiscountingChainParams | None = None
    ) -> DiscountingChainState:
        """The first action chooses the chain."""
        chosen = torch.where(state.time == 0, action.to(torch.int64), state.context)
        return DiscountingChainState(chosen, state.time + 1)

    def observation(
        self, state: DiscountingChainState, rng: Tensor, params: DiscountingChainParams | None = None
    ) -> Tensor:
        """(the chain, how much of the episode is over), [*B, 2]."""
        length = (params or self.get_default_params()).episode_length
        over = torch.clamp(state.time.to(self.dtype) / length, max=1.0)
        return torch.stack((state.context.to(self.dtype), over), -1)

    def reward(
        self,
        state: DiscountingChainState,
        action: Tensor,
        next_state: DiscountingChainState,
        rng: Tensor,
        params: DiscountingChainParams | None = None,
    ) -> Tensor:
        """What the chosen chain pays in the step that reaches its time, else 0, [*B]."""
        params = params or self.get_default_params()
        total = torch.zeros_like(state.time, dtype=self.dtype)
        for i, (time, reward) in enumerate(zip(params.reward_times, params.rewards, strict=True)):
            pays = (next_state.context == i) & (state.time < time) & (next_state.time >= time)
            total = total + pays.to(self.dtype) * reward
        return total

    def terminal(
        self, state: DiscountingChainState, rng: Tensor, params: DiscountingChainParams | None = None
    ) -> Tensor:
        """Whether the episode is over, [*B]."""
        return state.time >= (params or self.get_default_params()).episode_length

    def draw(
        self,
        state: DiscountingChainState,
        params: DiscountingChainParams | None = None,
        size: tuple[int, int] | None = None,
    ) -> Tensor:
        """[*B] -> [*B, H, W, 3] uint8: the chains' rewards in time, the chosen one lower; 80 × 220 pixels by default.

        >>> DiscountingChain().draw(DiscountingChain().initial(torch.zeros(3, 2, dtype=torch.int64))).shape
        torch.Size([3, 80, 220, 3])
        """
        params = params or self.get_default_params()
        picture = chain(state.time, params.episode_length, size)
        for i, (time, reward) in enumerate(zip(params.reward_times, params.rewards, strict=True)):
            x, height = place(time, params.episode_length), torch.where(state.context == i, 30.0, 60.0)
            picture = picture.segment((x, 15), (x, height), 1, BLACK)
            picture = picture.disc((x, height), 60 * (reward - 0.9), (204, 204, 0))
        return picture.pixels()
