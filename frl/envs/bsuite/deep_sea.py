"""DeepSea: only a dive that never turns back finds the treasure, and each step towards it costs."""

from typing import Any, ClassVar, NamedTuple

import gymnasium
import torch
from gymnasium.experimental.functional import FuncEnv
from torch import Tensor

from frl import check
from frl.envs.drawing import BLACK, canvas, cell
from frl.envs.spaces import scalar_type
from frl.envs.task import Task, fixed


class DeepSeaParams(NamedTuple):
    """What is paid, each a number or a tensor that broadcasts against the batch [*B], and what actions mean."""

    move_cost: float | Tensor = 0.01
    """Of going right all the way, in `size` steps."""
    treasure: float | Tensor = 1.0
    action_map: Task = ()
    """The action that goes right in each cell, [*B, size, size]; (): 1 in all of them."""


class DeepSeaState(NamedTuple):
    """Where the diver is, each int64 [*B]; rows are counted downwards, and the last, `size`, is the sea floor."""

    row: Tensor
    column: Tensor


class DeepSea(FuncEnv[DeepSeaState, Tensor, Tensor, Tensor, Tensor, Any, DeepSeaParams]):
    """DeepSea of bsuite: a diver sinks by one row in each step, and goes left or right by one column, not off the grid.

    The observation [*B, size²] is the grid row by row, 1 where the diver is and 0 elsewhere, on the sea floor nowhere:
    bsuite's is the same `.unflatten(-1, (size, size))`. The action [*B] is 0 or 1, and which of them goes right is 1
    unless a map says otherwise cell by cell; the reward is −`move_cost` / `size` for going right, and 1 more for going
    right in the last column. Terminal on the sea floor, after `size` steps. Going right always returns 0.99, and random
    actions do so in one of 2^size dives.

    bsuite draws a map once for each environment; here it is a leaf of the physics, so that maps can be vmapped:
    `params._replace(action_map=random.randint(0, 2, (8, 8), key))`.

    Args: size: of the grid, at least 1. dtype: of the observation and the reward.
    Raises: ValueError for a smaller grid; TypeError for a dtype that is not floating point.
    Source: Osband et al. (2019), "Deep exploration via randomized value functions"; Osband et al. (2020), "Behaviour
        suite for reinforcement learning".

    >>> from frl.envs import FunctionalEnv
    >>> env = FunctionalEnv(DeepSea(), max_steps=8)
    >>> td = env.rollout(8, lambda td: td.set("action", torch.tensor([0, 1])), key=torch.zeros(2, dtype=torch.int64))
    >>> round(td["next", "reward"].sum().item(), 4)
    0.99
    """

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 5}

    def __init__(self, size: int = 8, dtype: torch.dtype = torch.float32):
        super().__init__()
        check.at_least("DeepSea", {"size": size}, 1)
        self.size, self.dtype = size, dtype
        scalar = scalar_type(type(self).__name__, dtype)
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (size * size,), dtype=scalar)
        self.action_space = gymnasium.spaces.Discrete(2)

    def get_default_params(self) -> DeepSeaParams:  # type: ignore[override]
        """What bsuite's DeepSea pays; action 1 goes right everywhere."""
        return DeepSeaParams()

    def initial(self, rng: Tensor, params: DeepSeaParams | None = None) -> DeepSeaState:
        """The upper left cell, for keys [*B, 2], of which nothing is drawn."""
        return DeepSeaState(torch.zeros_like(rng[..., 0]), torch.zeros_like(rng[..., 0]))

    def transition(
        self, state: DeepSeaState, action: Tensor, rng: Tensor, params: DeepSeaParams | None = None
    ) -> DeepSeaState:
        """A row down, to the floor at most, and a column to the right or to the left."""
        step = torch.where(self._goes_right(state, action, params), 1, -1)
        column = torch.clamp(state.column + step, 0, self.size - 1)
        return DeepSeaState(torch.clamp(state.row + 1, max=self.size), column)

    def observation(self, state: DeepSeaState, rng: Tensor, params: DeepSeaParams | None = None) -> Tensor:
        """The grid row by row, [*B, size²]."""
        grid = torch.zeros((*state.row.shape, self.size * self.size), dtype=self.dtype, device=state.row.device)
        seen = (state.row < self.size).to(self.dtype)
        return grid.scatter(-1, self._place(state).unsqueeze(-1), seen.unsqueeze(-1))

    def reward(
        self,
        state: DeepSeaState,
        action: Tensor,
        next_state: DeepSeaState,
        rng: Tensor,
        params: DeepSeaParams | None = None,
    ) -> Tensor:
        """What going right finds in the last column, minus what it costs, [*B]; 0 for going left."""
        params = params or self.get_default_params()
        right = self._goes_right(state, action, params)
        found = (right & (state.column == self.size - 1)).to(self.dtype)
        return params.treasure * found - params.move_cost / self.size * right.to(self.dtype)

    def terminal(self, state: DeepSeaState, rng: Tensor, params: DeepSeaParams | None = None) -> Tensor:
        """Whether the diver is on the sea floor, [*B]."""
        return state.row >= self.size

    def draw(
        self, state: DeepSeaState, params: DeepSeaParams | None = None, size: tuple[int, int] | None = None
    ) -> Tensor:
        """[*B] -> [*B, H, W, 3] uint8: the sea and its floor; 20 × 20 pixels for each cell by default.

        >>> DeepSea().draw(DeepSeaState(torch.tensor(0), torch.tensor(3))).shape
        torch.Size([180, 160, 3])
        """
        width, rows = 20 * self.size, self.size + 1
        picture = canvas((width, 20 * rows), size, state.row.device).grid(20, 1, (153, 194, 255))
        picture = picture.rectangle((-1, 9.5), (width, 9.5), 20, (202, 152, 101))
        picture = picture.disc(cell(self.size, self.size - 1, rows, 20), 8, (204, 204, 0))
        return picture.disc(cell(state.row, state.column, rows, 20), 6, BLACK).pixels()

    def _goes_right(self, state: DeepSeaState, action: Tensor, params: DeepSeaParams | None) -> Tensor:
        given = params.action_map if params else ()
        actions = fixed("DeepSea: action_map", given, state.row.shape, (self.size, self.size))
        if actions is None:
            return action == 1
        return action == actions.flatten(-2).gather(-1, self._place(state).unsqueeze(-1)).squeeze(-1)

    def _place(self, state: DeepSeaState) -> Tensor:
        """The index of the cell, [*B]; on the sea floor, where nothing is seen nor done, of the one above."""
        return torch.clamp(state.row, max=self.size - 1) * self.size + state.column
