"""Bad calls of masked and composite distributions, of off-policy and value targets, and of image networks."""

from functools import cache, partial
from typing import Any

import torch
from torch import nn as tnn

from frl import TensorDict, nn, optim
from frl import distributions as dist
from frl import functional as F
from tests.bad_input.case import FLAGS, STEPS, TD, bad, ones, zeros
from tests.bad_input.modules import linear

MASK = torch.tensor([[True, False], [False, False]])
PARAMS = TensorDict({"gear": {"logits": zeros(3, 4)}}, [3])
COMPOSITE = dist.CompositeDistribution(PARAMS, {"gear": dist.Categorical})
off_policy = {
    "reward": STEPS,
    "next_value": STEPS,
    "terminated": FLAGS,
    "truncated": FLAGS,
    "log_ratio": STEPS,
    "gamma": 0.9,
}
vtrace = partial(F.vtrace, **off_policy, value=STEPS)
retrace = partial(F.retrace, **off_policy, action_value=STEPS, lambda_=0.9)


@cache
def convnet() -> nn.ConvNet:
    with torch.random.fork_rng(devices=[]):
        return nn.ConvNet(in_features=3, num_cells=[2])


def critic_without_action() -> Any:
    heads = (nn.TensorDictModule(linear(), ["hidden"], [key]) for key in ("action", "state_value"))
    return nn.ActorCriticOperator(nn.TensorDictModule(linear(4), ["observation"], ["hidden"]), *heads)


BLOCKS = {
    "a mask that allows nothing": bad(
        lambda: dist.MaskedCategorical(zeros(2, 2), MASK), ValueError, "mask", "[1]", "needs a choice that is allowed"
    ),
    "a mask of numbers": bad(
        lambda: dist.MaskedOneHotCategorical(zeros(2, 2), ones(2, 2)), TypeError, "mask", "float32", ".bool()"
    ),
    "one mask for all rows": bad(
        lambda: dist.MaskedCategorical(zeros(2, 2), MASK[0]), ValueError, "mask", "[2]", "[2, 2]", "expand the mask"
    ),
    "one mask of one-hots for all rows": bad(
        lambda: dist.MaskedOneHotCategorical(zeros(2, 2), MASK[0]),
        *(ValueError, "mask", "[2]", "[2, 2]", "expand the mask"),
    ),
    "logits for other choices": bad(
        lambda: dist.MultiCategorical(zeros(3, 4), (2, 3)), ValueError, "[3, 4]", "sum(nvec), which is 5", "one output"
    ),
    "choices among none": bad(
        lambda: dist.MultiCategorical(zeros(3, 2), (2, 0)), ValueError, "min(nvec) is 0", "at least 1"
    ),
    "no choices": bad(lambda: dist.MultiOneHotCategorical(zeros(3, 2), ()), ValueError, "len(nvec) is 0", "at least 1"),
    "vectors of other choices": bad(
        lambda: dist.MultiOneHotCategorical(zeros(3, 5), (2, 3)).log_prob(zeros(3, 2)),
        *(ValueError, "[3, 2]", "[3, 5]", "one vector for each row"),
    ),
    "a number for several indices": bad(
        lambda: dist.MultiCategorical(zeros(3, 5), (2, 3)).log_prob(zeros(3)), ValueError, "[3]", "[3, 2]", "one index"
    ),
    "more event axes than there are": bad(
        lambda: dist.Independent(dist.Delta(zeros(3)), 2), ValueError, "event_dims is 2", "[3]", "pass at most 1"
    ),
    "parameters for a distribution": bad(
        lambda: dist.Independent(zeros(3), 1), TypeError, "base", "Tensor", "a distribution of frl.distributions"
    ),
    "parameters in a dict": bad(
        lambda: dist.CompositeDistribution({"gear": {}}, {}), TypeError, "params", "dict", "write TensorDict(params"
    ),
    "a part named within another": bad(
        lambda: dist.CompositeDistribution.of({"a": dist.Delta(STEPS), ("a", "b"): dist.Delta(STEPS)}),
        *(ValueError, "['a', ('a', 'b')]", "give each part a place of its own"),
    ),
    "parts of two batches": bad(
        lambda: dist.CompositeDistribution.of({"a": dist.Delta(zeros(3)), "b": dist.Delta(zeros(4))}),
        *(ValueError, "'b'", "[4]", "[3]", "give all parts one batch shape"),
    ),
    "a part that is not there": bad(lambda: COMPOSITE["torque"], KeyError, "no part 'torque'", "it has ['gear']"),
    "one tensor for several parts": bad(
        lambda: COMPOSITE.log_prob(zeros(3)), TypeError, "x is a Tensor", "['gear']", "as .sample(key) gives it"
    ),
    "out_keys for parts that are not there": bad(
        lambda: nn.ProbabilisticTensorDictModule(["logits"], ["a", "b"], lambda logits: dist.Categorical(logits))(
            TensorDict({"logits": zeros(3, 2)}, [3]), exploration=nn.ExplorationType.MODE
        ),
        *(ValueError, "out_keys", "['a', 'b']", "Categorical", "give one key for each"),
    ),
    "a parameter that no entry gives": bad(
        lambda: nn.ProbabilisticTensorDictModule(["loc"], ["action"], dist.Normal),
        *(TypeError, "['loc']", "['scale']", "name more in_keys"),
    ),
    "log ratios of other steps": bad(
        lambda: vtrace(log_ratio=zeros(5, 1)), ValueError, "log_ratio", "[5, 1]", "[5, 2]", "as [T, *B]"
    ),
    "a threshold of nothing": bad(lambda: vtrace(clip=(0.0, 1.0)), ValueError, "clip[0]", "0.0", "must be above 0"),
    "action values of every action": bad(
        lambda: retrace(action_value=zeros(5, 2, 4)), ValueError, "action_value", "[5, 2, 4]", "as [T, *B]"
    ),
    "a trace of more than one": bad(lambda: retrace(lambda_=1.5), ValueError, "lambda_", "1.5", "at most 1"),
    "rewards to go without flags": bad(
        lambda: F.reward_to_go(STEPS, STEPS, FLAGS, 0.9), TypeError, "terminated", "float32", "torch.bool", ".bool()"
    ),
    "rewards to go of other steps": bad(
        lambda: F.reward_to_go(STEPS, FLAGS, FLAGS[:1], 0.9), ValueError, "truncated", "[1, 2]", "[5, 2]", "as [T, *B]"
    ),
    "the value of one action": bad(
        lambda: F.q_learning_target(STEPS, STEPS, FLAGS, 0.9), ValueError, "next_action_value", "[5, 2]", "as [*B, n]"
    ),
    "a discount of two": bad(
        lambda: F.q_learning_target(STEPS, zeros(5, 2, 3), FLAGS, 2.0), ValueError, "gamma is 2.0", "at most 1"
    ),
    "a choice among other actions": bad(
        lambda: F.double_q_target(STEPS, zeros(5, 2, 3), zeros(5, 2, 4), FLAGS, 0.9),
        *(ValueError, "selector", "[5, 2, 4]", "[5, 2, 3]", "the same actions"),
    ),
    "a choice of another precision": bad(
        lambda: F.double_q_target(STEPS, zeros(5, 2, 3), zeros(5, 2, 3).double(), FLAGS, 0.9),
        *(TypeError, "selector", "float64", "float32", ".to(dtype)"),
    ),
    "a huber loss without a linear part": bad(lambda: F.huber(STEPS, 0), ValueError, "delta is 0", "must be above 0"),
    "whole errors": bad(lambda: F.huber(FLAGS), TypeError, "error", "torch.bool", ".float()"),
    "atoms without a range": bad(
        lambda: F.categorical_projection(STEPS, ones(5, 2, 3), FLAGS, 0.9, 1.0, 1.0),
        *(ValueError, "v_min is 1.0", "must be below 1.0"),
    ),
    "a single atom": bad(
        lambda: F.categorical_projection(STEPS, ones(5, 2, 1), FLAGS, 0.9, 0.0, 1.0),
        *(ValueError, "next_probs", "[5, 2, 1]", "[5, 2]", "at least 2 atoms"),
    ),
    "quantiles of two batches": bad(
        lambda: F.quantile_huber_loss(zeros(4, 3), zeros(5, 3)), ValueError, "target", "[5, 3]", "[4, 3]", "as [*B, N]"
    ),
    "a quantile loss without a width": bad(
        lambda: F.quantile_huber_loss(STEPS, STEPS, kappa=-1.0), ValueError, "kappa is -1.0", "must be above 0"
    ),
    "a mean without decay": bad(lambda: optim.rmsprop(1e-3, alpha=1.0), ValueError, "alpha is 1.0", "must be below 1"),
    "a negative rate of rmsprop": bad(
        lambda: optim.rmsprop(-1.0), ValueError, "learning_rate", "-1.0", "must be at least 0"
    ),
    "images with channels last": bad(
        lambda: convnet()(zeros(2, 8, 8, 3)), ValueError, "[2, 8, 8, 3]", "[*B, 3, H, W]", "permute the axes"
    ),
    "images of bytes": bad(
        lambda: convnet()(torch.zeros(3, 8, 8, dtype=torch.uint8)), TypeError, "torch.uint8", "convert it by x / 255"
    ),
    "layers of different number": bad(
        lambda: nn.ConvNet(3, [2, 2], strides=[1]), ValueError, "'num_cells': 2", "'strides': 1", "one entry for each"
    ),
    "axes that are not there": bad(
        lambda: nn.SquashDims()(STEPS), ValueError, "[5, 2]", "at least 3 axes", "pass ndims_in="
    ),
    "no axes to flatten": bad(lambda: nn.SquashDims(0), ValueError, "ndims_in is 0", "must be at least 1"),
    "images that are not pooled": bad(
        lambda: nn.Squeeze2dLayer()(zeros(2, 3, 4, 4)), ValueError, "[2, 3, 4, 4]", "must have size 1", "pool it"
    ),
    "a vector to squeeze": bad(lambda: nn.Squeeze2dLayer()(zeros(1)), ValueError, "[1]", "must have size 1", "pool it"),
    "a critic that reads no action": bad(
        critic_without_action, ValueError, "['hidden']", "['action']", "or take ActorValueOperator"
    ),
    "a function for a critic": bad(
        lambda: nn.ActorCriticOperator(tnn.Identity(), tnn.Identity(), tnn.Identity()),
        *(TypeError, "ActorCriticOperator", "module 0", "Identity", "wrap it as"),
    ),
    "an observation that the trunk lacks": bad(
        lambda: nn.TensorDictModule(convnet(), ["observation"], ["embed"])(TD),
        *(ValueError, "[3, 4]", "[*B, 3, H, W]", "in_features="),
    ),
}
