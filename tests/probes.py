"""Environments of known value (after Andy Jones, https://andyljones.com/posts/rl-debugging.html), one fault each."""

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.experimental.functional import FuncEnv
from torch import Tensor

from frl import random


class Probe(FuncEnv):
    """One action, zero observation, one step, reward 1; the others differ from it in one thing each. State: [*B, 2]."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)
    default_params: Any = None

    def initial(self, rng: Tensor, params: Any = None) -> Tensor:
        return torch.zeros(*rng.shape[:-1], 2)

    def transition(self, state: Tensor, action: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return torch.stack([state[..., 0], state[..., 1] + 1], -1)

    def observation(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return state[..., :1]

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return torch.ones_like(state[..., 0])

    def terminal(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return state[..., 1] >= 1


class SeenReward(Probe):
    """The observation, -1 or +1, is the reward: a critic that ignores its input learns 0."""

    def initial(self, rng: Tensor, params: Any = None) -> Tensor:
        sign = random.randint(0, 2, (), rng).to(torch.float32) * 2 - 1
        return torch.stack([sign, torch.zeros_like(sign)], -1)

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return state[..., 0]


class LateReward(Probe):
    """Two steps, observed as 0 and 1, and the reward at the end: the first is worth gamma."""

    def observation(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return state[..., 1:]

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return state[..., 1]

    def terminal(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return state[..., 1] >= 2


class ChosenReward(Probe):
    """Action 1 earns 1, action 0 earns -1: the policy must choose."""

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return action.to(torch.float32) * 2 - 1


class MatchedReward(SeenReward):
    """The action must match the observation: the policy must look."""

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return (action.to(torch.float32) * 2 - 1) * state[..., 0]


class Endless(Probe):
    """Reward 1 for ever, cut by a time limit only: worth 1 / (1 - gamma), whatever the limit."""

    def transition(self, state: Tensor, action: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return state

    def terminal(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return torch.zeros_like(state[..., 0], dtype=torch.bool)


class BoxedReward(Probe):
    """Actions in [-0.3, 2]; the reward falls with the distance from 0.9: the policy must find its mean."""

    action_space = gymnasium.spaces.Box(-0.3, 2.0, (1,), np.float32)

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return 1 - (action[..., 0] - 0.9) ** 2


class Remembered(MatchedReward):
    """First -1 or +1 is seen, then 0; the second action must match the first sight: the policy needs a memory."""

    def observation(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return torch.where(state[..., 1:] == 0, state[..., :1], 0.0)

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return (action.to(torch.float32) * 2 - 1) * state[..., 0] * state[..., 1]

    def terminal(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        return state[..., 1] >= 2
