import numpy as np
import pytest
import torch

from frl import random
from frl.envs.bsuite import Catch, CatchParams
from frl.envs.bsuite.catch import CatchState
from tests.envs.reference import compare, stepped

KEY = random.key(0)


class Reference:
    """The board as an array: a ball that falls, a paddle in the last row."""

    def __init__(self, ball_row, ball_column, paddle, rows=10, columns=5):
        assert (ball_row, paddle) == (0, columns // 2)
        self.rows, self.columns, self.ball, self.paddle = rows, columns, [0, int(ball_column)], columns // 2

    def observe(self):
        board = np.zeros((self.rows, self.columns))
        board[tuple(self.ball)] = board[self.rows - 1, self.paddle] = 1
        return board.flatten()

    def step(self, action):
        self.paddle = min(max(self.paddle + (-1, 0, 1)[action], 0), self.columns - 1)
        self.ball[0] += 1
        if self.ball[0] < self.rows - 1:
            return 0.0, False
        return (1.0 if self.ball[1] == self.paddle else -1.0), True


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_the_reference_step_by_step(dtype):
    rewards = compare(Catch(dtype=dtype), Reference, 40, 9)
    assert {len(row) for row in rewards} == {9}
    assert {row[-1] for row in rewards} == {1.0, -1.0}


def test_equals_the_reference_on_a_board_of_another_size():
    def reference(**state):
        return Reference(**state, rows=4, columns=2)

    assert {len(row) for row in compare(Catch(4, 2), reference, 20, 3)} == {3}


def test_who_goes_to_the_ball_always_catches_it():
    author = Catch()
    state = author.initial(random.split(KEY, 50))
    for _ in range(9):
        action = 1 + torch.sign(state.ball_column - state.paddle)
        before, state = state, author.transition(state, action, KEY)
    assert (author.reward(before, action, state, KEY) == 1).all()


def test_the_ball_comes_down_in_every_column():
    assert Catch().initial(random.split(KEY, 200)).ball_column.unique().tolist() == [0, 1, 2, 3, 4]


def test_the_reward_is_scaled_by_the_physics():
    state = CatchState(*torch.tensor([8, 0, 0]))
    assert stepped(Catch(), state, 1, CatchParams(reward=10.0))[1:] == (10.0, True)
    assert stepped(Catch(), state, 2, CatchParams(reward=10.0))[1:] == (-10.0, True)
