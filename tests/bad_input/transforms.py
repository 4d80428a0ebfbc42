"""Bad calls of transforms, and of environments seen through them."""

from functools import partial

import gymnasium
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from torch import nn

from frl import TensorDict, envs, specs
from frl import transforms as T
from tests.bad_input.case import KEY, bad, ints, ones, zeros
from tests.bad_input.environments import CART

PENDULUM = envs.make("Pendulum-v1", 2)
IMAGE = TensorDict({"pixels": zeros(3, 4, 5)})
ENDED = TensorDict({"next": {"reward": ones(3, 1), "done": zeros(3, 1) > 0}}, [3])


def sealed() -> envs.GymWrapper:
    """A vector whose environments cannot be reached."""
    make = partial(gymnasium.make, "CartPole-v1")
    return envs.GymWrapper(SyncVectorEnv([make], autoreset_mode=AutoresetMode.DISABLED))


def seen(*transforms: T.Transform) -> T.TransformedEnv:
    return T.TransformedEnv(CART, T.Compose(*transforms))


TRANSFORMS = {
    "transforms in a list": bad(
        lambda: T.Compose([T.StepCounter()]), TypeError, "Compose", "is a list", "Compose(first, second)"
    ),
    "a class for a transform": bad(
        lambda: T.Compose(T.StepCounter), TypeError, "Compose", "is a type", "must be a Transform"
    ),
    "a transform of a gymnasium environment": bad(
        lambda: T.TransformedEnv(gymnasium.make("CartPole-v1")), TypeError, "env is a", "wrap it by GymWrapper"
    ),
    "a class as the transform": bad(
        lambda: T.TransformedEnv(CART, T.StepCounter), TypeError, "transform is a type", "must be a Transform"
    ),
    "assignment to a transformed environment": bad(
        lambda: setattr(seen(), "max_steps", 3), TypeError, "immutable", ".max_steps", "env.append_transform"
    ),
    "an observation that is not shown": bad(
        lambda: seen(T.ToTensorImage()), KeyError, "ToTensorImage", "'pixels'", "['observation']", "in_keys="
    ),
    "one key for several": bad(
        lambda: T.ObservationNorm(0.0, 1.0, "observation"), TypeError, "in_keys", "'observation'", "a list of keys"
    ),
    "as many out_keys as letters": bad(
        lambda: T.GrayScale(["a", "b"], ["c"]), ValueError, "GrayScale", "1 keys", "2", "one for each, in order"
    ),
    "an entry that is not in the data": bad(
        lambda: T.GrayScale(["pixel"])(IMAGE), KeyError, "'pixel'", "['pixels']", "in_keys="
    ),
    "data that are no TensorDict": bad(
        lambda: T.GrayScale()({"pixels": zeros(3, 4, 5)}), TypeError, "GrayScale", "a dict", "expected a TensorDict"
    ),
    "a transform called on no trajectory": bad(
        lambda: T.StepCounter()(IMAGE), ValueError, "StepCounter", "['pixels']", 'needs [*B, T] with "next"'
    ),
    "a trajectory without ends": bad(
        lambda: T.StepCounter()(ENDED.exclude(("next", "done"))), ValueError, "['reward']", 'it needs "done"'
    ),
    "a step that nothing began": bad(
        lambda: seen(T.TimeLimit(3)).step(CART.rand_action(CART.reset(KEY), KEY), KEY),
        *(ValueError, "TimeLimit", '"transform_state"', "begin with env.reset(key)"),
    ),
    "a row for an image": bad(
        lambda: T.ToTensorImage()(TensorDict({"pixels": zeros(4)})), ValueError, "[4]", "[*B, H, W, C]", "in_keys="
    ),
    "a picture before ToTensorImage": bad(
        lambda: T.GrayScale()(TensorDict({"pixels": zeros(4, 5, 3)})),
        ValueError,
        "[4, 5, 3]",
        "put ToTensorImage first",
    ),
    "bytes to be resized": bad(
        lambda: T.Resize(4)(TensorDict({"pixels": torch.zeros(3, 4, 5, dtype=torch.uint8)})),
        *(TypeError, "Resize, after ToTensorImage", "uint8", "convert it by .float()"),
    ),
    "no size": bad(lambda: T.Resize(0), ValueError, "Resize: w is 0", "must be at least 1"),
    "no height": bad(lambda: T.CenterCrop(2, 0), ValueError, "CenterCrop: h is 0", "must be at least 1"),
    "a piece larger than the image": bad(
        lambda: T.CenterCrop(9)(IMAGE), ValueError, "[3, 4, 5]", "9 rows and 9 columns", "Resize it first"
    ),
    "loc without scale": bad(lambda: T.ObservationNorm(loc=1.0), ValueError, "scale is None", "give both, or neither"),
    "statistics that were never measured": bad(
        lambda: seen(T.ObservationNorm()).reset(KEY), RuntimeError, "no loc", "init_stats(1000)"
    ),
    "statistics of no environment": bad(
        lambda: T.ObservationNorm().init_stats(9), ValueError, "in no environment", "one of env.transform"
    ),
    "statistics without a time axis": bad(
        lambda: seen(T.ObservationNorm()).transform[0].init_stats(9, [0, 1], key=KEY),
        *(ValueError, "[0, 1]", "cat_dim= must say"),
    ),
    "a negative eps": bad(lambda: T.VecNorm(eps=-1.0), ValueError, "VecNorm: eps is -1.0", "must be at least 0"),
    "moments of no environment": bad(
        lambda: T.VecNorm().moments(IMAGE), ValueError, "in no environment", "take it from env.transform"
    ),
    "no frames": bad(lambda: T.CatFrames(0), ValueError, "CatFrames: N is 0", "must be at least 1"),
    "an axis from the front": bad(lambda: T.CatFrames(2, 1), ValueError, "dim is 1", "must be negative"),
    "an unknown padding": bad(
        lambda: T.CatFrames(2, padding="zero"), ValueError, "padding is 'zero'", 'pass "same" or "constant"'
    ),
    "no frames to pool": bad(lambda: T.TimeMaxPool(0), ValueError, "TimeMaxPool: T is 0", "must be at least 1"),
    "pooling of a lone key": bad(lambda: T.TimeMaxPool(2, "x"), TypeError, "in_keys is 'x'", "expected a list of keys"),
    "clipping the wrong way round": bad(
        lambda: T.RewardClipping(1.0, -1.0), ValueError, "clamp_min is 1.0", "must not exceed the second"
    ),
    "clipping a lone key": bad(
        lambda: T.RewardClipping(0.0, 1.0, "reward"), TypeError, "in_keys is 'reward'", "expected a list of keys"
    ),
    "scaling a reward that is not there": bad(
        lambda: T.RewardScaling(0.0, 1.0)(IMAGE), KeyError, "RewardScaling", "'reward'", "in_keys="
    ),
    "scaling a lone key": bad(
        lambda: T.RewardScaling(0.0, 1.0, "reward"), TypeError, "in_keys is 'reward'", "expected a list of keys"
    ),
    "a sum from no beginning": bad(
        lambda: T.RewardSum().step(IMAGE, IMAGE, None), KeyError, "'episode_reward'", "['pixels']", "in_keys="
    ),
    "a sum of no trajectory": bad(lambda: T.RewardSum()(IMAGE), ValueError, "RewardSum", "is no trajectory"),
    "a count limited to nothing": bad(
        lambda: T.StepCounter(0), ValueError, "StepCounter: max_steps is 0", "must be at least 1"
    ),
    "a limit of nothing": bad(lambda: T.TimeLimit(0), ValueError, "TimeLimit: max_steps is 0", "must be at least 1"),
    "beginnings of no trajectory": bad(lambda: T.InitTracker()(IMAGE), ValueError, "InitTracker", "is no trajectory"),
    "primers that are no specs": bad(
        lambda: T.TensorDictPrimer({"h": 3}), TypeError, "'h' is a int", "must map keys to specs"
    ),
    "a primer of a spec alone": bad(
        lambda: T.TensorDictPrimer(specs.Unbounded(3)), TypeError, "is a Unbounded", "must map keys to specs"
    ),
    "a primer of a module without carries": bad(
        lambda: T.make_tensordict_primer(nn.Tanh()), ValueError, "Tanh", "a policy with a recurrent module"
    ),
    "no noops": bad(lambda: T.NoopResetEnv(0), ValueError, "NoopResetEnv: noops is 0", "must be at least 1"),
    "no frame of each action": bad(
        lambda: T.FrameSkipTransform(0), ValueError, "frame_skip is 0", "must be at least 1"
    ),
    "a name of a dtype": bad(
        lambda: T.DTypeCastTransform("float64", torch.float32), TypeError, "dtype_in is 'float64'", "as torch.float32"
    ),
    "no dtype": bad(lambda: T.DoubleToFloat(None), TypeError, "dtype_in is None", "must be a dtype"),
    "selecting what is not there": bad(
        lambda: seen(T.SelectTransform("pixels")),
        KeyError,
        "SelectTransform",
        "'pixels'",
        "['observation']",
        "in_keys=",
    ),
    "excluding the reward": bad(lambda: T.ExcludeTransform("reward"), ValueError, "['reward']", "leave these out"),
    "renaming the reward": bad(
        lambda: T.RenameTransform(["reward"], ["r"]), ValueError, "keeps its name", "leave these out"
    ),
    "two names for one": bad(
        lambda: T.RenameTransform(["a"], ["b", "c"]), ValueError, "2 keys", "has 1", "one for each, in order"
    ),
    "joining dtypes": bad(
        lambda: T.CatTensors(["a", "b"])(TensorDict({"a": ones(1), "b": ints(1)})),
        *(TypeError, "float32", "int64", "put a DTypeCastTransform first"),
    ),
    "joining along the batch": bad(lambda: T.CatTensors(["a"], dim=0), ValueError, "dim is 0", "must be negative"),
    "flattening the batch": bad(
        lambda: T.FlattenObservation(0), ValueError, "first_dim is 0", "count from the end of the event"
    ),
    "flattening backwards": bad(
        lambda: T.FlattenObservation(-1, -2), ValueError, "last_dim is -2", "count from the end of the event"
    ),
    "scaling actions to a point": bad(
        lambda: T.ActionScaling(1.0, 1.0), ValueError, "low is 1.0 and high is 1.0", "must be below"
    ),
    "scaling discrete actions": bad(
        lambda: seen(T.ActionScaling()), TypeError, "OneHot", "must be Bounded", "leave this transform out"
    ),
    "no intervals": bad(lambda: T.ActionDiscretizer(0), ValueError, "num_intervals is 0", "must be at least 1"),
    "discretising what is discrete": bad(
        lambda: seen(T.ActionDiscretizer(3)), TypeError, "OneHot", "must be Bounded", "leave this transform out"
    ),
    "a mask of continuous actions": bad(
        lambda: T.TransformedEnv(PENDULUM, T.Compose(T.ActionMask("observation"))),
        *(TypeError, "ActionMask", "Bounded", "put an ActionDiscretizer first"),
    ),
    "a mask that is not shown": bad(
        lambda: seen(T.ActionMask()), KeyError, "ActionMask", "'action_mask'", "['observation']", "in_keys="
    ),
    "lives that are not shown": bad(
        lambda: seen(T.EndOfLifeTransform()), KeyError, "'lives'", "['observation']", "in_keys="
    ),
    "lives of no trajectory": bad(
        lambda: T.EndOfLifeTransform()(IMAGE), ValueError, "EndOfLifeTransform", "is no trajectory"
    ),
    "rewards to go in an environment": bad(
        lambda: seen(T.Reward2GoTransform()), ValueError, "does not know what is still to come", "transform(batch)"
    ),
    "a gamma above one": bad(lambda: T.Reward2GoTransform(1.5), ValueError, "gamma is 1.5", "must be between 0 and 1"),
    "a seed for a pure environment": bad(
        lambda: seen().set_seed(0), TypeError, "a pure environment has no seed", "pass key="
    ),
    "a mark under a number": bad(
        lambda: T.InitTracker(3), TypeError, "InitTracker: init_key is [3]", "expected a list of keys"
    ),
    "a count under a number": bad(
        lambda: T.StepCounter(step_count_key=3), TypeError, "step_count_key is [3]", "expected a list of keys"
    ),
    "a primer of no module": bad(
        lambda: T.make_tensordict_primer("lstm"), TypeError, "module is a str", "must be an nn.Module"
    ),
    "noops in a vector that is closed": bad(
        lambda: T.TransformedEnv(sealed(), T.NoopResetEnv(3)),
        *(TypeError, "NoopResetEnv", "SyncVectorEnv", "wrap each of them by a gymnasium wrapper"),
    ),
    "frames skipped in a vector that is closed": bad(
        lambda: T.TransformedEnv(sealed(), T.FrameSkipTransform(3)),
        *(TypeError, "FrameSkipTransform", "SyncVectorEnv", "wrap each of them by a gymnasium wrapper"),
    ),
    "casting a lone key": bad(
        lambda: T.DTypeCastTransform(torch.float64, torch.float32, "x"), TypeError, "in_keys is 'x'", "a list of keys"
    ),
    "making floats of a lone key": bad(
        lambda: T.DoubleToFloat(in_keys="x"), TypeError, "DoubleToFloat", "in_keys is 'x'", "a list of keys"
    ),
    "selecting a list": bad(lambda: T.SelectTransform(["a", "b"]), TypeError, "[['a', 'b']]", "pass them one by one"),
    "excluding a list": bad(lambda: T.ExcludeTransform(["a", "b"]), TypeError, "[['a', 'b']]", "pass them one by one"),
}
