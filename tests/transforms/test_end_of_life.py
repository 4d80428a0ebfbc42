import pytest
import torch

from frl import random
from frl.transforms import Compose, EndOfLifeTransform, ExcludeTransform, TransformedEnv
from tests.transforms.worlds import pendulum, scene

KEY = random.key(0)


def test_a_life_lost_is_marked_and_the_episode_goes_on():
    td = TransformedEnv(scene((20,), 6), EndOfLifeTransform()).rollout(6, key=KEY, break_when_any_done=False)
    after, lives = td["next"], td["lives"]
    assert torch.equal(after["end-of-life"], (after["lives"] < lives) | after["done"])
    lost = after["lives"] < lives
    assert lost.any()
    assert not (lost & after["done"]).all()


def test_what_it_remembers_is_its_own():
    chain = Compose(EndOfLifeTransform("eol"), ExcludeTransform("lives"))
    td = TransformedEnv(scene((2,), 6), chain).rollout(3, key=KEY, break_when_any_done=False)
    assert td["next", "eol"][:, :, 0].tolist() == [[False, True, False]] * 2


def test_lives_must_be_shown():
    with pytest.raises(KeyError, match="shows no 'lives'"):
        TransformedEnv(pendulum(), EndOfLifeTransform())
