"""Bad calls of the worlds of bsuite, of bandits and of navigation, and of the tasks that these are given."""

import torch

from frl import envs
from frl.envs.bandits import BernoulliBandit, GaussianBandit
from frl.envs.bsuite import Catch, DeepSea, DiscountingChain, MemoryChain, UmbrellaChain
from frl.envs.minatar import Breakout
from frl.envs.navigation import FourRooms, PointNavigation, PointRobot
from frl.envs.task import fixed, settled
from tests.bad_input.case import KEY, bad, ints, ones, zeros


def given(author, **task):
    """The environment of two rows with this task."""
    return envs.FunctionalEnv(author, 2, params=author.get_default_params()._replace(**task))


BREAKOUT = envs.make("MinAtar/Breakout-v1", 2)
CATCH, ROBOT = envs.make("Catch-v0", 2), envs.make("PointRobot-v0", 2)

TASKS = {
    "a ball that has nowhere to fall": bad(lambda: Catch(rows=1), ValueError, "Catch", "rows is 1", "at least 2"),
    "a board without columns": bad(lambda: Catch(columns=0), ValueError, "Catch", "columns is 0", "at least 1"),
    "a board of whole numbers": bad(
        lambda: Catch(dtype=torch.int64), TypeError, "Catch", "torch.int64", "must be one of"
    ),
    "a fourth move of three": bad(
        lambda: CATCH.step(CATCH.reset(KEY).set("action", ints(2, 4)), KEY),
        *(ValueError, '"action"', "[2, 4]", "must have [2, 3]"),
    ),
    "a wall of booleans": bad(
        lambda: Breakout(dtype=torch.bool), TypeError, "Breakout", "torch.bool", "must be one of"
    ),
    "all six actions of MinAtar": bad(
        lambda: BREAKOUT.step(BREAKOUT.reset(KEY).set("action", ints(2, 6)), KEY),
        *(ValueError, '"action"', "[2, 6]", "must have [2, 3]"),
    ),
    "a sea without cells": bad(lambda: DeepSea(size=0), ValueError, "DeepSea", "size is 0", "at least 1"),
    "a sea of booleans": bad(lambda: DeepSea(dtype=torch.bool), TypeError, "DeepSea", "torch.bool", "must be one of"),
    "a map of another sea": bad(
        lambda: given(DeepSea(), action_map=ints(9, 9)),
        *(ValueError, "DeepSea: action_map", "[9, 9]", "must have [2, 8, 8], or [8, 8] to be one for all rows"),
    ),
    "nothing to remember": bad(
        lambda: MemoryChain(num_bits=0), ValueError, "MemoryChain", "num_bits is 0", "at least 1"
    ),
    "a memory of whole numbers": bad(
        lambda: MemoryChain(dtype=torch.int32), TypeError, "MemoryChain", "torch.int32", "must be one of"
    ),
    "fewer than no distractors": bad(
        lambda: UmbrellaChain(num_distractors=-1), ValueError, "UmbrellaChain", "num_distractors is -1", "at least 0"
    ),
    "an umbrella of booleans": bad(
        lambda: UmbrellaChain(dtype=torch.bool), TypeError, "UmbrellaChain", "torch.bool", "must be one of"
    ),
    "a discount of whole numbers": bad(
        lambda: DiscountingChain(torch.int64), TypeError, "DiscountingChain", "torch.int64", "must be one of"
    ),
    "a sixth chain of five": bad(
        lambda: (env := envs.make("DiscountingChain-v0")).step(env.reset(KEY).set("action", ints(6)), KEY),
        *(ValueError, '"action"', "[6]", "must have [5]"),
    ),
    "a bandit of one arm": bad(
        lambda: BernoulliBandit(num_arms=1), ValueError, "BernoulliBandit", "num_arms is 1", "at least 2"
    ),
    "probabilities of three arms for two": bad(
        lambda: given(BernoulliBandit(), probabilities=ones(2, 3)),
        *(ValueError, "BernoulliBandit: probabilities", "[2, 3]", "must have [2, 2], or [2] to be one for all rows"),
    ),
    "probabilities as a list": bad(
        lambda: given(BernoulliBandit(), probabilities=[0.1, 0.9]),
        *(TypeError, "[0.1, 0.9]", "must be a tensor, or () to draw it in every episode"),
    ),
    "a mean without its arm": bad(
        lambda: given(GaussianBandit(), means=ones(1)), ValueError, "GaussianBandit: means", "[1]", "must have [2, 2]"
    ),
    "a bandit that pays whole numbers": bad(
        lambda: GaussianBandit(torch.int64), TypeError, "GaussianBandit", "torch.int64", "must be one of"
    ),
    "rooms of booleans": bad(lambda: FourRooms(torch.bool), TypeError, "FourRooms", "torch.bool", "must be one of"),
    "a goal as a tuple": bad(
        lambda: given(FourRooms(), goal=(7, 9)), TypeError, "FourRooms: goal is (7, 9)", "must be a tensor, or ()"
    ),
    "a start without a column": bad(
        lambda: given(FourRooms(), start=ints(1)), ValueError, "FourRooms: start", "[1]", "must have [2, 2]"
    ),
    "a goal in space": bad(
        lambda: given(PointNavigation(), goal=zeros(3)), ValueError, "PointNavigation: goal", "[3]", "must have [2, 2]"
    ),
    "a plane of whole numbers": bad(
        lambda: PointNavigation(torch.int64), TypeError, "PointNavigation", "torch.int64", "must be one of"
    ),
    "a goal for each of three rows of two": bad(
        lambda: given(PointRobot(), goal=zeros(3, 2)), ValueError, "PointRobot: goal", "[3, 2]", "must have [2, 2]"
    ),
    "a robot that goes in space": bad(
        lambda: ROBOT.step(ROBOT.reset(KEY).set("action", zeros(2, 3)), KEY),
        *(ValueError, '"action"', "[2, 3]", "must have [2, 2]"),
    ),
    "a task that is None": bad(
        lambda: settled("goal", None, zeros(2, 2)), TypeError, "goal is None", "must be a tensor, or ()"
    ),
    "a task with an axis too many": bad(
        lambda: fixed("goal", zeros(1, 2, 2), [2], [2]), ValueError, "goal", "[1, 2, 2]", "to be one for all rows"
    ),
    "a world that is close to another": bad(
        lambda: envs.make("DeepSee-v0"), ValueError, "'DeepSee-v0'", "Did you mean DeepSea-v0"
    ),
}
