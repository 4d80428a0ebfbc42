"""Acrobot: swing the end of two links up by a torque at the joint between them."""

import math
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import gymnasium
import numpy as np
import torch
from gymnasium.experimental.functional import FuncEnv
from torch import Tensor

from frl import random
from frl.envs.drawing import BLACK, Point, canvas
from frl.envs.spaces import scalar_type


class AcrobotParams(NamedTuple):
    """The physics, each a number or a tensor that broadcasts against the batch [*B]; SI units and radians."""

    gravity: float | Tensor = 9.8
    link_length_1: float | Tensor = 1.0
    link_length_2: float | Tensor = 1.0
    link_mass_1: float | Tensor = 1.0
    link_mass_2: float | Tensor = 1.0
    link_com_pos_1: float | Tensor = 0.5
    """From the upper end of the link to its centre of mass."""
    link_com_pos_2: float | Tensor = 0.5
    link_moi: float | Tensor = 1.0
    """The moment of inertia of either link."""
    max_vel_1: float | Tensor = 4 * math.pi
    max_vel_2: float | Tensor = 9 * math.pi
    torque: float | Tensor = 1.0
    target_height: float | Tensor = 1.0
    """Of the free end, above the fixed one."""
    dt: float | Tensor = 0.2


class Acrobot(FuncEnv[Tensor, Tensor, Tensor, Tensor, Tensor, Any, AcrobotParams]):
    """Acrobot-v1 without its time limit; equal to `gymnasium.envs.classic_control.AcrobotEnv`, Runge–Kutta of order 4.

    The state [*B, 4] is (θ₁, θ₂, θ̇₁, θ̇₂), θ₁ = 0 hanging down and θ₂ relative to the first link, both in [-π, π]; the
    observation [*B, 6] is (cos θ₁, sin θ₁, cos θ₂, sin θ₂, θ̇₁, θ̇₂); the action [*B] is 0, 1 or 2, a torque of -1, 0 or
    1; the reward is -1 for every step but 0 for the last; terminal where the free end is above `target_height`, for
    which Gymnasium takes both links as 1 long, whatever they are.

    Args: dtype: of the state, the observation and the reward.
    Source: Sutton (1996), "Generalization in reinforcement learning: successful examples using sparse coarse coding";
        equations of Sutton and Barto (1998), "Reinforcement learning", section 11.3.

    >>> env = Acrobot()
    >>> state = env.transition(torch.zeros(4), torch.tensor(2), random.key(0))
    >>> [round(x, 4) for x in state.tolist()]
    [-0.0133, 0.0343, -0.1287, 0.3345]
    """

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 15}

    def __init__(self, dtype: torch.dtype = torch.float32):
        super().__init__()
        self.dtype = dtype
        params, scalar = AcrobotParams(), scalar_type(type(self).__name__, dtype)
        high = np.array([1.0, 1.0, 1.0, 1.0, params.max_vel_1, params.max_vel_2], scalar)
        self.observation_space = gymnasium.spaces.Box(-high, high, dtype=scalar)
        self.action_space = gymnasium.spaces.Discrete(3)

    def get_default_params(self) -> AcrobotParams:  # type: ignore[override]
        """The physics of Gymnasium's Acrobot."""
        return AcrobotParams()

    def initial(self, rng: Tensor, params: AcrobotParams | None = None) -> Tensor:
        """Each of the four numbers uniform on [-0.1, 0.1); [*B, 4] for keys [*B, 2]."""
        return random.uniform(4, rng, low=-0.1, high=0.1, dtype=self.dtype)

    def transition(self, state: Tensor, action: Tensor, rng: Tensor, params: AcrobotParams | None = None) -> Tensor:
        """One step of length `dt` under a constant torque; then angles are wrapped and speeds clipped."""
        params = params or self.get_default_params()
        torque = params.torque * (action - 1).to(state.dtype)
        theta1, theta2, speed1, speed2 = _runge_kutta(
            lambda moving: _derivative(moving, torque, params), state.unbind(-1), params.dt
        )
        speed1 = torch.clamp(speed1, -params.max_vel_1, params.max_vel_1)  # type: ignore[arg-type]
        speed2 = torch.clamp(speed2, -params.max_vel_2, params.max_vel_2)  # type: ignore[arg-type]
        return torch.stack((_wrapped(theta1), _wrapped(theta2), speed1, speed2), -1)

    def observation(self, state: Tensor, rng: Tensor, params: AcrobotParams | None = None) -> Tensor:
        """(cos θ₁, sin θ₁, cos θ₂, sin θ₂, θ̇₁, θ̇₂), [*B, 6]."""
        theta1, theta2, speed1, speed2 = state.unbind(-1)
        angles = (torch.cos(theta1), torch.sin(theta1), torch.cos(theta2), torch.sin(theta2))
        return torch.stack((*angles, speed1, speed2), -1)

    def reward(
        self,
        state: Tensor,
        action: Tensor,
        next_state: Tensor,
        rng: Tensor,
        params: AcrobotParams | None = None,
    ) -> Tensor:
        """-1, and 0 for the step that reaches the target, [*B]."""
        return self.terminal(next_state, rng, params).to(next_state.dtype) - 1

    def terminal(self, state: Tensor, rng: Tensor, params: AcrobotParams | None = None) -> Tensor:
        """Whether the free end is above the target, [*B]."""
        params = params or self.get_default_params()
        theta1, theta2 = state[..., 0], state[..., 1]
        height = -params.link_length_1 * torch.cos(theta1) - params.link_length_2 * torch.cos(theta2 + theta1)
        return height > params.target_height

    def draw(self, state: Tensor, params: AcrobotParams | None = None, size: tuple[int, int] | None = None) -> Tensor:
        """[*B, 4] -> [*B, H, W, 3] uint8, as Gymnasium draws it; 500 × 500 pixels by default.

        >>> Acrobot().draw(torch.zeros(3, 4), size=(50, 50)).shape
        torch.Size([3, 50, 50, 3])
        """
        params = params or self.get_default_params()
        scale = 250 / (params.link_length_1 + params.link_length_2 + 0.2)
        target, width = 250 + params.target_height * scale, 0.2 * scale
        ends: list[Point] = [(250.0, 250.0)]
        picture = canvas((500, 500), size, state.device).segment((0, target), (500, target), 1, BLACK)
        angle = torch.zeros_like(state[..., 0])
        for i, length in enumerate((params.link_length_1, params.link_length_2)):
            angle, start = angle + state[..., i], ends[-1]
            reach = length * scale
            ends.append((start[0] + reach * torch.sin(angle), start[1] - reach * torch.cos(angle)))
            picture = picture.rectangle(start, ends[-1], width, (0, 204, 204))
            picture = picture.disc(start, width / 2, (204, 204, 0))
        return picture.pixels()


_Moving = tuple[Tensor, ...]  # θ₁, θ₂, θ̇₁, θ̇₂, or their derivatives


def _derivative(moving: _Moving, torque: Tensor, params: AcrobotParams) -> _Moving:
    theta1, theta2, speed1, speed2 = moving
    m1, m2, l1, inertia = params.link_mass_1, params.link_mass_2, params.link_length_1, params.link_moi
    c1, c2, g = params.link_com_pos_1, params.link_com_pos_2, params.gravity
    cos, sin = torch.cos(theta2), torch.sin(theta2)
    d1 = m1 * c1 * c1 + m2 * (l1 * l1 + c2 * c2 + 2 * l1 * c2 * cos) + 2 * inertia
    d2 = m2 * (c2 * c2 + l1 * c2 * cos) + inertia
    phi2 = m2 * c2 * g * torch.sin(theta1 + theta2)
    swing = m2 * l1 * c2 * sin
    phi1 = phi2 - swing * speed2 * (speed2 + 2 * speed1) + (m1 * c1 + m2 * l1) * g * torch.sin(theta1)
    acceleration2 = (torque + d2 / d1 * phi1 - swing * speed1 * speed1 - phi2) / (m2 * c2 * c2 + inertia - d2 * d2 / d1)
    return speed1, speed2, -(d2 * acceleration2 + phi1) / d1, acceleration2


def _runge_kutta(derivative: Callable[[_Moving], _Moving], y: _Moving, dt: float | Tensor) -> _Moving:
    """Y after `dt`, by the classical method of order 4."""

    def ahead(time: float | Tensor, k: _Moving) -> _Moving:
        return tuple(a + time * b for a, b in zip(y, k, strict=True))

    k1 = derivative(y)
    k2 = derivative(ahead(dt / 2, k1))
    k3 = derivative(ahead(dt / 2, k2))
    k4 = derivative(ahead(dt, k3))
    return tuple(a + dt / 6 * (p + 2 * q + 2 * r + s) for a, p, q, r, s in zip(y, k1, k2, k3, k4, strict=True))


def _wrapped(angle: Tensor) -> Tensor:
    """The angle in [-π, π]; one that lies there is returned to the bit."""
    turns = torch.ceil((angle.abs() - math.pi) / (2 * math.pi))
    return angle - 2 * math.pi * turns * torch.sign(angle)
