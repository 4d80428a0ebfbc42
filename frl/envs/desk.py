"""Where a worker does what it is told: it reads its rows of the board, and writes there what comes of it."""

from typing import Any

import numpy as np
from torch import Tensor

from frl import tree
from frl.envs.board import Board
from frl.envs.channel import DONE, ENDED, GIVEN, RESET, RESTART, STEP_AND_RESET
from frl.envs.form import Form
from frl.envs.gym import GymEnv, GymWrapper
from frl.envs.member import Member

_FLAGS = ("done", "terminated", "truncated")


def desk(member: Member, board: Board, index: int) -> "Desk":
    """The desk of worker `index`: of one of Gymnasium's environments, its arrays are written without tensors."""
    kind = GymDesk if type(member.env) in (GymEnv, GymWrapper) else Desk
    return kind(member, board, index)


class Desk:
    """A member with its rows of the board, from which it reads what it is given and where it writes what comes of it.

    >>> from frl import random
    >>> from frl.envs import make
    >>> from frl.envs.board import allocate, board
    >>> member = Member(make("CartPole-v1"))
    >>> shared = board(allocate("an example", member.outline, 3), member.outline, 3)
    >>> shared.keys.copy_(random.split(random.key(0), 3)).shape
    torch.Size([3, 2])
    >>> Desk(member, shared, 1).obey(RESET) == DONE, [bool(row.any()) for row in shared.following[1]]
    (True, [False, True, False])
    """

    def __init__(self, member: Member, board: Board, index: int):
        self._member = member
        after, following, given = ([x[index] for x in part] for part in (board.after, board.following, board.given))
        self._rows = Board(after, following, given, board.keys[index])
        self._form = Form(member.outline.given)
        self._action = self._form.names.index("action")
        self._done = Form(member.outline.after).names.index("done")

    def obey(self, code: int) -> int:
        """Does it, and returns the answer: DONE, or ENDED if an episode has, so that `following` counts too."""
        rows, member = self._rows, self._member
        if code == RESET:
            _write(rows.following, member.reset(rows.keys.clone()))
            return DONE
        given: Any = {"action": rows.given[self._action].clone()}
        if code & GIVEN:
            given = self._form.build([x.clone() for x in rows.given])
        key = rows.keys.clone() if member.outline.keyed_steps else None
        if code & ~GIVEN == RESTART:
            given = {name: given[name] for name in given if name != "action"}
            _write(rows.following, member.restart({**given, "done": rows.after[self._done].clone()}, key))
            return DONE
        after, following = member.step(given, key, code & ~GIVEN == STEP_AND_RESET)
        _write(rows.after, after)
        if following is None:
            return DONE
        _write(rows.following, following)
        return ENDED


def _write(rows: list[Tensor], leaves: list[Tensor]) -> None:
    for row, x in zip(rows, leaves, strict=True):
        row.copy_(x.detach() if x.requires_grad else x)


class GymDesk(Desk):
    """The same for one of Gymnasium's environments, in a third of the time: what it returns are arrays already.

    >>> from frl import random
    >>> from frl.envs.board import allocate, board
    >>> member = Member(GymEnv("Pendulum-v1"))
    >>> shared = board(allocate("an example", member.outline, 1), member.outline, 1)
    >>> one = desk(member, shared, 0)
    >>> type(one).__name__, one.obey(RESET) == DONE, one.obey(STEP_AND_RESET) == DONE
    ('GymDesk', True, True)
    """

    def __init__(self, member: Member, board: Board, index: int):
        super().__init__(member, board, index)
        rows, outline = self._rows, member.outline
        self._env: Any = member.env
        self._chosen = rows.given[self._action].numpy()
        self._after = tree.unflatten(tree.flatten(dict(outline.after))[1], [x.numpy() for x in rows.after])
        self._fresh = tree.unflatten(tree.flatten(dict(outline.begin))[1], [x.numpy() for x in rows.following])
        self._observed = list(outline.observation)

    def obey(self, code: int) -> int:
        """Does it, as any desk, and returns the same answers."""
        if code in (RESET, RESTART):
            return super().obey(code)
        after, env = self._after, self._env
        observation, reward, ended, terminated, truncated = env.step_arrays(self._chosen)
        self._see(observation, after)
        _fill(after["reward"], reward)
        for name, flag in zip(_FLAGS, (ended, terminated, truncated), strict=True):
            _fill(after[name], flag)
        if code != STEP_AND_RESET or not np.count_nonzero(ended):
            return DONE
        self._see(env.reset_ended_arrays(), self._fresh)
        for name in _FLAGS:
            self._fresh[name][...] = False
        return ENDED

    def _see(self, observation: Any, rows: dict[str, Any]) -> None:
        entries = observation if isinstance(observation, dict) else {"observation": observation}
        for name in self._observed:
            _fill(rows[name], entries[name])


def _fill(row: Any, value: Any) -> None:
    """Copies an array, or those of a Dict, each of as many elements as its row."""
    if isinstance(value, dict):
        for name in value:
            _fill(row[name], value[name])
    else:
        row[...] = value.reshape(row.shape)
