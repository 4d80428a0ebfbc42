"""Bad calls of modules and of their parameters."""

from functools import cache
from typing import Any

import torch
from torch import nn as tnn

from frl import TensorDict, nn
from frl import distributions as dist
from tests.bad_input.case import KEY, TD, bad, ones, zeros


@cache
def linear(in_features: int = 3) -> tnn.Linear:
    with torch.random.fork_rng(devices=[]):
        return tnn.Linear(in_features, 2)


@cache
def mlp() -> nn.MLP:
    with torch.random.fork_rng(devices=[]):
        return nn.MLP(4, 2)


def call(module: Any, params: Any) -> Any:
    return nn.functional_call(module, params, ones(3))


@cache
def policy() -> nn.ProbabilisticActor:
    logits = nn.TensorDictModule(linear(4), ["observation"], ["logits"])
    return nn.ProbabilisticActor(logits, ["logits"], distribution_class=dist.OneHotCategorical)


WEIGHT, BIAS = ones(2, 3), ones(2)
OBS = TensorDict({"obs": zeros(3, 4)}, [3])
TRUNK = nn.TensorDictModule(linear(4), ["observation"], ["hidden"])
MODULES = {
    "an observation of another width": bad(
        lambda: mlp()(ones(3, 5)), ValueError, "[3, 5]", "add up to 4", "build the network with in_features=5"
    ),
    "parameters of another shape": bad(
        lambda: call(linear(), {"weight": ones(2, 4), "bias": BIAS}),
        ValueError,
        "weight",
        "[2, 4]",
        "[2, 3]",
        "take params",
    ),
    "a missing parameter": bad(lambda: call(linear(), {"weight": WEIGHT}), ValueError, "bias", "[2]", "from_module"),
    "an unknown parameter": bad(
        lambda: call(linear(), {"weight": WEIGHT, "bias": BIAS, "gain": BIAS}),
        ValueError,
        "gain",
        "Linear",
        "from_module",
    ),
    "a parameter that is no tensor": bad(
        lambda: call(linear(), {"weight": WEIGHT, "bias": 0.0}),
        TypeError,
        "bias",
        "float",
        "expected a TensorDict or a dict",
    ),
    "a function for a module": bad(
        lambda: call(torch.relu, {}), TypeError, "expected an nn.Module", "TensorDictModule(function"
    ),
    "dropout in training mode": bad(
        lambda: call(tnn.Dropout(0.5), {}), ValueError, "Dropout", "global generator", "module.eval()"
    ),
    "parameters of a lazy module": bad(
        lambda: nn.from_module(tnn.LazyLinear(2)),
        ValueError,
        "LazyLinear",
        "no shapes yet",
        "call materialize(module, td) first",
    ),
    "an observation under another name": bad(
        lambda: policy()(TensorDict({"obs": zeros(4)}), key=KEY),
        KeyError,
        "TensorDictModule",
        "'observation'",
        "it has ['obs']",
    ),
    "a tensor for a TensorDict": bad(lambda: policy()(zeros(4), key=KEY), TypeError, "Tensor", "expected a TensorDict"),
    "a policy without a key": bad(lambda: policy()(TD), TypeError, "needs key=", "ExplorationType.DETERMINISTIC"),
    "a policy with a seed": bad(lambda: policy()(TD, key=7), TypeError, "key=", "got 7", "frl.random.key(0)"),
    "one key for a list of keys": bad(
        lambda: nn.TensorDictModule(linear(), "observation", ["a"]),
        TypeError,
        "in_keys",
        "'observation'",
        "a list of keys",
    ),
    "fewer results than names": bad(
        lambda: nn.TensorDictModule(torch.neg, ["reward"], ["a", "b"])(TD),
        ValueError,
        "1 results",
        "2 names: ['a', 'b']",
    ),
    "a distribution of torch": bad(
        lambda: nn.ProbabilisticTensorDictModule(["logits"], ["action"], torch.distributions.Categorical),
        *(TypeError, "torch.distributions.Categorical", "global generator", "frl.distributions"),
    ),
    "a parameter that a distribution lacks": bad(
        lambda: nn.ProbabilisticTensorDictModule(["mean"], ["action"], dist.Normal),
        *(TypeError, "['mean']", "['loc', 'scale']", "pass in_keys="),
    ),
    "a bare module in a sequence": bad(
        lambda: nn.TensorDictSequential(linear()), TypeError, "module 0", "Linear", "wrap it as"
    ),
    "a network without outputs": bad(lambda: nn.MLP(3), TypeError, "out_features is missing", "write MLP("),
    "half of an odd number": bad(
        lambda: nn.NormalParamExtractor()(zeros(3, 5)), ValueError, "[3, 5]", "must be even", "twice as many outputs"
    ),
    "a softplus that begins above its value at 0": bad(
        lambda: nn.biased_softplus(zeros(3), bias=0.01), ValueError, "biased_softplus: bias is 0.01", "above 0.01"
    ),
    "a softplus that is never as small": bad(
        lambda: nn.biased_softplus(zeros(3), bias=1.0, min_val=2.0), ValueError, "bias is 1.0", "above 2.0"
    ),
    "an exploration by name": bad(
        lambda: nn.set_exploration_type("mean").__enter__(),
        TypeError,
        "'mean'",
        "expected one of ['ExplorationType.RANDOM'",
    ),
    "a policy of one key": bad(
        lambda: nn.Actor(linear(4), "observation"), TypeError, "Actor: in_keys is 'observation'", "a list of keys"
    ),
    "a policy without its observation": bad(
        lambda: nn.Actor(linear(4))(OBS), KeyError, "Actor", "no entry 'observation'", "it has ['obs']"
    ),
    "the value of a tensor": bad(
        lambda: nn.ValueOperator(linear(4))(zeros(3, 4)), TypeError, "ValueOperator", "Tensor", "expected a TensorDict"
    ),
    "two values of one result": bad(
        lambda: nn.ValueOperator(linear(4), out_keys=["a", "b"])(TD), ValueError, "1 results", "2 names: ['a', 'b']"
    ),
    "a bare trunk": bad(
        lambda: nn.ActorValueOperator(linear(4), nn.Actor(linear(4)), nn.ValueOperator(linear(4))),
        *(TypeError, "ActorValueOperator: module 0 is a Linear", "wrap it as"),
    ),
    "a trunk without its observation": bad(
        lambda: nn.ActorValueOperator(TRUNK, nn.Actor(linear(4)), nn.ValueOperator(linear(4))).value(OBS),
        *(KeyError, "TensorDictModule", "no entry 'observation'", "it has ['obs']"),
    ),
    "the distribution of what draws nothing": bad(
        lambda: nn.TensorDictSequential(TRUNK).get_dist(TD),
        *(TypeError, "the last module is a TensorDictModule", "without distribution"),
    ),
    "a policy that draws nothing": bad(
        lambda: nn.ProbabilisticTensorDictSequential(TRUNK),
        *(TypeError, "the last module is TensorDictModule", "Use TensorDictSequential for deterministic modules"),
    ),
    "a policy of no module": bad(
        lambda: nn.ProbabilisticTensorDictSequential(), TypeError, "is missing", "a ProbabilisticTensorDictModule"
    ),
    "no exploration type": bad(
        lambda: nn.set_exploration_type(None).__enter__(), TypeError, "got None", "one of ['ExplorationType.RANDOM'"
    ),
    "a scale below zero": bad(
        lambda: nn.NormalParamExtractor(scale_lb=-1.0), ValueError, "scale_lb is -1.0", "must be at least 0"
    ),
    "a function to be wrapped": bad(
        lambda: nn.NormalParamWrapper(torch.tanh), TypeError, "NormalParamWrapper: net", "builtin", "an nn.Module"
    ),
    "a class to be wrapped": bad(
        lambda: nn.NormalParamWrapper(nn.MLP), TypeError, "net is a type", "must be an nn.Module; make one first"
    ),
    "initial values of a lazy module": bad(
        lambda: nn.initialize(tnn.LazyLinear(2), KEY), ValueError, "LazyLinear", "initialize(module, key, example=td)"
    ),
    "initial values of no parameter": bad(
        lambda: nn.initialize(linear(), KEY, lambda module, key: {"gain": ones(1)}),
        *(ValueError, "gives gain of shape [1]", "Linear", "has no parameter of that name"),
    ),
    "initial values of another shape": bad(
        lambda: nn.initialize(linear(), KEY, lambda module, key: {"bias": ones(1)}),
        *(ValueError, "gives bias of shape [1]", "Linear", "has [2]"),
    ),
    "a negative gain": bad(lambda: nn.orthogonal(-1.0), ValueError, "orthogonal: gain is -1.0", "must be at least 0"),
    "an orthogonal matrix from a seed": bad(
        lambda: nn.orthogonal()(linear(), 3), TypeError, "key=", "got 3", "frl.random.key(0)"
    ),
    "torch's values without a key": bad(
        lambda: nn.torch_default(linear(), None), TypeError, "key=", "got None", "frl.random.key(0)"
    ),
    "torch's values from a float key": bad(
        lambda: nn.torch_default(linear(), zeros(2)), TypeError, "key=", "got torch.float32", "frl.random.key(0)"
    ),
    "shapes for a class": bad(
        lambda: nn.materialize(nn.MLP), TypeError, "materialize: module is a type", "an nn.Module; make one first"
    ),
    "shapes without an input": bad(
        lambda: nn.materialize(tnn.LazyLinear(2)), TypeError, "LazyLinear, which is lazy", "pass an example of one"
    ),
    "the parameters of tanh": bad(
        lambda: nn.from_module(torch.tanh), TypeError, "from_module: got a builtin", "TensorDictModule(function"
    ),
    "a function over time": bad(
        lambda: nn.over_time(torch.tanh), TypeError, "over_time: module is a builtin", "must be an nn.Module"
    ),
    "a class over time": bad(
        lambda: nn.over_time(nn.GRUModule), TypeError, "module is a type", "must be an nn.Module; make one first"
    ),
}
