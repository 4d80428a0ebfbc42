"""One row for each kind of module over TensorDicts; a new one buys every law of `test_laws.py`."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import nn

from frl import TensorDict, random
from frl.distributions import (
    Categorical,
    CompositeDistribution,
    MaskedCategorical,
    Normal,
    OneHotCategorical,
    TanhNormal,
)
from frl.nn import (
    MLP,
    Actor,
    ActorCriticOperator,
    ActorValueOperator,
    ConvNet,
    NormalParamExtractor,
    NormalParamWrapper,
    ProbabilisticActor,
    ProbabilisticTensorDictModule,
    ProbabilisticTensorDictSequential,
    TensorDictModule,
    TensorDictSequential,
    ValueOperator,
)


class Tied(nn.Module):
    """Two layers of one weight."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(5, 5)
        self.second = nn.Linear(5, 5)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)))


class LogStd(nn.Module):
    """A mean from the network, and a standard deviation of its own."""

    def __init__(self):
        super().__init__()
        self.log_std = nn.Parameter(torch.full((2,), -0.5))
        self.net = MLP(5, 2, num_cells=[4])

    def forward(self, x):
        loc = self.net(x)
        return loc, self.log_std.exp().expand_as(loc)


class Heads(nn.Module):
    """The logits of 3 gears, and the mean and the standard deviation of 2 torques."""

    def __init__(self):
        super().__init__()
        self.net = nn.Linear(5, 7)

    def forward(self, x):
        logits, loc, log_scale = self.net(x).split([3, 2, 2], -1)
        return logits, loc, log_scale.exp()


OBSERVATION = {"observation": (5,)}


class Case(NamedTuple):
    name: str
    make: Callable[[], Any]
    inputs: dict[str, tuple[int, ...]] = OBSERVATION


def td_of(case: Case, batch: tuple[int, ...] = (3,), seed: int = 0) -> TensorDict:
    keys = random.split(random.key(seed), len(case.inputs))
    entries = {
        name: random.normal((*batch, *event), k) for (name, event), k in zip(case.inputs.items(), keys, strict=True)
    }
    return TensorDict(entries, batch)


def head(module: nn.Module, *out_keys: str) -> TensorDictModule:
    return TensorDictModule(module, ["observation"], list(out_keys))


def loc_scale() -> TensorDictModule:
    return head(nn.Sequential(MLP(5, 4, num_cells=[8]), NormalParamExtractor()), "loc", "scale")


def actor(distribution: Any, net: nn.Module, in_keys: list[str]) -> ProbabilisticActor:
    return ProbabilisticActor(net, in_keys, distribution_class=distribution, return_log_prob=True)


def gru() -> ProbabilisticTensorDictSequential:
    return ProbabilisticTensorDictSequential(
        TensorDictModule(nn.GRUCell(4, 8), ["input", "hidden"], ["hidden"]),
        TensorDictModule(NormalParamExtractor(), ["hidden"], ["loc", "scale"]),
        ProbabilisticTensorDictModule(["loc", "scale"], ["action"], Normal, return_log_prob=True),
    )


def demo() -> TensorDictSequential:
    return TensorDictSequential(
        TensorDictModule(nn.Linear(5, 3), ["observation"], ["hidden"]),
        TensorDictModule(nn.Linear(3, 4), ["hidden"], ["action"]),
        TensorDictModule(MLP(7, 1, num_cells=[4, 5]), ["hidden", "action"], ["value"]),
    )


def shared() -> ActorValueOperator:
    return ActorValueOperator(
        head(nn.Linear(5, 8), "hidden"),
        ProbabilisticActor(
            TensorDictModule(nn.Linear(8, 3), ["hidden"], ["logits"]), ["logits"], distribution_class=Categorical
        ),
        ValueOperator(nn.Linear(8, 1), ["hidden"]),
    )


def actor_critic() -> ActorCriticOperator:
    return ActorCriticOperator(
        head(nn.Linear(5, 8), "hidden"),
        Actor(nn.Linear(8, 2), ["hidden"]),
        ValueOperator(MLP(10, 1, num_cells=[4]), ["hidden", "action"]),
    )


def composite() -> ProbabilisticActor:
    params = [("params", "gear", "logits"), ("params", "torque", "loc"), ("params", "torque", "scale")]
    return ProbabilisticActor(
        TensorDictModule(Heads(), ["observation"], params),
        ["params"],
        ["gear", "torque"],
        distribution_class=partial(CompositeDistribution, distribution_map={"gear": Categorical, "torque": Normal}),
        return_log_prob=True,
    )


def masked() -> TensorDictSequential:
    return TensorDictSequential(
        TensorDictModule(lambda x: x > x.amin(-1, keepdim=True), ["observation"], ["action_mask"]),
        head(MLP(5, 5, num_cells=[4]), "logits"),
        ProbabilisticTensorDictModule(
            {"logits": "logits", "mask": "action_mask"}, ["action"], MaskedCategorical, return_log_prob=True
        ),
    )


def pooled() -> ConvNet:
    return ConvNet(
        in_features=1,
        num_cells=[3],
        aggregator_class=nn.AdaptiveAvgPool2d,
        aggregator_kwargs={"output_size": (1, 1)},
        squeeze_output=True,
    )


def drawn_twice() -> TensorDictSequential:
    return TensorDictSequential(
        loc_scale(),
        ProbabilisticTensorDictModule(["loc", "scale"], ["latent"], Normal),
        TensorDictModule(nn.Linear(2, 3), ["latent"], ["logits"]),
        ProbabilisticTensorDictModule(["logits"], ["action"], OneHotCategorical, return_log_prob=True),
    )


def norm() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).eval()


def attention() -> nn.Module:
    return nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)


bounded = partial(TanhNormal, low=-2.0, high=2.0)
CASES = (
    Case("linear", lambda: head(nn.Linear(5, 2), "action")),
    Case("function", lambda: TensorDictModule(torch.tanh, ["observation"], ["action"])),
    Case("mlp", lambda: Actor(MLP(5, 2))),
    Case("tied", lambda: head(Tied(), "action")),
    Case("batch norm", lambda: head(norm(), "action")),
    Case("attention", lambda: head(attention(), "hidden"), {"observation": (6, 8)}),
    Case("convolution", lambda: head(nn.Conv2d(1, 3, 3), "embed"), {"observation": (1, 5, 5)}),
    Case("convnet", lambda: head(ConvNet(1, [2, 3], 2, paddings=1), "embed"), {"observation": (1, 5, 5)}),
    Case("pooled convnet", lambda: head(pooled(), "embed"), {"observation": (1, 5, 5)}),
    Case("sequential", demo),
    Case("nested", lambda: TensorDictSequential(demo(), ValueOperator(nn.Linear(1, 1), ["value"]))),
    Case("gru", gru, {"input": (4,), "hidden": (8,)}),
    Case("normal", lambda: actor(Normal, loc_scale(), ["loc", "scale"])),
    Case(
        "normal of wrapper",
        lambda: actor(Normal, head(NormalParamWrapper(nn.Linear(5, 4)), "loc", "scale"), ["loc", "scale"]),
    ),
    Case("own deviation", lambda: actor(Normal, head(LogStd(), "loc", "scale"), ["loc", "scale"])),
    Case("tanh normal", lambda: actor(bounded, loc_scale(), ["loc", "scale"])),
    Case("categorical", lambda: actor(Categorical, head(MLP(5, 3), "logits"), ["logits"])),
    Case("one-hot", lambda: actor(OneHotCategorical, head(MLP(5, 3), "logits"), ["logits"])),
    Case("value", lambda: ValueOperator(MLP(5, 1))),
    Case(
        "action value",
        lambda: ValueOperator(MLP(7, 1), ["observation", "action"]),
        {"observation": (5,), "action": (2,)},
    ),
    Case("actor and value", shared),
    Case("actor and critic", actor_critic),
    Case("composite", composite),
    Case("masked", masked),
    Case("drawn twice", drawn_twice),
)
