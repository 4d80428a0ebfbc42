"""CartPole without its velocities: what a policy needs a memory for."""

from typing import Any

import gymnasium
import torch
from torch import Tensor

from frl.envs.classic.cartpole import CartPole, CartPoleParams


class PositionOnlyCartPole(CartPole):
    """`CartPole` that shows (x, θ) alone, [*B, 2]; both velocities have to be inferred from what was seen before.

    Source: Morad et al. (2023), "POPGym: Benchmarking Partially Observable Reinforcement Learning", ICLR, and Wierstra
    et al. (2007), who hid the velocities of pole balancing for recurrent policies.

    >>> PositionOnlyCartPole().observation(torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.zeros(2))
    tensor([1., 3.])
    """

    def __init__(self, dtype: torch.dtype = torch.float32):
        super().__init__(dtype)
        space: Any = self.observation_space
        self.observation_space = gymnasium.spaces.Box(space.low[::2], space.high[::2], dtype=space.dtype)

    def observation(self, state: Tensor, rng: Tensor, params: CartPoleParams | None = None) -> Tensor:
        """[*B, 4] -> [*B, 2]."""
        return state[..., ::2].clone()
