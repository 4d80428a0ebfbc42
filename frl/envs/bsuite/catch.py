"""Catch: stand where the ball comes down."""

from typing import Any, ClassVar, NamedTuple

import gymnasium
import torch
from gymnasium.experimental.functional import FuncEnv
from torch import Tensor

from frl import check, random
from frl.envs.drawing import BLACK, canvas, cell
from frl.envs.spaces import scalar_type


class CatchParams(NamedTuple):
    """What is paid, a number or a tensor that broadcasts against the batch [*B]."""

    reward: float | Tensor = 1.0
    """For a ball that is caught; one that is missed costs as much. bsuite's `catch_scale` multiplies it."""


class CatchState(NamedTuple):
    """Where things are, each int64 [*B]; rows are counted downwards."""

    ball_row: Tensor
    ball_column: Tensor
    paddle: Tensor
    """The column of the paddle, which stays in the last row."""


class Catch(FuncEnv[CatchState, Tensor, Tensor, Tensor, Tensor, Any, CatchParams]):
    """Catch of bsuite: a ball falls by one row in each step, from a random column; a paddle moves along the last row.

    The observation [*B, rows · columns] is the board row by row, 1 where the ball and the paddle are and 0 elsewhere:
    bsuite's is the same `.unflatten(-1, (rows, columns))`. The action [*B] is 0 (left), 1 (nothing) or 2 (right); the
    reward is 0 but for the last step: 1 if the ball is caught and -1 if not. Terminal once the ball is in the last row,
    after `rows` - 1 steps.

    Args: rows: at least 2. columns: at least 1. dtype: of the observation and the reward.
    Raises: ValueError for a smaller board; TypeError for a dtype that is not floating point.
    Source: Osband et al. (2020), "Behaviour suite for reinforcement learning"; Mnih et al. (2014), "Recurrent models
        of visual attention".

    >>> env = Catch(rows=3, columns=2)
    >>> env.observation(CatchState(torch.tensor(0), torch.tensor(0), torch.tensor(1)), random.key(0)).tolist()
    [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    """

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 5}

    def __init__(self, rows: int = 10, columns: int = 5, dtype: torch.dtype = torch.float32):
        super().__init__()
        check.at_least("Catch", {"rows": rows}, 2)
        check.at_least("Catch", {"columns": columns}, 1)
        self.rows, self.columns, self.dtype = rows, columns, dtype
        scalar = scalar_type(type(self).__name__, dtype)
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (rows * columns,), dtype=scalar)
        self.action_space = gymnasium.spaces.Discrete(3)

    def get_default_params(self) -> CatchParams:  # type: ignore[override]
        """What bsuite's Catch pays."""
        return CatchParams()

    def initial(self, rng: Tensor, params: CatchParams | None = None) -> CatchState:
        """The ball in any column of the first row, the paddle in the middle; for keys [*B, 2]."""
        column = random.randint(0, self.columns, (), rng)
        return CatchState(torch.zeros_like(column), column, torch.full_like(column, self.columns // 2))

    def transition(
        self, state: CatchState, action: Tensor, rng: Tensor, params: CatchParams | None = None
    ) -> CatchState:
        """The paddle moves as far as the walls let it, and the ball falls, to the last row at most."""
        paddle = torch.clamp(state.paddle + action.to(torch.int64) - 1, 0, self.columns - 1)
        return CatchState(torch.clamp(state.ball_row + 1, max=self.rows - 1), state.ball_column, paddle)

    def observation(self, state: CatchState, rng: Tensor, params: CatchParams | None = None) -> Tensor:
        """The board row by row, [*B, rows · columns]."""
        # Written into an empty board: compared with every cell, the random column would be drawn anew for each of them.
        ball = state.ball_row * self.columns + state.ball_column
        places = torch.stack((ball, state.paddle + (self.rows - 1) * self.columns), -1)
        size = (*ball.shape, self.rows * self.columns)
        return torch.zeros(size, dtype=self.dtype, device=ball.device).scatter(-1, places, 1.0)

    def reward(
        self,
        state: CatchState,
        action: Tensor,
        next_state: CatchState,
        rng: Tensor,
        params: CatchParams | None = None,
    ) -> Tensor:
        """1 for catching the ball, -1 for missing it, and 0 while it falls, [*B]."""
        params = params or self.get_default_params()
        caught = (next_state.ball_column == next_state.paddle).to(self.dtype)
        return torch.where(self.terminal(next_state, rng), 2 * caught - 1, 0.0) * params.reward

    def terminal(self, state: CatchState, rng: Tensor, params: CatchParams | None = None) -> Tensor:
        """Whether the ball is in the last row, [*B]."""
        return state.ball_row >= self.rows - 1

    def draw(self, state: CatchState, params: CatchParams | None = None, size: tuple[int, int] | None = None) -> Tensor:
        """[*B] -> [*B, H, W, 3] uint8: the board; 20 × 20 pixels for each cell by default.

        >>> Catch().draw(Catch().initial(random.key(0))).shape
        torch.Size([200, 100, 3])
        """
        frame = (20 * self.columns, 20 * self.rows)
        picture = canvas(frame, size, state.paddle.device).grid(20, 1, (220, 220, 220))
        x, y = cell(self.rows - 1, state.paddle, self.rows, 20)
        picture = picture.rectangle((x - 9, y), (x + 9, y), 6, BLACK)
        return picture.disc(cell(state.ball_row, state.ball_column, self.rows, 20), 8, (204, 51, 51)).pixels()
