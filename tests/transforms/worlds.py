"""A small pure environment with something for every transform: an image, a vector, a mask and lives."""

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.experimental.functional import FuncEnv
from torch import Tensor

from frl import random
from frl.envs import Env, FunctionalEnv, make


class Scene(FuncEnv[Any, Any, Any, Any, Any, Any, Any]):
    """A vector that walks; an episode ends when its first element exceeds 2. State [*B, 4]: the step, the vector."""

    observation_space = spaces.Dict(
        {
            "pixels": spaces.Box(0, 255, (6, 8, 3), np.uint8),
            "observation": spaces.Box(-np.inf, np.inf, (3,), np.float32),
            "bounded": spaces.Box(-1.0, 1.0, (2,), np.float32),
            "double": spaces.Box(-1.0, 1.0, (2,), np.float64),
            "action_mask": spaces.MultiBinary(3),
            "lives": spaces.Box(0, 3, (1,), np.int64),
        }
    )
    action_space = spaces.Discrete(3)

    def initial(self, rng: Tensor, params: Any = None) -> Tensor:
        return torch.cat([torch.zeros(*rng.shape[:-1], 1), random.normal(3, rng)], -1)

    def transition(self, state: Tensor, action: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        vector = state[..., 1:] + (action - 1).unsqueeze(-1) + 0.5 * random.normal(3, rng)
        return torch.cat([state[..., :1] + 1, vector], -1)

    def observation(self, state: Tensor, rng: Tensor, params: Any = None) -> dict[str, Tensor]:
        count, vector = state[..., :1], state[..., 1:]
        shade = torch.arange(48, dtype=torch.float32).reshape(6, 8, 1) + 20 * vector.abs()[..., None, None, :]
        allowed = torch.arange(3) != (count.to(torch.int64) % 3)
        return {
            "pixels": shade.clamp(0, 255).to(torch.uint8),
            "observation": vector.clone(),
            "bounded": torch.tanh(vector[..., :2]),
            "double": torch.tanh(vector[..., 1:]).double(),
            "action_mask": allowed.to(torch.int8),
            "lives": (3 - count.to(torch.int64) // 2).clamp(min=0),
        }

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return 2 * torch.tanh(next_state[..., 1])

    def terminal(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return state[..., 1] > 2


def scene(batch: tuple[int, ...] = (3,), max_steps: int | None = 9) -> Env:
    return FunctionalEnv(Scene(), batch, max_steps)


def pendulum(batch: tuple[int, ...] = (3,), max_steps: int | None = 9) -> Env:
    env = make("Pendulum-v1", batch)
    assert isinstance(env, FunctionalEnv)
    return FunctionalEnv(env.func_env, batch, max_steps)


class Count(gymnasium.Env[Any, Any]):
    """Gymnasium's: counts its own steps, shows the count, earns it, and ends at `end`."""

    observation_space = spaces.Box(0, 1000, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, end: int = 5):
        self.end, self.count = end, 0

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.count = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        self.count += 1
        return np.full(1, self.count, np.float32), float(self.count), self.count >= self.end, False, {}


class PureCount(FuncEnv[Any, Any, Any, Any, Any, Any, Any]):
    """The same, pure. State [*B, 1]: the count."""

    observation_space, action_space = Count.observation_space, Count.action_space
    default_params: Any = None

    def __init__(self, end: int = 5):
        super().__init__()
        self.end = end

    def initial(self, rng: Tensor, params: Any = None) -> Tensor:
        return torch.zeros(*rng.shape[:-1], 1)

    def transition(self, state: Tensor, action: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return state + 1

    def observation(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return state.clone()

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return next_state[..., 0].clone()

    def terminal(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return state[..., 0] >= self.end
