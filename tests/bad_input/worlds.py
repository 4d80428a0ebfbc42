"""Bad calls of the pure worlds, of what draws them, and of the specs of several choices."""

import gymnasium
import torch

from frl import TensorDict, envs, specs
from frl.envs import classic
from frl.envs.drawing import BLACK, canvas
from frl.envs.probes import Probe
from tests.bad_input.case import KEY, bad, ints, zeros

CAR = envs.make("MountainCarContinuous-v0", 2)
LINKS = envs.make("Acrobot-v1", 2)
SILENT = envs.FunctionalEnv(Probe())

WORLDS = {
    "whole numbers for an acrobot": bad(
        lambda: classic.Acrobot(torch.int64), TypeError, "Acrobot", "dtype", "torch.int64", "must be one of"
    ),
    "a precision that numpy lacks": bad(
        lambda: classic.MountainCar(torch.bfloat16), TypeError, "MountainCar", "torch.bfloat16", "'torch.float32'"
    ),
    "booleans for a continuous car": bad(
        lambda: classic.MountainCarContinuous(torch.bool), TypeError, "MountainCarContinuous", "dtype", "must be one of"
    ),
    "a name that is close to two": bad(
        lambda: envs.make("MountainCar-v1"), ValueError, "'MountainCar-v1'", "Did you mean MountainCar-v0"
    ),
    "a push without its axis": bad(
        lambda: CAR.step(CAR.reset(KEY).set("action", zeros(2)), KEY), ValueError, '"action"', "[2]", "must have [2, 1]"
    ),
    "a push in double precision": bad(
        lambda: CAR.step(CAR.reset(KEY).set("action", zeros(2, 1).double()), KEY),
        *(TypeError, '"action"', "torch.float64", "must be torch.float32; convert it"),
    ),
    "two torques of three": bad(
        lambda: LINKS.step(LINKS.reset(KEY).set("action", ints(2, 2)), KEY),
        *(ValueError, '"action"', "[2, 2]", "must have [2, 3]"),
    ),
    "a torque as a number": bad(
        lambda: LINKS.step(LINKS.reset(KEY).set("action", ints(2)), KEY), ValueError, '"action"', "must have [2, 3]"
    ),
    # ---- drawing
    "a world that draws nothing": bad(
        lambda: SILENT.draw(SILENT.reset(KEY)), NotImplementedError, "Probe has no method draw", "write draw(state"
    ),
    "a picture of no state": bad(
        lambda: LINKS.draw(TensorDict({"observation": zeros(2, 6)}, [2])),
        *(ValueError, "'state'", "['observation']", "begin with env.reset(key)"),
    ),
    "a picture of a tensor": bad(
        lambda: LINKS.draw(zeros(2, 4)), ValueError, "'state'", "it is a Tensor", "begin with env.reset(key)"
    ),
    "a picture of one number": bad(
        lambda: LINKS.draw(LINKS.reset(KEY), 84), TypeError, "size", "84", "must be a pair of integers, (H, W)"
    ),
    "a picture without rows": bad(lambda: canvas((4, 3), (0, 5)), ValueError, "size[0]", "0", "must be at least 1"),
    "a picture of half a pixel": bad(
        lambda: canvas((4, 3), (1.5, 5)), TypeError, "size", "(1.5, 5)", "must be a pair of integers"
    ),
    "a polygon of two corners": bad(
        lambda: canvas((4, 3)).polygon([(0, 0), (1, 1)], BLACK), ValueError, "2 corners", "draw a segment instead"
    ),
    "a color between zero and one and beyond": bad(
        lambda: canvas((4, 3)).disc((0, 0), 1, (0, 300, 0)), ValueError, "(0, 300, 0)", "each from 0 to 255"
    ),
    "a color without blue": bad(
        lambda: canvas((4, 3)).segment((0, 0), (1, 1), 1, (0, 9)), ValueError, "color", "(0, 9)", "(red, green, blue)"
    ),
    # ---- several choices
    "no choice in one of two parts": bad(
        lambda: specs.MultiOneHot([2, 0]), ValueError, "MultiOneHot", "n is 0", "at least 1 choice"
    ),
    "one-hot vectors of no part": bad(
        lambda: specs.MultiOneHot([]), ValueError, "nvec is empty", "must be at least one number of choices"
    ),
    "integers of no part": bad(
        lambda: specs.MultiCategorical([]), ValueError, "MultiCategorical", "nvec is empty", "must be at least one"
    ),
    "one-hot vectors of another width": bad(
        lambda: specs.MultiOneHot([2, 3], (6,)), ValueError, "[6]", "must end with sum(nvec), which is 5"
    ),
    "several choices from one": bad(
        lambda: specs.from_gymnasium(gymnasium.spaces.MultiDiscrete([2, 3], start=[1, 1])),
        *(ValueError, "starts at [1 1]", "gymnasium wrapper"),
    ),
    "assignment to one-hot vectors": bad(
        lambda: setattr(specs.MultiOneHot([2]), "nvec", (3,)), TypeError, "immutable", ".nvec", "build a new one"
    ),
}
