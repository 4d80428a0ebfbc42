"""FourRooms: find the goal through the doors between four rooms, on a floor where one slips."""

from typing import Any, ClassVar, NamedTuple

import gymnasium
import torch
from gymnasium.experimental.functional import FuncEnv
from torch import Tensor

from frl import random
from frl.envs.drawing import BLACK, canvas, cell
from frl.envs.spaces import scalar_type
from frl.envs.task import Task, settled

PLAN = """
#############
#     #     #
#     #     #
#           #
#     #     #
#     #     #
## ####     #
#     ### ###
#     #     #
#     #     #
#           #
#     #     #
#############
"""
_OPEN = [[place == " " for place in row] for row in PLAN.strip("\n").split("\n")]
_SIDE = len(_OPEN)
_CELLS = [(row, column) for row in range(_SIDE) for column in range(_SIDE) if _OPEN[row][column]]
_MOVES = [(-1, 0), (0, 1), (1, 0), (0, -1)]


class FourRoomsParams(NamedTuple):
    """The floor, a number or a tensor that broadcasts against the batch [*B], and the task."""

    fail_prob: float | Tensor = 1 / 3
    """Of going in one of the three other directions, each as likely."""
    start: Task = ()
    """A cell (row, column), [*B, 2]; (): one that is not the goal, drawn for each episode."""
    goal: Task = ()
    """A cell (row, column), [*B, 2]; (): drawn for each episode."""


class FourRoomsState(NamedTuple):
    """Cells (row, column), each int64 [*B, 2]; rows are counted downwards."""

    position: Tensor
    goal: Tensor


class FourRooms(FuncEnv[FourRoomsState, Tensor, Tensor, Tensor, Tensor, Any, FourRoomsParams]):
    """FourRooms without its time limit: 104 cells in a square of 13 × 13, four rooms with a door to each neighbour.

    The observation [*B, 4] is (row, column, goal's row, goal's column) / 12; the action [*B] is 0 (up), 1 (right), 2
    (down) or 3 (left) and, with probability 1/3, leads in one of the other directions; a wall is not entered. The
    reward is 1 for the step that reaches the goal and 0 before; terminal at the goal. Each episode has another start
    and goal unless the physics fix them: `FourRoomsParams(start=torch.tensor([1, 1]), goal=torch.tensor([7, 9]))` goes
    from the upper left corner to a door, as Sutton et al. do.

    Args: dtype: of the observation and the reward.
    Raises: TypeError for a dtype that is not floating point, or a start or goal that is no tensor; ValueError if its
        shape is another. Whether these are free cells is not looked at.
    Source: Sutton, Precup and Singh (1999), "Between MDPs and semi-MDPs", section 3.

    >>> env, key = FourRooms(), random.key(0)
    >>> state = FourRoomsState(torch.tensor([1, 1]), torch.tensor([1, 2]))
    >>> after = env.transition(state, torch.tensor(1), key, FourRoomsParams(fail_prob=0.0))
    >>> after.position.tolist(), env.terminal(after, key)
    ([1, 2], tensor(True))
    """

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 10}

    def __init__(self, dtype: torch.dtype = torch.float32):
        super().__init__()
        self.dtype = dtype
        scalar = scalar_type(type(self).__name__, dtype)
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (4,), dtype=scalar)
        self.action_space = gymnasium.spaces.Discrete(4)
        self._open, self._cells, self._moves = torch.tensor(_OPEN), torch.tensor(_CELLS), torch.tensor(_MOVES)

    def get_default_params(self) -> FourRoomsParams:  # type: ignore[override]
        """A floor on which every third step fails; any start and any goal."""
        return FourRoomsParams()

    def initial(self, rng: Tensor, params: FourRoomsParams | None = None) -> FourRoomsState:
        """Two different cells, each as likely, for keys [*B, 2], unless the physics fix them."""
        params, cells = params or self.get_default_params(), self._cells.to(rng.device)
        k_start, k_goal = random.split(rng)
        goal = settled("FourRooms: goal", params.goal, cells[random.choice(len(_CELLS), (), k_goal)])
        start = cells[random.choice(len(_CELLS) - 1, (), k_start)]
        # the last cell, which is not drawn, stands for the goal: so all but the goal are as likely
        start = torch.where((start == goal).all(-1, keepdim=True), cells[-1].expand_as(start), start)
        return FourRoomsState(settled("FourRooms: start", params.start, start), goal)

    def transition(
        self, state: FourRoomsState, action: Tensor, rng: Tensor, params: FourRoomsParams | None = None
    ) -> FourRoomsState:
        """A step in the direction of the action, or in another; none where a wall is."""
        params = params or self.get_default_params()
        chance, p = random.uniform((), rng, dtype=self.dtype), params.fail_prob
        turn = (chance < p).to(torch.int64) + (chance < p * 2 / 3) + (chance < p / 3)  # 1, 2 and 3 are as likely
        aim = state.position + self._moves.to(rng.device)[(action.to(torch.int64) + turn) % 4]
        row, column = aim.unbind(-1)
        is_open = self._open.to(rng.device)[row, column].unsqueeze(-1)
        return FourRoomsState(torch.where(is_open, aim, state.position), state.goal)

    def observation(self, state: FourRoomsState, rng: Tensor, params: FourRoomsParams | None = None) -> Tensor:
        """(row, column, goal's row, goal's column), each from 0 to 1, [*B, 4]."""
        return torch.cat((state.position, state.goal), -1).to(self.dtype) / (_SIDE - 1)

    def reward(
        self,
        state: FourRoomsState,
        action: Tensor,
        next_state: FourRoomsState,
        rng: Tensor,
        params: FourRoomsParams | None = None,
    ) -> Tensor:
        """1 for reaching the goal, else 0, [*B]."""
        return self.terminal(next_state, rng, params).to(self.dtype)

    def terminal(self, state: FourRoomsState, rng: Tensor, params: FourRoomsParams | None = None) -> Tensor:
        """Whether the goal is reached, [*B]."""
        return (state.position == state.goal).all(-1)

    def draw(
        self, state: FourRoomsState, params: FourRoomsParams | None = None, size: tuple[int, int] | None = None
    ) -> Tensor:
        """[*B] -> [*B, H, W, 3] uint8: the rooms, the goal and where one is; 260 × 260 pixels by default.

        >>> FourRooms().draw(FourRooms().initial(random.key(0))).shape
        torch.Size([260, 260, 3])
        """
        picture = canvas((20 * _SIDE, 20 * _SIDE), size, state.goal.device)
        column, row = (((at + 0.5) / 20).long().clamp(0, _SIDE - 1) for at in (picture.x, picture.y))
        is_open = self._open.to(state.goal.device)[_SIDE - 1 - row, column]
        picture = picture.paint(torch.where(is_open, 1e6, -1e6), BLACK)
        goal, position = (cell(at[..., 0], at[..., 1], _SIDE, 20) for at in (state.goal, state.position))
        return picture.disc(goal, 9, (102, 204, 102)).disc(position, 6, (204, 51, 51)).pixels()
