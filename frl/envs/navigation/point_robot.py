"""PointRobot: find a goal that is not seen, by a reward that is there only near it."""

import math
from typing import Any, ClassVar, NamedTuple

import gymnasium
import numpy as np
import torch
from gymnasium.experimental.functional import FuncEnv
from torch import Tensor

from frl import random
from frl.envs.navigation.plane import distance, moved, picture
from frl.envs.spaces import scalar_type
from frl.envs.task import Task, settled


class PointRobotParams(NamedTuple):
    """The plane, each entry a number or a tensor that broadcasts against the batch [*B], and the task."""

    step_size: float | Tensor = 0.1
    """How far an action of 1 leads, along each axis."""
    circle_radius: float | Tensor = 1.0
    """Goals are drawn uniformly on the upper half of this circle around the origin."""
    goal_radius: float | Tensor = 0.2
    """Within which there is a reward."""
    num_steps: float | Tensor = 100
    """More steps need a longer time limit than that of `make`."""
    goal: Task = ()
    """Where it is, [*B, 2]; (): drawn for each episode."""


class PointRobotState(NamedTuple):
    """Two points, each [*B, 2], and what came of the last step."""

    position: Tensor
    goal: Tensor
    last_action: Tensor
    """Clipped, [*B, 2]; zeros before the first step."""
    last_reward: Tensor
    """[*B]; 0 before the first step."""
    time: Tensor
    """Steps so far, int64 [*B]."""


class PointRobot(FuncEnv[PointRobotState, Tensor, Tensor, Tensor, Tensor, Any, PointRobotParams]):
    """The sparse point robot of VariBAD's line of work: search a half circle for the goal, then stay there.

    The observation [*B, 6] is (position, last reward, last action, 2 t / `num_steps` − 1): with a memory, all that can
    be known of the goal. At first the point is at the origin. The action [*B, 2], clipped to [-1, 1], is a step of up
    to 0.1 along each axis; the reward is 1 if the goal is within 0.2 after it, else 0. Terminal after `num_steps`
    steps: the end is seen to come. A task is a leaf of the physics, `params._replace(goal=goal)`. The dense reward,
    minus the distance, is that of `PointNavigation`.

    Args: dtype: of the state, the observation, the action and the reward.
    Raises: TypeError for a dtype that is not floating point, or a goal that is no tensor; ValueError if its shape is
        another.
    Source: Dorfman et al. (2021), "Offline meta reinforcement learning", NeurIPS; Rakelly et al. (2019), "Efficient
        off-policy meta-reinforcement learning via probabilistic context variables", ICML.

    >>> env, key = PointRobot(), random.key(0)
    >>> state = env.initial(key, PointRobotParams(goal=torch.tensor([0.0, 0.25])))
    >>> after = env.transition(state, torch.tensor([0.0, 1.0]), key)
    >>> env.observation(after, key)
    tensor([ 0.0000,  0.1000,  1.0000,  0.0000,  1.0000, -0.9800])
    """

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 20}

    def __init__(self, dtype: torch.dtype = torch.float32):
        super().__init__()
        self.dtype = dtype
        scalar = scalar_type(type(self).__name__, dtype)
        high = np.array([np.inf, np.inf, 1.0, 1.0, 1.0, 1.0], scalar)
        low = np.array([-np.inf, -np.inf, 0.0, -1.0, -1.0, -1.0], scalar)
        self.observation_space = gymnasium.spaces.Box(low, high, dtype=scalar)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), dtype=scalar)

    def get_default_params(self) -> PointRobotParams:  # type: ignore[override]
        """A half circle of radius 1; any goal on it."""
        return PointRobotParams()

    def initial(self, rng: Tensor, params: PointRobotParams | None = None) -> PointRobotState:
        """At the origin, and another goal for each key [*B, 2], unless the physics fix it."""
        params = params or self.get_default_params()
        angle = random.uniform((), rng, high=math.pi, dtype=self.dtype)
        drawn = torch.stack((params.circle_radius * torch.cos(angle), params.circle_radius * torch.sin(angle)), -1)
        goal = settled("PointRobot: goal", params.goal, drawn)
        still, none = torch.zeros_like(drawn), torch.zeros_like(angle)
        return PointRobotState(still, goal, still.clone(), none, torch.zeros_like(rng[..., 0]))

    def transition(
        self, state: PointRobotState, action: Tensor, rng: Tensor, params: PointRobotParams | None = None
    ) -> PointRobotState:
        """A step of up to `step_size` along each axis, whose reward is remembered."""
        params = params or self.get_default_params()
        position = moved(state.position, action, params.step_size)
        near = distance(position, state.goal) <= params.goal_radius
        return PointRobotState(position, state.goal, torch.clamp(action, -1, 1), near.to(self.dtype), state.time + 1)

    def observation(self, state: PointRobotState, rng: Tensor, params: PointRobotParams | None = None) -> Tensor:
        """(position, last reward, last action, the time from -1 to 1), [*B, 6]."""
        num_steps = (params or self.get_default_params()).num_steps
        time = 2 * torch.clamp(state.time.to(self.dtype) / num_steps, max=1.0) - 1
        return torch.cat((state.position, state.last_reward.unsqueeze(-1), state.last_action, time.unsqueeze(-1)), -1)

    def reward(
        self,
        state: PointRobotState,
        action: Tensor,
        next_state: PointRobotState,
        rng: Tensor,
        params: PointRobotParams | None = None,
    ) -> Tensor:
        """1 near the goal, else 0, [*B]."""
        return next_state.last_reward.clone()

    def terminal(self, state: PointRobotState, rng: Tensor, params: PointRobotParams | None = None) -> Tensor:
        """Whether all steps are done, [*B]."""
        return state.time >= (params or self.get_default_params()).num_steps

    def draw(
        self, state: PointRobotState, params: PointRobotParams | None = None, size: tuple[int, int] | None = None
    ) -> Tensor:
        """[*B] -> [*B, H, W, 3] uint8: the plane within 1.2 of the origin; 240 × 240 pixels by default.

        >>> PointRobot().draw(PointRobot().initial(random.key(0))).shape
        torch.Size([240, 240, 3])
        """
        radius = (params or self.get_default_params()).goal_radius
        return picture(state.position, state.goal, radius, 1.2, size)
