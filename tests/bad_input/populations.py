"""Bad populations and sweeps: members that are not one program, values that no member can have."""

from functools import partial
from math import nan

import torch

from frl import TensorDict, training
from frl.cli.errors import UsageError
from tests.bad_input.case import KEY, bad, ones
from tests.bad_input.programs import frl_says

UNEQUAL = TensorDict({"train": {"hyper": {"gamma": torch.tensor([0.9, 0.99])}, "params": ones(3)}})
HYPER = TensorDict({"train": {"hyper": {"gamma": torch.tensor([0.9, 0.99])}}})
STATE = TensorDict({"train": {"params": {"w": ones(3)}}})

sweep = partial(frl_says, "sweep", "ppo", "--vary")

POPULATIONS = {
    "a population of no state": bad(
        lambda: training.assemble([]), ValueError, "assemble: there is no state", "pass one for each member"
    ),
    "a population of unequal shapes": bad(
        lambda: training.assemble([STATE, STATE, TensorDict({"train": {"params": {"w": ones(4)}}})]),
        *(ValueError, "assemble: train.params.w is float32 [4] in member 2", "float32 [3] in member 0"),
        "make all with the same networks and sizes",
    ),
    "a population of unequal structures": bad(
        lambda: training.assemble([STATE, TensorDict({"train": {"params": {"v": ones(3)}}})]),
        *(ValueError, "assemble: train.params.w is missing in member 1", "make all with the same networks"),
    ),
    "another learning rate for members that disagree about their number": bad(
        lambda: training.vary(UNEQUAL, {"gamma": [0.5, 0.6]}), ValueError, "vary: the leading axes", "pass the states"
    ),
    "half of members that disagree about their number": bad(
        lambda: training.halve(UNEQUAL, ones(2)), ValueError, "halve: the leading axes", "pass the states of"
    ),
    "a discount above one in one member": bad(
        lambda: training.vary(HYPER, {"gamma": [0.9, 1.5]}), ValueError, "vary: gamma is 1.5", "must be at most 1"
    ),
    "a discount of nothing in one member": bad(
        lambda: training.vary(HYPER, {"gamma": [nan, 0.5]}), ValueError, "vary: gamma is nan", "must be at least 0"
    ),
    "the exploitation of nothing": bad(
        lambda: training.exploit(TensorDict({}), ones(0), KEY, {}), ValueError, "exploit: the leading axes", "pass the"
    ),
    "a log with values for fewer members": bad(
        lambda: training.csv_log("/none", [0, 1], varied={"gamma": [0.9]}).__enter__(),
        *(ValueError, "csv_log: 'gamma' has 1 values", "2 seeds", "give one of each for each member"),
    ),
    "a sweep over an unknown name": bad(
        lambda: sweep("lr", "0.1,0.2"), UsageError, "no hyperparameter 'lr'", "there are: learning-rate, anneal-updates"
    ),
    "a sweep over what decides the program": bad(
        lambda: sweep("num-epochs", "1,2"), UsageError, "cannot differ in num-epochs", "they can differ in:"
    ),
    "a sweep by an unknown specification": bad(
        lambda: sweep("gamma", "lag:0.1:0.2:3"), UsageError, "'lag:0.1:0.2:3'", "write log:LOW:HIGH:COUNT"
    ),
    "a sweep over no value": bad(
        lambda: sweep("gamma", "log:0.1:0.2:0"), UsageError, "the count is 0", "whole number of at least 1"
    ),
    "a sweep from high to low": bad(
        lambda: sweep("gamma", "linear:0.9:0.1:3"), UsageError, "the lowest value is 0.9", "must be below 0.1"
    ),
    "a sweep by ratio from nothing": bad(
        lambda: sweep("gamma", "log:0:0.1:3"), UsageError, "the lowest value is 0", "needs one above 0"
    ),
    "a sweep beyond the range of its name": bad(
        lambda: sweep("gamma", "0.9,1.1"), UsageError, "gamma is 1.1", "must be at most 1"
    ),
    "a sweep of no seed": bad(
        lambda: sweep("gamma", "0.9,0.99", "--num-seeds", "0"), UsageError, "--num-seeds is 0", "must be at least 1"
    ),
    "a sweep over nothing": bad(lambda: frl_says("sweep", "ppo"), UsageError, "nothing varies", "--vary learning-rate"),
    "a sweep of an unknown algorithm": bad(
        lambda: frl_says("sweep", "dqm"), UsageError, "unknown algorithm 'dqm'", "there are: ppo"
    ),
    "exporting what is not there": bad(
        lambda: frl_says("export", "/none", "-o", "/none/a.safetensors"),
        UsageError,
        "/none is no run directory",
        "name",
    ),
}
