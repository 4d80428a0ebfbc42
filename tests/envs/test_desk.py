import os

import pytest
import torch

from frl import random, tree
from frl.envs.board import allocate, board
from frl.envs.channel import DONE, ENDED, GIVEN, RESET, STEP, STEP_AND_RESET
from frl.envs.desk import Desk, GymDesk, desk
from frl.envs.member import Member
from tests.envs.faulty import ALIKE, Tampered

KEYS = random.split(random.key(0), 40)


def seated(create, kind=None):
    member = Member(create())
    fd = allocate("a test", member.outline, 2)
    shared = board(fd, member.outline, 2)
    os.close(fd)
    return (desk if kind is None else kind)(member, shared, 1), shared


def drive(one, shared, codes):
    """What is on the board after each order, and the answers."""
    shared.keys.copy_(KEYS[:2])
    found, action = [], one._member.outline.given["action"]
    for code, key in zip(codes, KEYS[2:], strict=False):
        shared.keys.copy_(random.split(key, 2))
        spec = one._member.env.action_spec
        shared.given[one._action][1] = spec.sample(key) if action.ndim else action
        answer = one.obey(code)
        part = shared.following if code == RESET else shared.after
        fresh = [x.clone() for x in shared.following] if answer == ENDED else []
        found.append((answer, [x.clone() for x in part], fresh))
    return found


@pytest.mark.parametrize("name", [name for name in ALIKE if name.startswith("Gymnasium") or name == "pixels"])
def test_arrays_are_written_as_tensors_would_be(name):
    fast, ours = seated(ALIKE[name])
    slow, theirs = seated(ALIKE[name], Desk)
    assert type(fast) is GymDesk
    codes = [RESET, *[STEP_AND_RESET] * 30]
    for (answer, part, fresh), (other, expected, anew) in zip(
        drive(fast, ours, codes), drive(slow, theirs, codes), strict=True
    ):
        assert answer == other
        assert all(torch.equal(x, y) for x, y in zip([*part, *fresh], [*expected, *anew], strict=True))


def test_only_its_own_row_is_written():
    one, shared = seated(ALIKE["a pure one"])
    drive(one, shared, [RESET, *[STEP_AND_RESET] * 8])
    assert not any(bool(x[0].any()) for x in (*shared.after, *shared.following))


def test_what_is_given_is_where_it_goes_on():
    one, shared = seated(ALIKE["a pure one"])
    begin = drive(one, shared, [RESET])[0][1]
    own = Member(ALIKE["a pure one"]()).outline
    for name, x in zip(one._form.names, shared.given, strict=True):
        if name != "action":
            x.copy_(begin[[n for n, _ in tree.named_leaves(own.begin)].index(name)])
    first, second = ([x.clone() for x in shared.after] for _ in range(2) if one.obey(STEP | GIVEN) == DONE)
    assert all(torch.equal(x, y) for x, y in zip(first, second, strict=True))


def test_an_environment_that_is_more_than_gymnasiums_takes_the_long_way():
    one, _ = seated(lambda: Tampered(lambda td: td))
    assert type(one) is Desk
