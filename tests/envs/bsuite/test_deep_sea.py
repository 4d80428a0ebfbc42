import numpy as np
import pytest
import torch

from frl import random
from frl.envs import FunctionalEnv
from frl.envs.bsuite import DeepSea, DeepSeaParams
from frl.envs.bsuite.deep_sea import DeepSeaState
from tests.envs.reference import compare, stepped

KEY = random.key(0)
MAP = random.randint(0, 2, (8, 8), random.key(3))


class Reference:
    """bsuite's deterministic DeepSea: `right[row][column]` is the action that goes right."""

    def __init__(self, row, column, size=8, right=None):
        assert (row, column) == (0, 0)
        self.row = self.column = 0
        self.size, self.right = size, np.ones((size, size)) if right is None else right

    def observe(self):
        sea = np.zeros((self.size, self.size))
        if self.row < self.size:
            sea[self.row, self.column] = 1
        return sea.flatten()

    def step(self, action):
        reward, last = 0.0, self.size - 1
        if action == self.right[self.row][self.column]:
            reward += self.column == last
            self.column = min(self.column + 1, last)
            reward -= 0.01 / self.size
        else:
            self.column = max(self.column - 1, 0)
        self.row += 1
        return reward, self.row == self.size


@pytest.mark.parametrize("size", [1, 3, 8])
def test_equals_the_reference_step_by_step(size):
    rewards = compare(DeepSea(size), lambda **state: Reference(**state, size=size), 60, size)
    assert {len(row) for row in rewards} == {size}


def test_equals_the_reference_with_a_map_of_actions():
    params = DeepSeaParams(action_map=MAP)
    compare(DeepSea(), lambda **state: Reference(**state, right=MAP.tolist()), 60, 8, params)


def test_going_right_returns_99_hundredths_and_one_step_back_loses_the_treasure():
    right, back = torch.ones(8, dtype=torch.int64), torch.tensor([1, 1, 0, 1, 1, 1, 1, 1])
    assert dive(right) == pytest.approx(0.99)
    assert dive(back) == pytest.approx(-0.01 * 7 / 8)


def dive(actions, params=None):
    author, total = DeepSea(), 0.0
    state = author.initial(KEY)
    for action in actions:
        state, reward, ended = stepped(author, state, action, params)
        total += reward.item()
    assert ended
    return total


def test_a_map_says_which_action_goes_right():
    assert dive(MAP.diagonal(), DeepSeaParams(action_map=MAP)) == pytest.approx(0.99)


def test_the_treasure_and_its_cost_are_physics():
    params = DeepSeaParams(move_cost=0.8, treasure=torch.tensor([5.0, 0.0]))
    state = DeepSeaState(torch.tensor([7, 7]), torch.tensor([7, 7]))
    reward = DeepSea().reward(state, torch.tensor([1, 1]), state, KEY, params)
    assert reward.tolist() == pytest.approx([4.9, -0.1])


@pytest.mark.parametrize("shape", [(8,), (7, 8), (3, 8, 8)])
def test_a_map_of_another_size_is_refused(shape):
    with pytest.raises(ValueError, match=r"DeepSea: action_map has shape .* but must have \[2, 8, 8\]"):
        FunctionalEnv(DeepSea(), [2], params=DeepSeaParams(action_map=torch.zeros(shape)))
