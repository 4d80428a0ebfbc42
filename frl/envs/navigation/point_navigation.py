"""PointNavigation: go to a goal that is not seen, by rewards that say how far it is."""

from typing import Any, ClassVar, NamedTuple

import gymnasium
import torch
from gymnasium.experimental.functional import FuncEnv
from torch import Tensor

from frl import random
from frl.envs.navigation.plane import distance, moved, picture
from frl.envs.spaces import scalar_type
from frl.envs.task import Task, settled


class PointNavigationParams(NamedTuple):
    """The plane, each entry a number or a tensor that broadcasts against the batch [*B], and the task."""

    step_size: float | Tensor = 0.1
    """How far an action of 1 leads, along each axis."""
    goal_extent: float | Tensor = 0.5
    """Goals are drawn uniformly on [-`goal_extent`, `goal_extent`), along each axis."""
    goal_radius: float | Tensor = 0.01
    """Within which, along each axis, the goal is reached."""
    goal: Task = ()
    """Where it is, [*B, 2]; (): drawn for each episode."""


class PointNavigationState(NamedTuple):
    """Two points, each [*B, 2]."""

    position: Tensor
    goal: Tensor


class PointNavigation(FuncEnv[PointNavigationState, Tensor, Tensor, Tensor, Tensor, Any, PointNavigationParams]):
    """The 2D navigation of MAML without its time limit: a point goes to a goal in the unit square around it.

    The observation [*B, 2] is the position alone, at first the origin: the goal is the task, and to be learnt. The
    action [*B, 2], clipped to [-1, 1], is a step of up to 0.1 along each axis; the reward is minus the distance to the
    goal after it; terminal within 0.01 of the goal along both axes. It is differentiable in state, action and physics.
    A task is a leaf of the physics, `params._replace(goal=goal)`, so that tasks can be vmapped.

    The paper says the reward is the squared distance, negative; here, as in its authors' code, it is not squared.

    Args: dtype: of the state, the observation, the action and the reward.
    Raises: TypeError for a dtype that is not floating point, or a goal that is no tensor; ValueError if its shape is
        another.
    Source: Finn et al. (2017), "Model-agnostic meta-learning for fast adaptation of deep networks", section 5.3.

    >>> env, key = PointNavigation(), random.key(0)
    >>> state = env.initial(key, PointNavigationParams(goal=torch.tensor([0.0, 0.5])))
    >>> after = env.transition(state, torch.tensor([0.0, 1.0]), key)
    >>> env.observation(after, key), env.reward(state, torch.tensor([0.0, 1.0]), after, key)
    (tensor([0.0000, 0.1000]), tensor(-0.4000))
    """

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 20}

    def __init__(self, dtype: torch.dtype = torch.float32):
        super().__init__()
        self.dtype = dtype
        scalar = scalar_type(type(self).__name__, dtype)
        self.observation_space = gymnasium.spaces.Box(-float("inf"), float("inf"), (2,), dtype=scalar)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), dtype=scalar)

    def get_default_params(self) -> PointNavigationParams:  # type: ignore[override]
        """The plane of MAML; any goal of it."""
        return PointNavigationParams()

    def initial(self, rng: Tensor, params: PointNavigationParams | None = None) -> PointNavigationState:
        """At the origin, and another goal for each key [*B, 2], unless the physics fix it."""
        params = params or self.get_default_params()
        parts = random.uniform(2, rng, low=-1.0, high=1.0, dtype=self.dtype).unbind(-1)
        drawn = torch.stack([part * params.goal_extent for part in parts], -1)
        return PointNavigationState(torch.zeros_like(drawn), settled("PointNavigation: goal", params.goal, drawn))

    def transition(
        self, state: PointNavigationState, action: Tensor, rng: Tensor, params: PointNavigationParams | None = None
    ) -> PointNavigationState:
        """A step of up to `step_size` along each axis."""
        params = params or self.get_default_params()
        return PointNavigationState(moved(state.position, action, params.step_size), state.goal)

    def observation(
        self, state: PointNavigationState, rng: Tensor, params: PointNavigationParams | None = None
    ) -> Tensor:
        """The position, [*B, 2]."""
        return state.position.clone()

    def reward(
        self,
        state: PointNavigationState,
        action: Tensor,
        next_state: PointNavigationState,
        rng: Tensor,
        params: PointNavigationParams | None = None,
    ) -> Tensor:
        """Minus the distance to the goal after the step, [*B]."""
        return -distance(next_state.position, next_state.goal)

    def terminal(self, state: PointNavigationState, rng: Tensor, params: PointNavigationParams | None = None) -> Tensor:
        """Whether the goal is reached, [*B]."""
        off = (state.position - state.goal).abs().amax(-1)
        return off < (params or self.get_default_params()).goal_radius

    def draw(
        self,
        state: PointNavigationState,
        params: PointNavigationParams | None = None,
        size: tuple[int, int] | None = None,
    ) -> Tensor:
        """[*B] -> [*B, H, W, 3] uint8: the plane within 0.6 of the origin; 240 × 240 pixels by default.

        >>> PointNavigation().draw(PointNavigation().initial(random.key(0))).shape
        torch.Size([240, 240, 3])
        """
        radius = (params or self.get_default_params()).goal_radius
        return picture(state.position, state.goal, 3 * radius, 0.6, size)  # at its own size one would not see it
