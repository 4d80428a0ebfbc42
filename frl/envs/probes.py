"""Environments of known value: each tells one fault of an algorithm from all others.

An algorithm that fails in `LateReward` but not in `SeenReward` discounts wrongly, one that fails in `Cut` but not in
`Endless` carries values from one episode into the next, and so on. Each learns in seconds.

Source: Andy Jones (2021), https://andyljones.com/posts/rl-debugging.html, for the first five; the others are of the
same kind.
"""

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.experimental.functional import FuncEnv
from torch import Tensor

from frl import random


class Probe(FuncEnv):
    """One step, the observation 0, the reward 1, whatever the action; the others differ from it in one thing each.

    State: [*B, 2], what the episode drew and the number of steps taken. To be used as
    `FunctionalEnv(Probe(), batch_size, max_steps=probe.max_steps)`.

    Args: action_space: another one, where the action does not matter.

    >>> from frl.envs import FunctionalEnv
    >>> env = FunctionalEnv(LateReward(), 3)
    >>> td = env.reset(random.key(0))
    >>> env.func_env.value(td["state"], gamma=0.5)
    tensor([0.5000, 0.5000, 0.5000])
    """

    observation_space: gymnasium.Space[Any] = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space: gymnasium.Space[Any] = gymnasium.spaces.Discrete(2)
    default_params: Any = None
    max_steps: int | None = None
    """The time limit that belongs to it."""

    def __init__(self, action_space: gymnasium.Space[Any] | None = None):
        super().__init__()
        if action_space is not None:
            self.action_space = action_space

    def value(self, state: Tensor, gamma: float) -> Tensor:
        """The value [*B] of `state` under the best policy, by the discount `gamma`."""
        return torch.ones_like(state[..., 0])

    def initial(self, rng: Tensor, params: Any = None) -> Tensor:
        """No step taken, nothing drawn."""
        return torch.zeros(*rng.shape[:-1], 2)

    def transition(self, state: Tensor, action: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """One step more."""
        return torch.stack([state[..., 0], state[..., 1] + 1], -1)

    def observation(self, state: Tensor, rng: Tensor, params: Any = None) -> Any:
        """What was drawn: [*B, 1]."""
        return state[..., :1]

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """1."""
        return torch.ones_like(state[..., 0])

    def terminal(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """After one step."""
        return state[..., 1] >= 1


class SeenReward(Probe):
    """The observation, -1 or +1, is the reward: a critic that ignores its input learns 0."""

    def value(self, state: Tensor, gamma: float) -> Tensor:
        """The reward."""
        return state[..., 0]

    def initial(self, rng: Tensor, params: Any = None) -> Tensor:
        """Draws the sign."""
        sign = random.randint(0, 2, (), rng).to(torch.float32) * 2 - 1
        return torch.stack([sign, torch.zeros_like(sign)], -1)

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """The sign."""
        return state[..., 0]


class GradedReward(SeenReward):
    """The observation, one of five numbers, is the reward: targets that are mixed between rows make it their mean."""

    def initial(self, rng: Tensor, params: Any = None) -> Tensor:
        """Draws the grade: -1, -0.5, 0, 0.5 or 1."""
        grade = random.randint(0, 5, (), rng).to(torch.float32) / 2 - 1
        return torch.stack([grade, torch.zeros_like(grade)], -1)


class LateReward(Probe):
    """Two steps, observed as 0 and 1, and the reward at the end: the first is worth gamma."""

    def value(self, state: Tensor, gamma: float) -> Tensor:
        """γ, then 1."""
        return gamma ** (1 - state[..., 1])

    def observation(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """The number of steps taken."""
        return state[..., 1:]

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """1 for the second step."""
        return state[..., 1]

    def terminal(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """After two steps."""
        return state[..., 1] >= 2


class RaggedReward(Probe):
    """One, two or three steps, of which it sees how many remain, and the reward at the end: rows end at other times."""

    observation_space = gymnasium.spaces.Box(-3.0, 3.0, (1,), np.float32)

    def value(self, state: Tensor, gamma: float) -> Tensor:
        """γ for each step before the last."""
        return gamma ** (state[..., 0] - state[..., 1] - 1)

    def initial(self, rng: Tensor, params: Any = None) -> Tensor:
        """Draws the number of steps."""
        length = random.randint(1, 4, (), rng).to(torch.float32)
        return torch.stack([length, torch.zeros_like(length)], -1)

    def observation(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """-3, 0 or 3 where one, two or three steps remain, far enough apart to be told; -3 after the last."""
        return 3 * (state[..., :1] - state[..., 1:] - 2).clamp(min=-1)

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """1 for the last step."""
        return (state[..., 0] - state[..., 1] == 1).to(torch.float32)

    def terminal(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """After the steps that it drew."""
        return state[..., 1] >= state[..., 0]


class ChosenReward(Probe):
    """Action 1 earns 1, action 0 earns -1: the policy must choose."""

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """The sign of the choice."""
        return action.to(torch.float32) * 2 - 1


class MatchedReward(SeenReward):
    """The action must match the observation: the policy must look."""

    def value(self, state: Tensor, gamma: float) -> Tensor:
        """1."""
        return torch.ones_like(state[..., 0])

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """1 if the choice has the sign that it saw, else -1."""
        return (action.to(torch.float32) * 2 - 1) * state[..., 0]


class Endless(Probe):
    """Reward 1 for ever, cut by a time limit only: worth 1 / (1 - gamma), whatever the limit."""

    max_steps = 3

    def value(self, state: Tensor, gamma: float) -> Tensor:
        """1 / (1 − γ)."""
        return torch.ones_like(state[..., 0]) / (1 - gamma)

    def transition(self, state: Tensor, action: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """As it was."""
        return state

    def terminal(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """Never."""
        return torch.zeros_like(state[..., 0], dtype=torch.bool)


class EndlessSign(SeenReward):
    """The sign that it sees, again and again, cut by a time limit; the next episode draws another.

    A value that leaks from the beginning of the next episode into the end of this one makes both smaller.
    """

    max_steps = 3

    def value(self, state: Tensor, gamma: float) -> Tensor:
        """The sign / (1 − γ)."""
        return state[..., 0] / (1 - gamma)

    def terminal(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """Never."""
        return torch.zeros_like(state[..., 0], dtype=torch.bool)


class Alternating(Endless):
    """Observations 0 and 1 in turn for ever, the reward is what it saw: rows that are off by one swap the values."""

    max_steps = 7

    def value(self, state: Tensor, gamma: float) -> Tensor:
        """γ / (1 − γ²) and 1 / (1 − γ²)."""
        return gamma ** (1 - state[..., 1]) / (1 - gamma**2)

    def transition(self, state: Tensor, action: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """The other one."""
        return torch.stack([state[..., 0], 1 - state[..., 1]], -1)

    def observation(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """0 or 1."""
        return state[..., 1:]

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """0 or 1, as it was seen."""
        return state[..., 1]


class BoxedReward(Probe):
    """Actions in [-0.3, 2]; the reward falls with the distance from 0.9: the policy must find its mean."""

    action_space = gymnasium.spaces.Box(-0.3, 2.0, (1,), np.float32)

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """1 − (action − 0.9)²."""
        return 1 - (action[..., 0] - 0.9) ** 2


class BoxedMatch(SeenReward):
    """Actions in [-0.3, 2]; the best is 0.4 or 1.4, by the sign that is seen: the policy must look."""

    action_space = gymnasium.spaces.Box(-0.3, 2.0, (1,), np.float32)

    def value(self, state: Tensor, gamma: float) -> Tensor:
        """1."""
        return torch.ones_like(state[..., 0])

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """1 − (action − best)²."""
        return 1 - (action[..., 0] - 0.9 - state[..., 0] / 2) ** 2


class Remembered(MatchedReward):
    """First -1 or +1 is seen, then 0; the second action must match the first sight: the policy needs a memory."""

    def value(self, state: Tensor, gamma: float) -> Tensor:
        """γ, then 1."""
        return gamma ** (1 - state[..., 1])

    def observation(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """The sign at first, then 0."""
        return torch.where(state[..., 1:] == 0, state[..., :1], 0.0)

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """Of the second action: 1 if it has the sign, else -1."""
        return (action.to(torch.float32) * 2 - 1) * state[..., 0] * state[..., 1]

    def terminal(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """After two steps."""
        return state[..., 1] >= 2


class Pictured(SeenReward):
    """The reward, -1 or +1, is the bright half of a picture of bytes: these must be read as numbers."""

    observation_space = gymnasium.spaces.Box(0, 255, (4, 4, 3), np.uint8)

    def observation(self, state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """[*B, 4, 4, 3], uint8: the right half is bright for +1, the left one for -1."""
        right = torch.arange(4, device=state.device) >= 2
        bright = right == (state[..., :1] > 0)
        return (bright.to(torch.uint8) * 255)[..., None, :, None].expand(*bright.shape[:-1], 4, 4, 3).clone()


class Parted(Probe):
    """Two observations, of which the reward is the mean: a critic that misses one learns half of it."""

    observation_space = gymnasium.spaces.Dict(
        {name: gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32) for name in ("left", "right")}
    )

    def value(self, state: Tensor, gamma: float) -> Tensor:
        """The mean of both signs, of which the state holds a number 0 to 3."""
        return self._signs(state).mean(-1)

    def initial(self, rng: Tensor, params: Any = None) -> Tensor:
        """Draws both signs, as a number from 0 to 3."""
        both = random.randint(0, 4, (), rng).to(torch.float32)
        return torch.stack([both, torch.zeros_like(both)], -1)

    def observation(self, state: Tensor, rng: Tensor, params: Any = None) -> dict[str, Tensor]:
        """{"left": [*B, 1], "right": [*B, 1]}."""
        signs = self._signs(state)
        return {"left": signs[..., :1], "right": signs[..., 1:]}

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """The mean of both signs."""
        return self._signs(state).mean(-1)

    @staticmethod
    def _signs(state: Tensor) -> Tensor:
        both = state[..., 0]
        return torch.stack([torch.where(both >= 2, 1.0, -1.0), torch.where(both % 2 == 1, 1.0, -1.0)], -1)


class Masked(Probe):
    """Of three actions "action_mask" forbids one, which costs 9; of the others the last is worth 1, the first 0."""

    observation_space = gymnasium.spaces.Dict(
        {"observation": Probe.observation_space, "action_mask": gymnasium.spaces.MultiBinary(3)}
    )

    action_space = gymnasium.spaces.Discrete(3)

    def initial(self, rng: Tensor, params: Any = None) -> Tensor:
        """Draws the forbidden one."""
        forbidden = random.randint(0, 3, (), rng).to(torch.float32)
        return torch.stack([forbidden, torch.zeros_like(forbidden)], -1)

    def observation(self, state: Tensor, rng: Tensor, params: Any = None) -> dict[str, Tensor]:
        """{"observation": the forbidden one − 1, [*B, 1]; "action_mask": [*B, 3], int8, 1 where allowed}."""
        allowed = torch.arange(3, device=state.device) != state[..., :1]
        return {"observation": state[..., :1] - 1, "action_mask": allowed.to(torch.int8)}

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """-9 for the forbidden one; 1 for the last of the others, 0 for the first."""
        forbidden = state[..., 0]
        best = torch.where(forbidden == 2, 1, 2)
        return torch.where(action == forbidden, -9.0, (action == best).to(torch.float32))


class Several(SeenReward):
    """Two choices at once, of 2 and of 3: each must be as the sign that is seen wants it, and is worth 1/2."""

    action_space = gymnasium.spaces.MultiDiscrete([2, 3])

    def value(self, state: Tensor, gamma: float) -> Tensor:
        """1."""
        return torch.ones_like(state[..., 0])

    def reward(self, state: Tensor, action: Tensor, next_state: Tensor, rng: Tensor, params: Any = None) -> Tensor:
        """Half of how many are right: 1 and 2 for the sign +1, 0 and 0 for -1."""
        best = (state[..., :1] > 0) * torch.tensor([1, 2], device=state.device)
        return (action == best).to(torch.float32).mean(-1)
