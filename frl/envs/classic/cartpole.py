"""CartPole: keep a pole upright on a cart that is pushed left or right."""

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


class CartPoleParams(NamedTuple):
    """The physics, each a number or a tensor that broadcasts against the batch [*B]; SI units and radians."""

    gravity: float | Tensor = 9.8
    masscart: float | Tensor = 1.0
    masspole: float | Tensor = 0.1
    length: float | Tensor = 0.5
    """Half the length of the pole."""
    force_mag: float | Tensor = 10.0
    tau: float | Tensor = 0.02
    """Seconds between two states."""
    x_threshold: float | Tensor = 2.4
    theta_threshold: float | Tensor = 12 * 2 * math.pi / 360


class CartPole(FuncEnv[Tensor, Tensor, Tensor, Tensor, Tensor, Any, CartPoleParams]):
    """CartPole-v1 without its time limit; equal to `gymnasium.envs.classic_control.CartPoleEnv`, explicit Euler.

    The state [*B, 4] is (x, ẋ, θ, θ̇) and the observation too; the action [*B] is 0 (left) or 1 (right); the reward is 1
    for every step, the last one included; terminal where |x| > 2.4 or |θ| > 12°.

    Args: dtype: of the state, the observation and the reward.
    Source: Barto, Sutton and Anderson (1983); equations of Florian (2007), https://coneural.org/florian/papers/05_cart_pole.pdf.

    >>> env = CartPole()
    >>> state = env.transition(torch.zeros(4), torch.tensor(1), random.key(0))
    >>> [round(x, 4) for x in state.tolist()]
    [0.0, 0.1951, 0.0, -0.2927]
    """

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 50}

    def __init__(self, dtype: torch.dtype = torch.float32):
        super().__init__()
        self.dtype = dtype
        params, scalar = CartPoleParams(), scalar_type(type(self).__name__, dtype)
        high = np.array([2 * params.x_threshold, np.inf, 2 * params.theta_threshold, np.inf], scalar)
        self.observation_space = gymnasium.spaces.Box(-high, high, dtype=scalar)
        self.action_space = gymnasium.spaces.Discrete(2)

    def get_default_params(self) -> CartPoleParams:  # type: ignore[override]
        """The physics of Gymnasium's CartPole."""
        return CartPoleParams()

    def initial(self, rng: Tensor, params: CartPoleParams | None = None) -> Tensor:
        """Each of the four numbers uniform on [-0.05, 0.05); [*B, 4] for keys [*B, 2]."""
        return random.uniform(4, rng, low=-0.05, high=0.05, dtype=self.dtype)

    def transition(self, state: Tensor, action: Tensor, rng: Tensor, params: CartPoleParams | None = None) -> Tensor:
        """One explicit Euler step of length `tau`."""
        params = params or self.get_default_params()
        x, x_dot, theta, theta_dot = state.unbind(-1)
        force = params.force_mag * (2 * action - 1).to(state.dtype)
        total_mass = params.masspole + params.masscart
        polemass_length = params.masspole * params.length
        cos, sin = torch.cos(theta), torch.sin(theta)
        push = (force + polemass_length * theta_dot * theta_dot * sin) / total_mass
        inertia = params.length * (4 / 3 - params.masspole * cos * cos / total_mass)
        theta_acc = (params.gravity * sin - cos * push) / inertia
        x_acc = push - polemass_length * theta_acc * cos / total_mass
        tau = params.tau
        return torch.stack(
            (x + tau * x_dot, x_dot + tau * x_acc, theta + tau * theta_dot, theta_dot + tau * theta_acc), -1
        )

    def observation(self, state: Tensor, rng: Tensor, params: CartPoleParams | None = None) -> Tensor:
        """The state."""
        return state.clone()

    def reward(
        self,
        state: Tensor,
        action: Tensor,
        next_state: Tensor,
        rng: Tensor,
        params: CartPoleParams | None = None,
    ) -> Tensor:
        """1 for every step, [*B]."""
        return torch.ones_like(next_state[..., 0])

    def terminal(self, state: Tensor, rng: Tensor, params: CartPoleParams | None = None) -> Tensor:
        """Whether the cart left the track or the pole fell, [*B]."""
        params = params or self.get_default_params()
        return (state[..., 0].abs() > params.x_threshold) | (state[..., 2].abs() > params.theta_threshold)

    def draw(self, state: Tensor, params: CartPoleParams | None = None, size: tuple[int, int] | None = None) -> Tensor:
        """[*B, 4] -> [*B, H, W, 3] uint8, as Gymnasium draws it; 400 × 600 pixels by default.

        >>> CartPole().draw(torch.zeros(2, 4), size=(84, 84)).shape
        torch.Size([2, 84, 84, 3])
        """
        params = params or self.get_default_params()
        scale = 600 / (2 * params.x_threshold)
        x, theta = state[..., 0] * scale + 300, state[..., 2]
        foot, pole = 107.5, scale * 2 * params.length  # the axle sits in the upper half of the cart
        sin, cos = torch.sin(theta), torch.cos(theta)
        lower, upper = -5, pole - 5
        picture = canvas((600, 400), size, state.device)
        picture = picture.rectangle((x - 25, 100), (x + 25, 100), 30, BLACK)
        picture = picture.rectangle(
            (x + lower * sin, foot + lower * cos), (x + upper * sin, foot + upper * cos), 10, (202, 152, 101)
        )
        picture = picture.disc((x, foot), 5, (129, 132, 203))
        return picture.segment((0, 100), (600, 100), 1, BLACK).pixels()
