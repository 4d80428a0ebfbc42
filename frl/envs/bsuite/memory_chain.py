"""MemoryChain: say at the end of a chain what was seen at its beginning."""

from typing import Any, ClassVar, NamedTuple

import gymnasium
import numpy as np
import torch
from gymnasium.experimental.functional import FuncEnv
from torch import Tensor

from frl import check, random
from frl.envs.bsuite.chain import GONE, chain
from frl.envs.drawing import BLACK
from frl.envs.spaces import scalar_type


class MemoryChainParams(NamedTuple):
    """How long the chain is, a number or a tensor that broadcasts against the batch [*B]."""

    memory_length: float | Tensor = 5
    """An episode has one step more; a longer chain needs a longer time limit than that of `make`."""


class MemoryChainState(NamedTuple):
    """What is to be remembered, and the steps so far, each int64."""

    context: Tensor
    """Bits, 0 or 1, [*B, num_bits]."""
    query: Tensor
    """Which of them is asked for, [*B]."""
    time: Tensor
    """[*B]."""


class MemoryChain(FuncEnv[MemoryChainState, Tensor, Tensor, Tensor, Tensor, Any, MemoryChainParams]):
    """MemoryChain of bsuite: bits are shown at the beginning; the last action must be the one that is asked for.

    The observation [*B, 2 + num_bits] is (1 − t / `memory_length`, the query, the bits as -1 and 1). The bits are shown
    at t = 0 and the query one step before the end, each is 0 otherwise; as in bsuite what is shown lags one step, so
    that t = 0 is shown twice. The action [*B] is 0 or 1; the reward is 0 but for the last step: 1 if the action is the
    bit that was asked for and -1 if not. Terminal after `memory_length` + 1 steps.

    Args: num_bits: at least 1. dtype: of the observation and the reward.
    Raises: ValueError for less bits; TypeError for a dtype that is not floating point.
    Source: Osband et al. (2020), "Behaviour suite for reinforcement learning".

    >>> env = MemoryChain(num_bits=2)
    >>> begin = MemoryChainState(torch.tensor([1, 0]), torch.tensor(1), torch.tensor(0))
    >>> env.observation(begin, random.key(0)).tolist()
    [1.0, 0.0, 1.0, -1.0]
    >>> [round(x, 4) for x in env.observation(begin._replace(time=torch.tensor(5)), random.key(0)).tolist()]
    [0.2, 1.0, 0.0, 0.0]
    """

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 4}

    def __init__(self, num_bits: int = 1, dtype: torch.dtype = torch.float32):
        super().__init__()
        check.at_least("MemoryChain", {"num_bits": num_bits}, 1)
        self.num_bits, self.dtype = num_bits, dtype
        scalar = scalar_type(type(self).__name__, dtype)
        low, high = [0.0, 0.0, *[-1.0] * num_bits], [1.0, max(num_bits - 1.0, 1.0), *[1.0] * num_bits]
        self.observation_space = gymnasium.spaces.Box(np.array(low, scalar), np.array(high, scalar), dtype=scalar)
        self.action_space = gymnasium.spaces.Discrete(2)

    def get_default_params(self) -> MemoryChainParams:  # type: ignore[override]
        """A chain of 5 steps."""
        return MemoryChainParams()

    def initial(self, rng: Tensor, params: MemoryChainParams | None = None) -> MemoryChainState:
        """Random bits and a random query, for keys [*B, 2]."""
        k_context, k_query = random.split(rng)
        context = random.randint(0, 2, self.num_bits, k_context)
        query = random.randint(0, self.num_bits, (), k_query)
        return MemoryChainState(context, query, torch.zeros_like(query))

    def transition(
        self, state: MemoryChainState, action: Tensor, rng: Tensor, params: MemoryChainParams | None = None
    ) -> MemoryChainState:
        """Time passes."""
        return state._replace(time=state.time + 1)

    def observation(self, state: MemoryChainState, rng: Tensor, params: MemoryChainParams | None = None) -> Tensor:
        """(what is left of the time, the query, the bits), [*B, 2 + num_bits]."""
        length = (params or self.get_default_params()).memory_length
        shown = torch.clamp(state.time - 1, min=0)
        left = torch.clamp(1 - shown.to(self.dtype) / length, min=0.0)
        asked = torch.where((shown >= length - 1) & (shown < length), state.query, 0).to(self.dtype)
        bits = torch.where((shown == 0).unsqueeze(-1), 2 * state.context - 1, 0).to(self.dtype)
        return torch.cat((torch.stack((left, asked), -1), bits), -1)

    def reward(
        self,
        state: MemoryChainState,
        action: Tensor,
        next_state: MemoryChainState,
        rng: Tensor,
        params: MemoryChainParams | None = None,
    ) -> Tensor:
        """1 for the right last action, -1 for the wrong one, and 0 before, [*B]."""
        asked = state.context.gather(-1, state.query.unsqueeze(-1)).squeeze(-1)
        right = (action == asked).to(self.dtype)
        return torch.where(self.terminal(next_state, rng, params), 2 * right - 1, 0.0)

    def terminal(self, state: MemoryChainState, rng: Tensor, params: MemoryChainParams | None = None) -> Tensor:
        """Whether the last action was taken, [*B]."""
        return state.time > (params or self.get_default_params()).memory_length

    def draw(
        self, state: MemoryChainState, params: MemoryChainParams | None = None, size: tuple[int, int] | None = None
    ) -> Tensor:
        """[*B] -> [*B, H, W, 3] uint8: the chain, its bits, full for 1, and the one asked for; 80 × 220 by default.

        >>> MemoryChain().draw(MemoryChain().initial(random.key(0))).shape
        torch.Size([80, 220, 3])
        """
        picture = chain(state.time, (params or self.get_default_params()).memory_length + 1, size)
        for i in range(self.num_bits):
            center, bit = (20 + 180 * i / self.num_bits, 55), state.context[..., i]
            picture = picture.disc(center, torch.where(state.query == i, 12.0, GONE), (204, 204, 0))
            picture = picture.disc(center, 8, BLACK).disc(center, torch.where(bit == 1, GONE, 6.0), (255, 255, 255))
        return picture.pixels()
