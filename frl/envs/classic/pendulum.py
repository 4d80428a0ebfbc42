"""Pendulum: swing a pendulum up and hold it there with a torque too weak to lift it at once."""

import math
from typing import Any, ClassVar, NamedTuple

import gymnasium
import numpy as np
import torch
from gymnasium.experimental.functional import FuncEnv
from torch import Tensor

from frl import random
from frl.envs.drawing import BLACK, canvas
from frl.envs.spaces import scalar_type


class PendulumParams(NamedTuple):
    """The physics, each a number or a tensor that broadcasts against the batch [*B]; SI units and radians."""

    gravity: float | Tensor = 10.0
    mass: float | Tensor = 1.0
    length: float | Tensor = 1.0
    max_speed: float | Tensor = 8.0
    max_torque: float | Tensor = 2.0
    dt: float | Tensor = 0.05


class Pendulum(FuncEnv[Tensor, Tensor, Tensor, Tensor, Tensor, Any, PendulumParams]):
    """Pendulum-v1 without its time limit; equal to `gymnasium.envs.classic_control.PendulumEnv`.

    The state [*B, 2] is (θ, θ̇), θ = 0 upright; the observation [*B, 3] is (cos θ, sin θ, θ̇); the action [*B, 1] is a
    torque, clipped to [-2, 2]; the reward is −(θ² + 0.1 θ̇² + 0.001 u²) of the state before the step, θ in [-π, π]. It
    never terminates, and it is differentiable in state, action and physics.

    Args: dtype: of the state, the observation, the action and the reward.

    >>> env = Pendulum()
    >>> upright, torque = torch.zeros(2), torch.tensor([1.0])
    >>> [round(x, 4) for x in env.transition(upright, torque, random.key(0)).tolist()]
    [0.0075, 0.15]
    """

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 30}

    def __init__(self, dtype: torch.dtype = torch.float32):
        super().__init__()
        self.dtype = dtype
        params, scalar = PendulumParams(), scalar_type(type(self).__name__, dtype)
        high = np.array([1.0, 1.0, params.max_speed], scalar)
        torque = np.array([params.max_torque], scalar)
        self.observation_space = gymnasium.spaces.Box(-high, high, dtype=scalar)
        self.action_space = gymnasium.spaces.Box(-torque, torque, dtype=scalar)

    def get_default_params(self) -> PendulumParams:  # type: ignore[override]
        """The physics of Gymnasium's Pendulum."""
        return PendulumParams()

    def initial(self, rng: Tensor, params: PendulumParams | None = None) -> Tensor:
        """θ uniform on [-π, π), θ̇ on [-1, 1); [*B, 2] for keys [*B, 2]."""
        unit = random.uniform(2, rng, low=-1.0, high=1.0, dtype=self.dtype)
        return torch.stack((math.pi * unit[..., 0], unit[..., 1]), -1)

    def transition(self, state: Tensor, action: Tensor, rng: Tensor, params: PendulumParams | None = None) -> Tensor:
        """One semi-implicit Euler step of length `dt`; the speed is clipped."""
        params = params or self.get_default_params()
        theta, speed = state.unbind(-1)
        torque, length = _torque(action, params), params.length
        pull = 3 * params.gravity / (2 * length) * torch.sin(theta)
        speed = speed + (pull + 3.0 / (params.mass * length * length) * torque) * params.dt
        speed = torch.clamp(speed, -params.max_speed, params.max_speed)  # type: ignore[arg-type]
        return torch.stack((theta + speed * params.dt, speed), -1)

    def observation(self, state: Tensor, rng: Tensor, params: PendulumParams | None = None) -> Tensor:
        """(cos θ, sin θ, θ̇), [*B, 3]."""
        theta, speed = state.unbind(-1)
        return torch.stack((torch.cos(theta), torch.sin(theta), speed), -1)

    def reward(
        self,
        state: Tensor,
        action: Tensor,
        next_state: Tensor,
        rng: Tensor,
        params: PendulumParams | None = None,
    ) -> Tensor:
        """Minus the cost of the angle, the speed and the torque, [*B], in [-16.28, 0]."""
        theta, speed = state.unbind(-1)
        # Exact to rounding for any θ; the remainder by a rounded 2π is not, after many turns in float32.
        angle = torch.atan2(torch.sin(theta), torch.cos(theta))
        torque = _torque(action, params or self.get_default_params())
        return -(angle * angle + 0.1 * speed * speed + 0.001 * torque * torque)

    def terminal(self, state: Tensor, rng: Tensor, params: PendulumParams | None = None) -> Tensor:
        """Never, [*B]."""
        return torch.zeros_like(state[..., 0], dtype=torch.bool)

    def draw(self, state: Tensor, params: PendulumParams | None = None, size: tuple[int, int] | None = None) -> Tensor:
        """[*B, 2] -> [*B, H, W, 3] uint8, as Gymnasium draws it, without the torque; 500 × 500 pixels by default.

        >>> Pendulum().draw(torch.zeros(2)).shape
        torch.Size([500, 500, 3])
        """
        theta, scale = state[..., 0], 500 / 4.4
        length = (params or self.get_default_params()).length * scale
        end = (250 - length * torch.sin(theta), 250 + length * torch.cos(theta))
        picture = canvas((500, 500), size, state.device)
        picture = picture.segment((250, 250), end, 0.2 * scale, (204, 77, 77))
        return picture.disc((250, 250), 0.05 * scale, BLACK).pixels()


def _torque(action: Tensor, params: PendulumParams) -> Tensor:
    return torch.clamp(action[..., 0], -params.max_torque, params.max_torque)  # type: ignore[arg-type]
