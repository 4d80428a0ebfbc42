"""One row for each transform, and some for what it can be told; a new one buys every law of `test_laws.py`."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from frl import transforms as T
from frl.envs import Env
from frl.specs import Unbounded
from tests.transforms.worlds import pendulum, scene


class Case(NamedTuple):
    name: str
    make: Callable[[], T.Transform]
    world: Callable[[], Env] = scene
    replayed: bool = True  # what it does to data is what it did to the steps


def image(*transforms: T.Transform) -> Callable[[], T.Transform]:
    return lambda: T.Compose(T.ToTensorImage(), *transforms)


CASES = (
    Case("ToTensorImage", T.ToTensorImage),
    Case("GrayScale", image(T.GrayScale())),
    Case("Resize", image(T.Resize(4, 5))),
    Case("Resize up, not antialiased", image(T.Resize(11, antialias=False))),
    Case("CenterCrop", image(T.CenterCrop(3, 4))),
    Case("ObservationNorm", lambda: T.ObservationNorm(2.0, -3.0, ["observation", "bounded"])),
    Case("ObservationNorm of tensors", lambda: T.ObservationNorm(torch.ones(3), torch.tensor([1.5, 2.0, 0.5]))),
    Case("standard ObservationNorm", lambda: T.ObservationNorm(1.0, 2.0, ["bounded"], ["normal"], True)),
    Case("VecNorm", T.VecNorm),
    Case("CatFrames", image(T.CatFrames(4, -3), T.ObservationNorm(1, 2, ["pixels"]))),
    Case("CatFrames padded", lambda: T.CatFrames(3, -1, ["bounded"], ["frames"], "constant", 5.0)),
    Case("TimeMaxPool", lambda: T.TimeMaxPool(3)),
    Case("RewardScaling", lambda: T.RewardScaling(0.5, 0.1)),
    Case("standard RewardScaling", lambda: T.RewardScaling(0.5, 0.1, standard_normal=True)),
    Case("RewardClipping", lambda: T.RewardClipping(-0.5, 0.5)),
    Case("RewardSum", T.RewardSum),
    Case("TargetReturn", lambda: T.TargetReturn(5.0)),
    Case("LastActionReward", lambda: T.LastActionReward(scene().single_action_spec)),
    Case("LastActionReward of numbers", lambda: T.LastActionReward(pendulum().single_action_spec), pendulum),
    Case("Trials", lambda: T.Trials(2), replayed=False),
    Case("StepCounter", T.StepCounter),
    Case("StepCounter with a limit", lambda: T.StepCounter(4, "count"), replayed=False),
    Case("TimeLimit", lambda: T.TimeLimit(4), replayed=False),
    Case("InitTracker", T.InitTracker),
    Case("TensorDictPrimer", lambda: T.TensorDictPrimer({"h": Unbounded(4), ("nested", "c"): Unbounded((1, 2))}, 0.5)),
    Case("NoopResetEnv", lambda: T.NoopResetEnv(3), replayed=False),
    Case("NoopResetEnv, all of them", lambda: T.NoopResetEnv(2, random=False), pendulum, False),
    Case("FrameSkipTransform", lambda: T.FrameSkipTransform(3), replayed=False),
    Case("DoubleToFloat", T.DoubleToFloat),
    Case("DTypeCastTransform", lambda: T.DTypeCastTransform(torch.float32, torch.float64), pendulum, False),
    Case("SelectTransform", lambda: T.SelectTransform("observation", "lives"), replayed=False),
    Case("ExcludeTransform", lambda: T.ExcludeTransform("pixels", "double")),
    Case("RenameTransform", lambda: T.RenameTransform(["observation"], [("nested", "vector")])),
    Case("RenameTransform by a copy", lambda: T.RenameTransform(["observation"], ["vector"], create_copy=True)),
    Case("CatTensors", lambda: T.CatTensors(["observation", "bounded"])),
    Case("CatTensors of bounded parts", lambda: T.CatTensors(["bounded", "bounded"], "twice", del_keys=False)),
    Case("FlattenObservation", lambda: T.FlattenObservation(-3, -1, ["pixels"])),
    Case("ActionMask", T.ActionMask),
    Case("ActionScaling", T.ActionScaling, pendulum, False),
    Case("ActionDiscretizer", lambda: T.ActionDiscretizer(5), pendulum, False),
    Case("ActionDiscretizer of integers", lambda: T.ActionDiscretizer(5, categorical=True), pendulum, False),
    Case("EndOfLifeTransform", T.EndOfLifeTransform),
    Case(
        "many",
        lambda: T.Compose(
            T.FrameSkipTransform(2),
            T.ToTensorImage(),
            T.GrayScale(),
            T.Resize(4),
            T.CatFrames(2),
            T.RewardSum(),
            T.RewardScaling(0.0, 0.1),
            T.StepCounter(5),
            T.InitTracker(),
            T.ObservationNorm(0.5, 0.5, ["pixels"], standard_normal=True),
        ),
        replayed=False,
    ),
)
