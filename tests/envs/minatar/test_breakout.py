"""Ours against episodes of the minatar package, which `record_breakout.py` has recorded; and what the package draws."""

from pathlib import Path

import numpy as np
import pytest
import torch

from frl import random
from frl.control import scan
from frl.envs.minatar import Breakout, BreakoutParams
from frl.envs.minatar.breakout import BreakoutState
from tests.envs.reference import stepped

KEY = random.key(0)
STEADY = BreakoutParams(sticky_action_prob=0.0)
PADDLE, BALL, TRAIL, BRICK = range(4)


@pytest.fixture(scope="module")
def recorded():
    found = np.load(Path(__file__).parent / "breakout.npz")
    return {name: torch.from_numpy(found[name].astype(np.int64)) for name in found.files}


def board(record, dtype):
    """The observations [E, T, 10, 10, 4] of the package."""
    flat = torch.zeros(*record["ball"].shape, 100, 4, dtype=dtype)
    for channel, place in ((PADDLE, record["paddle"] + 90), (BALL, record["ball"]), (TRAIL, record["trail"])):
        flat[..., channel].scatter_(-1, place.unsqueeze(-1), 1.0)
    seen = flat.unflatten(-2, (10, 10))
    seen[..., 1:4, :, BRICK] = (record["bricks"].unsqueeze(-1) >> torch.arange(10) & 1).to(dtype)
    return seen


def start(record):
    right = (record["ball"][:, 0] == 39).long()
    state = Breakout().initial(random.split(KEY, len(right)))
    return state._replace(ball_x=9 * right, last_x=9 * right, dx=1 - 2 * right)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_the_package_step_by_step(recorded, dtype):
    author, state = Breakout(dtype), start(recorded)

    def body(state, action):
        after = author.transition(state, action, random.split(KEY, len(action)), STEADY)
        seen = author.observation(after, KEY), author.reward(state, action, after, KEY), author.terminal(after, KEY)
        return after, seen

    expected, lasting = board(recorded, dtype), recorded["terminal"].cumsum(1)[:, :-1] == 0
    assert torch.equal(author.observation(state, KEY), expected[:, 0])
    _, (seen, reward, terminal) = scan(body, state, recorded["action"][:, 1:].T)
    assert torch.equal(seen.movedim(0, 1)[lasting], expected[:, 1:][lasting])
    assert torch.equal(reward.T[lasting], recorded["reward"][:, 1:][lasting].to(dtype))
    assert torch.equal(terminal.T[lasting], recorded["terminal"][:, 1:][lasting].bool())


def test_the_recorded_episodes_hold_what_there_is_to_compare(recorded):
    assert recorded["terminal"].sum() >= 8
    assert (recorded["reward"].sum(1) > 60).sum() >= 4  # all bricks are broken twice and come again
    assert set(recorded["ball"][:, 0].tolist()) == {30, 39}


def test_with_probability_one_what_was_done_before_is_done_again():
    state = Breakout().initial(KEY)._replace(last_action=torch.tensor(2))
    after, _, _ = stepped(Breakout(), state, 1, BreakoutParams(sticky_action_prob=1.0))
    assert (after.paddle.item(), after.last_action.item()) == (5, 2)


def test_every_tenth_action_sticks():
    state, action = Breakout().initial(random.split(KEY, 5000)), torch.full((5000,), 2)
    after = Breakout().transition(state, action, random.split(random.key(1), 5000))
    stuck = after.paddle == 4
    assert abs(stuck.float().mean().item() - 0.1) < 0.015
    assert torch.equal(after.last_action, torch.where(stuck, 0, 2))


def test_how_sticky_actions_are_may_differ_from_row_to_row():
    state = Breakout().initial(random.split(KEY, 2))
    params = BreakoutParams(sticky_action_prob=torch.tensor([0.0, 1.0]))
    after = Breakout().transition(state, torch.tensor([1, 1]), random.split(KEY, 2), params)
    assert after.paddle.tolist() == [3, 4]


def test_an_episode_begins_at_either_wall():
    state = Breakout().initial(random.split(KEY, 50))
    assert state.ball_x.unique().tolist() == [0, 9]
    assert torch.equal(state.dx, torch.where(state.ball_x == 0, 1, -1))


def placed(x, y, dx, dy, paddle=4, bricks=True, inside=False):
    state = Breakout().initial(KEY)
    numbers = {"ball_x": x, "ball_y": y, "dx": dx, "dy": dy, "paddle": paddle}
    state = state._replace(**{name: torch.tensor(value) for name, value in numbers.items()})
    return state._replace(bricks=torch.full((3, 10), bricks), inside=torch.tensor(inside))


def moved(state: BreakoutState, action=0):
    """(ball, direction, reward, end) after a step."""
    after, reward, ended = stepped(Breakout(), state, action, STEADY)
    return (after.ball_x.item(), after.ball_y.item()), (after.dx.item(), after.dy.item()), reward.item(), ended


def test_a_ball_is_reflected_by_walls_the_ceiling_a_brick_and_the_paddle():
    assert moved(placed(9, 5, 1, 1)) == ((9, 6), (-1, 1), 0.0, False)
    assert moved(placed(5, 0, 1, -1, bricks=False)) == ((6, 0), (1, 1), 0.0, False)
    assert moved(placed(5, 4, 1, -1)) == ((6, 4), (1, 1), 1.0, False)
    assert moved(placed(4, 8, 1, 1)) == ((5, 8), (1, -1), 0.0, False)  # straight above the paddle
    assert moved(placed(3, 8, 1, 1)) == ((4, 8), (-1, -1), 0.0, False)  # at its corner
    assert moved(placed(3, 8, 1, 1), action=2) == ((4, 9), (1, 1), 0.0, True)


def test_a_ball_among_the_bricks_breaks_no_second_one():
    assert moved(placed(5, 4, 1, -1, inside=True)) == ((6, 3), (1, -1), 0.0, False)


def test_new_bricks_come_when_the_ball_is_down():
    before = placed(4, 8, 1, 1, bricks=False)
    assert bool(stepped(Breakout(), before, 0, STEADY)[0].bricks.all())
    assert moved(before)[2] == 0.0
    assert not bool(stepped(Breakout(), placed(4, 6, 1, 1, bricks=False), 0, STEADY)[0].bricks.any())


def test_a_picture_shows_the_bricks_the_ball_and_the_paddle():
    picture = Breakout().draw(placed(5, 6, 1, 1))
    assert picture[30, 10].tolist() == [202, 152, 101]  # row 1
    assert picture[90, 10].tolist() == [255, 255, 255]
    assert picture[130, 110].tolist() == [204, 51, 51]
    assert picture[190, 90].tolist() == [0, 0, 0]
