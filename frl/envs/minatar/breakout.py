"""Breakout of MinAtar: a paddle keeps a ball in play, which breaks three rows of bricks."""

from typing import Any, ClassVar, NamedTuple

import gymnasium
import torch
from gymnasium.experimental.functional import FuncEnv
from torch import Tensor
from torch.nn.functional import pad

from frl import random
from frl.envs.drawing import BLACK, canvas, cell
from frl.envs.spaces import scalar_type

_SIDE, _ROWS = 10, 3
_NOTHING, _LEFT, _RIGHT = 0, 1, 2


class BreakoutParams(NamedTuple):
    """What may vary, a number or a tensor that broadcasts against the batch [*B]."""

    sticky_action_prob: float | Tensor = 0.1
    """How likely a step does what the last one did, whatever the action."""


class BreakoutState(NamedTuple):
    """Where things are, each int64 [*B] but for the flags; rows `y` are counted downwards, columns `x` to the right."""

    ball_x: Tensor
    ball_y: Tensor
    last_x: Tensor
    """Where the ball was a step before: the trail that shows which way it flies."""
    last_y: Tensor
    dx: Tensor
    """-1 or 1, where the ball flies in the next step."""
    dy: Tensor
    paddle: Tensor
    """The column of the paddle, which stays in the last row."""
    bricks: Tensor
    """[*B, 3, 10] boolean, those of the rows 1 to 3."""
    inside: Tensor
    """[*B] boolean: whether the ball is among the bricks, where it breaks no second one."""
    last_action: Tensor


class Breakout(FuncEnv[BreakoutState, Tensor, Tensor, Tensor, Tensor, Any, BreakoutParams]):
    """Breakout of MinAtar: a ball flies along the diagonals of a board of 10 × 10 and breaks bricks, 1 point for each.

    The observation [*B, 10, 10, 4] is 1 where something is and 0 elsewhere, in the channels paddle, ball, trail and
    brick; it is floating point, as networks read it, and not boolean as the package's. The action [*B] is 0 (nothing),
    1 (left) or 2 (right), the three of the package's six that differ, as in its "MinAtar/Breakout-v1"; with probability
    `sticky_action_prob` the last one is repeated. Terminal once the ball passes the paddle. When the last brick is
    broken, new ones come as soon as the ball is down. Nothing gets harder on the way: of the package's games this one
    has no difficulty ramp.

    An episode begins as if nothing had been done before; in the package the last action of the episode before counts.

    Args: dtype: of the observation and the reward.
    Raises: TypeError for a dtype that is not floating point.
    Source: Young and Tian (2019), "MinAtar: an Atari-inspired testbed for thorough and reproducible reinforcement
        learning experiments", arXiv:1903.03176; its code, version 1.0.15.

    >>> env = Breakout()
    >>> state = env.initial(random.split(random.key(0), 3))
    >>> env.observation(state, random.key(1)).sum((1, 2))  # before the first step the trail is where the ball is
    tensor([[ 1.,  1.,  1., 30.],
            [ 1.,  1.,  1., 30.],
            [ 1.,  1.,  1., 30.]])
    """

    metadata: ClassVar[dict[str, Any]] = {"render_fps": 10}

    def __init__(self, dtype: torch.dtype = torch.float32):
        super().__init__()
        self.dtype = dtype
        scalar = scalar_type(type(self).__name__, dtype)
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (_SIDE, _SIDE, 4), dtype=scalar)
        self.action_space = gymnasium.spaces.Discrete(3)

    def get_default_params(self) -> BreakoutParams:  # type: ignore[override]
        """The package's: every tenth action is the last one again."""
        return BreakoutParams()

    def initial(self, rng: Tensor, params: BreakoutParams | None = None) -> BreakoutState:
        """The ball in row 3, at the left or the right wall, flying down and inwards; for keys [*B, 2]."""
        right = random.randint(0, 2, (), rng)
        x, zero = right * (_SIDE - 1), torch.zeros_like(right)
        bricks = torch.ones((*right.shape, _ROWS, _SIDE), dtype=torch.bool, device=right.device)
        return BreakoutState(
            ball_x=x,
            ball_y=zero + _ROWS,
            last_x=x.clone(),
            last_y=zero + _ROWS,
            dx=1 - 2 * right,
            dy=zero + 1,
            paddle=zero + 4,
            bricks=bricks,
            inside=zero > 0,
            last_action=zero + _NOTHING,
        )

    def transition(
        self, state: BreakoutState, action: Tensor, rng: Tensor, params: BreakoutParams | None = None
    ) -> BreakoutState:
        """The paddle moves, then the ball, which is reflected by walls, bricks and the paddle."""
        params = params or self.get_default_params()
        sticks = random.uniform((), rng) < params.sticky_action_prob
        action = torch.where(sticks, state.last_action, action.to(torch.int64))
        step = (action == _RIGHT).to(torch.int64) - (action == _LEFT).to(torch.int64)
        paddle = torch.clamp(state.paddle + step, 0, _SIDE - 1)

        x, y = state.ball_x + state.dx, state.ball_y + state.dy
        dx = torch.where((x < 0) | (x >= _SIDE), -state.dx, state.dx)
        x = torch.clamp(x, 0, _SIDE - 1)
        ceiling = y < 0
        y = torch.clamp(y, 0, _SIDE - 1)
        struck, bricks = _strike(state, x, y)
        hit = struck & ~state.inside
        down = y == _SIDE - 1
        bricks = bricks | (down & ~bricks.flatten(-2).any(-1))[..., None, None]
        straight = down & (state.ball_x == paddle)
        askew = down & ~straight & (x == paddle)  # met by its corner, the ball flies back where it came from
        back = hit | straight | askew
        return BreakoutState(
            ball_x=x,
            ball_y=torch.where(back, state.ball_y, y),
            last_x=state.ball_x.clone(),
            last_y=state.ball_y.clone(),
            dx=torch.where(askew, -dx, dx),
            dy=torch.where(ceiling | back, -state.dy, state.dy),
            paddle=paddle,
            bricks=bricks,
            inside=struck,
            last_action=action,
        )

    def observation(self, state: BreakoutState, rng: Tensor, params: BreakoutParams | None = None) -> Tensor:
        """The board with its four channels, [*B, 10, 10, 4]."""
        # One scatter into an empty board: compared with every cell, what is drawn would be drawn anew for each of them.
        last_row, rows = torch.full_like(state.paddle, _SIDE - 1), _SIDE * _ROWS
        things = (state.paddle, last_row), (state.ball_x, state.ball_y), (state.last_x, state.last_y)
        moving = torch.stack([4 * _place(x, y) + channel for channel, (x, y) in enumerate(things)], -1)
        wall = 4 * torch.arange(_SIDE, _SIDE + rows, device=moving.device) + 3
        index = torch.cat([moving, wall.expand(*moving.shape[:-1], rows)], -1)
        value = torch.cat([torch.ones_like(moving, dtype=self.dtype), state.bricks.flatten(-2).to(self.dtype)], -1)
        board = torch.zeros((*moving.shape[:-1], 4 * _SIDE * _SIDE), dtype=self.dtype, device=moving.device)
        return board.scatter(-1, index, value).unflatten(-1, (_SIDE, _SIDE, 4))

    def reward(
        self,
        state: BreakoutState,
        action: Tensor,
        next_state: BreakoutState,
        rng: Tensor,
        params: BreakoutParams | None = None,
    ) -> Tensor:
        """1 for a brick that broke, [*B]."""
        return (state.bricks & ~next_state.bricks).flatten(-2).any(-1).to(self.dtype)

    def terminal(self, state: BreakoutState, rng: Tensor, params: BreakoutParams | None = None) -> Tensor:
        """Whether the ball is in the last row, past the paddle, [*B]."""
        return state.ball_y >= _SIDE - 1

    def draw(
        self, state: BreakoutState, params: BreakoutParams | None = None, size: tuple[int, int] | None = None
    ) -> Tensor:
        """[*B] -> [*B, H, W, 3] uint8: the board; 20 × 20 pixels for each cell by default.

        >>> Breakout().draw(Breakout().initial(random.key(0))).shape
        torch.Size([200, 200, 3])
        """
        picture = canvas((20 * _SIDE, 20 * _SIDE), size, state.paddle.device)
        column = torch.clamp((picture.x / 20 + 0.025).floor().long(), 0, _SIDE - 1)
        row = _SIDE - 1 - torch.clamp((picture.y / 20 + 0.025).floor().long(), 0, _SIDE - 1)
        board = pad(state.bricks, (0, 0, 1, _SIDE - 1 - _ROWS))
        picture = picture.paint(torch.where(board[..., row, column], -20.0, 20.0), (202, 152, 101))
        picture = picture.grid(20, 1, (230, 230, 230))
        picture = picture.disc(cell(state.last_y, state.last_x, _SIDE, 20), 4, (160, 160, 160))
        picture = picture.disc(cell(state.ball_y, state.ball_x, _SIDE, 20), 7, (204, 51, 51))
        x, y = cell(_SIDE - 1, state.paddle, _SIDE, 20)
        return picture.rectangle((x - 9, y), (x + 9, y), 8, BLACK).pixels()


def _place(x: Tensor, y: Tensor) -> Tensor:
    return y * _SIDE + x


def _strike(state: BreakoutState, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Whether there is a brick at (x, y), [*B], and the bricks without it unless the ball is among them already."""
    flat = state.bricks.flatten(-2)
    among = (y >= 1) & (y <= _ROWS)
    index = torch.clamp(_place(x, y - 1), 0, _ROWS * _SIDE - 1).unsqueeze(-1)
    there = flat.gather(-1, index)
    struck = among & there.squeeze(-1)
    stays = there & ~(struck & ~state.inside).unsqueeze(-1)
    return struck, flat.scatter(-1, index, stays).unflatten(-1, (_ROWS, _SIDE))
