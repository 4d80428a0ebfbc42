import pytest
import torch

from frl import random
from frl.envs import FunctionalEnv, make
from frl.envs.navigation import FourRooms, FourRoomsParams
from frl.envs.navigation.four_rooms import FourRoomsState
from tests.envs.reference import compare

KEY = random.key(0)
SURE = FourRoomsParams(fail_prob=0.0)
# The rooms by their corners, (top, left, bottom, right), and the doors between them.
ROOMS = [(1, 1, 5, 5), (1, 7, 6, 11), (7, 1, 11, 5), (8, 7, 11, 11)]
DOORS = {(3, 6), (6, 2), (7, 9), (10, 6)}


def free(row, column):
    inside = any(top <= row <= bottom and left <= column <= right for top, left, bottom, right in ROOMS)
    return inside or (row, column) in DOORS


class Reference:
    """Rooms as rectangles with doors; a step without failing."""

    def __init__(self, position, goal):
        self.at, self.goal = tuple(position.tolist()), tuple(goal.tolist())
        assert free(*self.at)
        assert free(*self.goal)
        assert self.at != self.goal

    def observe(self):
        return [x / 12 for x in (*self.at, *self.goal)]

    def step(self, action):
        down, right = [(-1, 0), (0, 1), (1, 0), (0, -1)][action]
        aim = self.at[0] + down, self.at[1] + right
        self.at = aim if free(*aim) else self.at
        return float(self.at == self.goal), self.at == self.goal


def test_equals_the_reference_step_by_step_where_no_step_fails():
    rewards = compare(FourRooms(), Reference, 60, 200, SURE)
    assert any(row[-1] == 1 for row in rewards)


def test_every_free_cell_but_no_wall_is_entered_from_every_side():
    cells = [(row, column) for row in range(13) for column in range(13) if free(row, column)]
    assert len(cells) == 104
    position = torch.tensor(cells)
    for action in range(4):
        state = FourRoomsState(position, torch.zeros_like(position))
        after = FourRooms().transition(state, torch.full((104,), action), random.split(KEY, 104), SURE)
        for cell, found in zip(cells, after.position.tolist(), strict=True):
            reference = Reference(torch.tensor(cell), torch.tensor([1, 1] if cell != (1, 1) else [1, 2]))
            reference.step(action)
            assert tuple(found) == reference.at


def test_a_third_of_the_steps_fails_into_each_other_direction_alike():
    position = torch.tensor([[3, 3]]).expand(9000, 2)
    state = FourRoomsState(position, torch.zeros_like(position))
    after = FourRooms().transition(state, torch.ones(9000, dtype=torch.int64), random.split(KEY, 9000))
    moves, counts = (after.position - position).unique(dim=0, return_counts=True)
    shares = {tuple(move): count / 9000 for move, count in zip(moves.tolist(), counts.tolist(), strict=True)}
    assert shares[0, 1] == pytest.approx(2 / 3, abs=0.02)
    assert [shares[move] for move in ((-1, 0), (1, 0), (0, -1))] == pytest.approx([1 / 9] * 3, abs=0.015)


def test_starts_and_goals_are_all_free_cells_and_never_the_same():
    state = FourRooms().initial(random.split(KEY, 5000))
    assert (state.position != state.goal).any(-1).all()
    assert state.goal.unique(dim=0).shape == (104, 2)
    cells, counts = state.position.unique(dim=0, return_counts=True)
    assert len(cells) == 104
    assert counts.max() < 90  # of 48 on average: the last cell, which stands in for the goal, is no likelier


def test_a_goal_that_is_given_is_not_drawn_and_no_start_either():
    params = FourRoomsParams(goal=torch.tensor([7, 9]))
    state = FourRooms().initial(random.split(KEY, 3000), params)
    assert (state.goal == torch.tensor([7, 9])).all()
    assert state.position.unique(dim=0).shape == (103, 2)
    both = FourRooms().initial(KEY, params._replace(start=torch.tensor([1, 1])))
    assert both.position.tolist() == [1, 1]


def test_how_often_a_step_fails_is_physics_of_each_row():
    params = FourRoomsParams(fail_prob=torch.tensor([0.0, 1.0]), start=torch.tensor([3, 3]), goal=torch.tensor([1, 1]))
    for seed in range(5):
        keys = random.split(random.key(seed), 2)
        state = FourRooms().initial(keys, params)
        after = FourRooms().transition(state, torch.tensor([1, 1]), keys, params).position
        assert after[0].tolist() == [3, 4]
        assert after[1].tolist() != [3, 4]


def test_the_picture_shows_walls_the_goal_and_the_position():
    env = make("FourRooms-v0").with_params(FourRoomsParams(start=torch.tensor([1, 1]), goal=torch.tensor([11, 11])))
    picture = env.draw(env.reset(KEY))
    for row in range(13):
        for column in range(13):
            color = picture[20 * row + 2, 20 * column + 2].tolist()
            assert color == ([255, 255, 255] if free(row, column) else [0, 0, 0])
    assert picture[29, 29].tolist() == [204, 51, 51]
    assert picture[229, 229].tolist() == [102, 204, 102]


@pytest.mark.parametrize("name", ["start", "goal"])
def test_a_place_of_three_numbers_is_refused(name):
    with pytest.raises(ValueError, match=rf"FourRooms: {name} has shape \[3\] but must have \[2, 2\]"):
        FunctionalEnv(FourRooms(), [2], params=FourRoomsParams(**{name: torch.tensor([1, 1, 1])}))
