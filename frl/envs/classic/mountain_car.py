"""MountainCar: reach the top of a hill with an engine too weak to climb it without a run-up."""

from typing import Any, ClassVar, NamedTuple

import gymnasium
import numpy as np
import torch
from gymnasium.experimental.functional import FuncEnv
from torch import Tensor

from frl import random
from frl.envs.drawing import BLACK, Canvas, canvas, everywhere
from frl.envs.spaces import scalar_type


class MountainCarParams(NamedTuple):
    """The physics, each a number or a tensor that broadcasts against the batch [*B]; lengths per step."""

    power: float | Tensor = 0.001
    """What the engine adds to the velocity in one step at most."""
    gravity: float | Tensor = 0.0025
    min_position: float | Tensor = -1.2
    max_position: float | Tensor = 0.6
    max_speed: float | Tensor = 0.07
    goal_position: float | Tensor = 0.5
    goal_velocity: float | Tensor = 0.0


class MountainCar(FuncEnv[Tensor, Tensor, Tensor, Tensor, Tensor, Any, MountainCarParams]):
    """MountainCar-v0 without its time limit; equal to `gymnasium.envs.classic_control.MountainCarEnv`.

    The state [*B, 2] is (x, ẋ) and the observation too, the height of the hill sin 3x; the action [*B] is 0 (left), 1
    (nothing) or 2 (right); the reward is -1 for every step; terminal where x ≥ 0.5 and ẋ ≥ 0. The wall at x = -1.2
    stops the car.

    Args: dtype: of the state, the observation and the reward.
    Source: Moore (1990), "Efficient memory-based learning for robot control".

    >>> env = MountainCar()
    >>> state = env.transition(torch.tensor([-0.5, 0.0]), torch.tensor(2), random.key(0))
    >>> [round(x, 5) for x in state.tolist()]
    [-0.49918, 0.00082]
    """

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 30}

    def __init__(self, dtype: torch.dtype = torch.float32):
        super().__init__()
        self.dtype = dtype
        params, scalar = self.get_default_params(), scalar_type(type(self).__name__, dtype)
        low, high = np.array(
            [[params.min_position, -params.max_speed], [params.max_position, params.max_speed]], scalar
        )
        self.observation_space = gymnasium.spaces.Box(low, high, dtype=scalar)
        self.action_space: gymnasium.Space[Any] = gymnasium.spaces.Discrete(3)

    def get_default_params(self) -> MountainCarParams:  # type: ignore[override]
        """The physics of Gymnasium's MountainCar."""
        return MountainCarParams()

    def initial(self, rng: Tensor, params: MountainCarParams | None = None) -> Tensor:
        """X uniform on [-0.6, -0.4), at rest; [*B, 2] for keys [*B, 2]."""
        position = random.uniform((), rng, low=-0.6, high=-0.4, dtype=self.dtype)
        return torch.stack((position, torch.zeros_like(position)), -1)

    def transition(self, state: Tensor, action: Tensor, rng: Tensor, params: MountainCarParams | None = None) -> Tensor:
        """One step of semi-implicit Euler; the velocity is clipped, and the position to the track."""
        params = params or self.get_default_params()
        position, velocity = state.unbind(-1)
        velocity = velocity + (self._push(action, state) * params.power - params.gravity * torch.cos(3 * position))
        velocity = torch.clamp(velocity, -params.max_speed, params.max_speed)  # type: ignore[arg-type]
        position = position + velocity
        velocity = torch.where((position <= params.min_position) & (velocity < 0), 0.0, velocity)
        # One bound after the other, for the one may be a number and the other a tensor.
        position = torch.clamp(torch.clamp(position, min=params.min_position), max=params.max_position)
        return torch.stack((position, velocity), -1)

    def observation(self, state: Tensor, rng: Tensor, params: MountainCarParams | None = None) -> Tensor:
        """The state."""
        return state.clone()

    def reward(
        self,
        state: Tensor,
        action: Tensor,
        next_state: Tensor,
        rng: Tensor,
        params: MountainCarParams | None = None,
    ) -> Tensor:
        """-1 for every step, the last one included, [*B]."""
        return -torch.ones_like(next_state[..., 0])

    def terminal(self, state: Tensor, rng: Tensor, params: MountainCarParams | None = None) -> Tensor:
        """Whether the car is at the goal and not rolling back, [*B]."""
        params = params or self.get_default_params()
        return (state[..., 0] >= params.goal_position) & (state[..., 1] >= params.goal_velocity)

    def draw(
        self, state: Tensor, params: MountainCarParams | None = None, size: tuple[int, int] | None = None
    ) -> Tensor:
        """[*B, 2] -> [*B, H, W, 3] uint8, as Gymnasium draws it; 400 × 600 pixels by default.

        >>> MountainCar().draw(torch.zeros(2), size=(40, 60)).shape
        torch.Size([40, 60, 3])
        """
        params = params or self.get_default_params()
        left, scale = params.min_position, 600 / (params.max_position - params.min_position)
        picture = _hill(canvas((600, 400), size, state.device), left, scale)
        position = state[..., 0]
        x, y, tilt = (position - left) * scale, _height(position) * scale + 10, torch.cos(3 * position)
        cos, sin = torch.cos(tilt), torch.sin(tilt)
        middle = (x - 10 * sin, y + 10 * cos)
        picture = picture.rectangle(
            (middle[0] - 20 * cos, middle[1] - 20 * sin), (middle[0] + 20 * cos, middle[1] + 20 * sin), 20, BLACK
        )
        for side in (-10, 10):
            picture = picture.disc((x + side * cos, y + side * sin), 8, (128, 128, 128))
        x, y = (params.goal_position - left) * scale, _height(params.goal_position) * scale
        picture = picture.segment((x, y), (x, y + 50), 1, BLACK)
        return picture.polygon([(x, y + 50), (x, y + 40), (x + 25, y + 45)], (204, 204, 0)).pixels()

    def _push(self, action: Tensor, state: Tensor) -> Tensor:
        """From -1, the engine's full power to the left, to 1, [*B]."""
        return (action - 1).to(state.dtype)


class MountainCarContinuous(MountainCar):
    """MountainCarContinuous-v0 without its time limit; equal to `…classic_control.Continuous_MountainCarEnv`.

    As `MountainCar`, but the action [*B, 1] is a push, clipped to [-1, 1], the engine is stronger, the goal is at 0.45,
    and the reward is −0.1 u² of the action u as it is given, not clipped, and 100 more for the step that reaches the
    goal. Gymnasium rounds the state to float32 after every step.

    Args: dtype: of the state, the observation, the action and the reward.

    >>> env = MountainCarContinuous()
    >>> state, action = torch.tensor([0.44, 0.03]), torch.tensor([0.5])
    >>> after = env.transition(state, action, random.key(0))
    >>> env.reward(state, action, after, random.key(0)), env.terminal(after, random.key(0))
    (tensor(99.9750), tensor(True))
    """

    def __init__(self, dtype: torch.dtype = torch.float32):
        super().__init__(dtype)
        scalar = scalar_type(type(self).__name__, dtype)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), dtype=scalar)

    def get_default_params(self) -> MountainCarParams:  # type: ignore[override]
        """The physics of Gymnasium's continuous MountainCar."""
        return MountainCarParams(power=0.0015, goal_position=0.45)

    def reward(
        self,
        state: Tensor,
        action: Tensor,
        next_state: Tensor,
        rng: Tensor,
        params: MountainCarParams | None = None,
    ) -> Tensor:
        """100 for reaching the goal, minus 0.1 of the squared action, [*B]."""
        reached = self.terminal(next_state, rng, params).to(next_state.dtype)
        return 100 * reached - 0.1 * action[..., 0] * action[..., 0]

    def _push(self, action: Tensor, state: Tensor) -> Tensor:
        return torch.clamp(action[..., 0], -1, 1)


def _height(position: float | Tensor) -> Tensor:
    return torch.sin(torch.as_tensor(3 * position)) * 0.45 + 0.55


def _hill(picture: Canvas, left: float | Tensor, scale: float | Tensor) -> Canvas:
    x, y = picture.seen_from((0, 0))
    position = everywhere(left, x) + x / everywhere(scale, x)
    slope = 3 * 0.45 * torch.cos(3 * position)
    off = (y - _height(position) * everywhere(scale, x)).abs() / (1 + slope * slope).sqrt()
    return picture.paint(off - 0.5, BLACK)
