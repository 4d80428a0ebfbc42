"""UmbrellaChain: only the first action counts, and its reward comes at the end, after many that mean nothing."""

from typing import Any, ClassVar, NamedTuple

import gymnasium
import torch
from gymnasium.experimental.functional import FuncEnv
from torch import Tensor

from frl import check, random
from frl.envs.bsuite.chain import GONE, chain
from frl.envs.drawing import BLACK
from frl.envs.spaces import scalar_type


class UmbrellaChainParams(NamedTuple):
    """The chain, each a number or a tensor that broadcasts against the batch [*B]."""

    chain_length: float | Tensor = 10
    """The steps of an episode; a longer chain needs a longer time limit than that of `make`."""
    noise: float | Tensor = 1.0
    """The size of the rewards on the way, which are positive or negative by chance."""


class UmbrellaChainState(NamedTuple):
    """Each int64 [*B]."""

    need_umbrella: Tensor
    """1 if it will rain, else 0."""
    has_umbrella: Tensor
    time: Tensor


class UmbrellaChain(FuncEnv[UmbrellaChainState, Tensor, Tensor, Tensor, Tensor, Any, UmbrellaChainParams]):
    """UmbrellaChain of bsuite: take an umbrella at the beginning, or not, as the forecast says.

    The observation [*B, 3 + num_distractors] is (umbrella needed, umbrella had, 1 − t / `chain_length`, random bits).
    The first action [*B] is 1 to take the umbrella and 0 to leave it; later ones do nothing. The reward is -1 or 1 by
    chance, but for the last step 1 if the umbrella is there just if it is needed, and -1 if not. Terminal after
    `chain_length` steps.

    Args: num_distractors: how many random bits are seen. dtype: of the observation and the reward.
    Raises: ValueError for a negative number; TypeError for a dtype that is not floating point.
    Source: Osband et al. (2020), "Behaviour suite for reinforcement learning".

    >>> env, one, key = UmbrellaChain(), torch.tensor(1), random.key(0)
    >>> state = UmbrellaChainState(need_umbrella=one, has_umbrella=one, time=torch.tensor(9))
    >>> env.reward(state, one, env.transition(state, one, key), key)
    tensor(1.)
    """

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 4}

    def __init__(self, num_distractors: int = 0, dtype: torch.dtype = torch.float32):
        super().__init__()
        check.at_least("UmbrellaChain", {"num_distractors": num_distractors}, 0)
        self.num_distractors, self.dtype = num_distractors, dtype
        scalar = scalar_type(type(self).__name__, dtype)
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (3 + num_distractors,), dtype=scalar)
        self.action_space = gymnasium.spaces.Discrete(2)

    def get_default_params(self) -> UmbrellaChainParams:  # type: ignore[override]
        """A chain of 10 steps."""
        return UmbrellaChainParams()

    def initial(self, rng: Tensor, params: UmbrellaChainParams | None = None) -> UmbrellaChainState:
        """Rain or not, and an umbrella or not, for keys [*B, 2]."""
        need, has = random.randint(0, 2, 2, rng).unbind(-1)
        return UmbrellaChainState(need, has, torch.zeros_like(need))

    def transition(
        self, state: UmbrellaChainState, action: Tensor, rng: Tensor, params: UmbrellaChainParams | None = None
    ) -> UmbrellaChainState:
        """The first action takes the umbrella, or leaves it."""
        has = torch.where(state.time == 0, action.to(torch.int64), state.has_umbrella)
        return UmbrellaChainState(state.need_umbrella, has, state.time + 1)

    def observation(self, state: UmbrellaChainState, rng: Tensor, params: UmbrellaChainParams | None = None) -> Tensor:
        """(umbrella needed, umbrella had, what is left of the time, random bits), [*B, 3 + num_distractors]."""
        length = (params or self.get_default_params()).chain_length
        left = torch.clamp(1 - state.time.to(self.dtype) / length, min=0.0)
        seen = torch.stack((state.need_umbrella.to(self.dtype), state.has_umbrella.to(self.dtype), left), -1)
        if not self.num_distractors:
            return seen
        return torch.cat((seen, random.randint(0, 2, self.num_distractors, rng).to(self.dtype)), -1)

    def reward(
        self,
        state: UmbrellaChainState,
        action: Tensor,
        next_state: UmbrellaChainState,
        rng: Tensor,
        params: UmbrellaChainParams | None = None,
    ) -> Tensor:
        """1 or -1: by the umbrella in the last step, by chance before, [*B]."""
        params = params or self.get_default_params()
        right = (next_state.has_umbrella == next_state.need_umbrella).to(self.dtype)
        chance = random.randint(0, 2, (), rng).to(self.dtype)
        return torch.where(self.terminal(next_state, rng, params), 2 * right - 1, (2 * chance - 1) * params.noise)

    def terminal(self, state: UmbrellaChainState, rng: Tensor, params: UmbrellaChainParams | None = None) -> Tensor:
        """Whether the end of the chain is reached, [*B]."""
        return state.time >= (params or self.get_default_params()).chain_length

    def draw(
        self, state: UmbrellaChainState, params: UmbrellaChainParams | None = None, size: tuple[int, int] | None = None
    ) -> Tensor:
        """[*B] -> [*B, H, W, 3] uint8: the chain, drops if rain comes, the umbrella if it is there; 80 × 220.

        >>> UmbrellaChain().draw(UmbrellaChain().initial(random.key(0))).shape
        torch.Size([80, 220, 3])
        """
        picture = chain(state.time, (params or self.get_default_params()).chain_length, size)
        drop, away = torch.where(state.need_umbrella == 1, 4.0, GONE), torch.where(state.has_umbrella == 1, 0.0, GONE)
        for x, y in ((150, 60), (165, 45), (180, 65), (195, 50)):
            picture = picture.disc((x, y), drop, (51, 102, 204))
        picture = picture.segment((40, 35 + away), (40, 55 + away), 3, BLACK)
        return picture.polygon([(20, 52 + away), (60, 52 + away), (40, 70 + away)], (153, 51, 153)).pixels()
