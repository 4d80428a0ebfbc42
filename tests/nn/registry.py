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
    AdditiveGaussianModule,
    CausalTransformer,
    ConvNet,
    DecisionTransformer,
    DecisionTransformerActor,
    DistributionalQValueModule,
    Dueling,
    DynamicsModule,
    EGreedyModule,
    EnsembleMemberModule,
    GRUModule,
    LSTMModule,
    NoisyLinear,
    NoisyModule,
    NormalParamExtractor,
    NormalParamWrapper,
    OrnsteinUhlenbeckProcessModule,
    ProbabilisticActor,
    ProbabilisticTensorDictModule,
    ProbabilisticTensorDictSequential,
    QuantileQValueModule,
    QValueActor,
    RandomizedPrior,
    SafeModule,
    TensorDictModule,
    TensorDictSequential,
    ValueOperator,
    over_time,
)
from frl.specs import Binary, Bounded, MultiCategorical, OneHot
from frl.specs import Categorical as CategoricalSpec


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
    inputs: dict[Any, tuple[int, ...]] = OBSERVATION


FLAGS = ("is_init", "mask")
INTEGERS = ("time", "member")


def td_of(case: Case, batch: tuple[int, ...] = (3,), seed: int = 0) -> TensorDict:
    """Normal numbers for every input; flags where they are positive, and integers from 0 to 4."""
    td = TensorDict({}, batch)
    for (name, event), k in zip(case.inputs.items(), random.split(random.key(seed), len(case.inputs)), strict=True):
        value = random.normal((*batch, *event), k)
        last = name if isinstance(name, str) else name[-1]
        td = td.set(name, value > 0 if last in FLAGS else value.abs().long() if last in INTEGERS else value)
    return td


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


def values(num: int = 3) -> nn.Module:
    return MLP(5, num, num_cells=[8])


def atoms(choice: nn.Module, key: str) -> TensorDictSequential:
    value = nn.Sequential(nn.Linear(8, 4), nn.Unflatten(-1, (1, 4)))
    advantage = nn.Sequential(nn.Linear(8, 12), nn.Unflatten(-1, (3, 4)))
    return TensorDictSequential(head(nn.Sequential(nn.Linear(5, 8), Dueling(value, advantage, dim=-2)), key), choice)


def memory(module: nn.Module) -> TensorDictSequential:
    q = QValueActor(nn.Linear(6, 3), in_keys=["embed"], spec=OneHot(3))
    return TensorDictSequential(head(nn.Linear(5, 4), "embed"), module, q)


def noisy() -> NoisyModule:
    return NoisyModule(QValueActor(nn.Sequential(NoisyLinear(5, 8), nn.Tanh(), NoisyLinear(8, 3)), spec=OneHot(3)))


def decision_transformer() -> DecisionTransformerActor:
    network = DecisionTransformer(5, 2, embed_dim=8, num_layers=2, num_heads=2, max_steps=10)
    return DecisionTransformerActor(network, BOX, context=4)


BOX = Bounded(-1.0, 1.0, 2)
LSTM_STATE = {"recurrent_state_h": (2, 6), "recurrent_state_c": (2, 6), "is_init": (1,)}
GRU_STATE = {"recurrent_state": (1, 6), "is_init": (1,)}
CONTEXT = {
    ("context", "observation"): (4, 5),
    ("context", "action"): (4, 2),
    ("context", "return_to_go"): (4, 1),
    ("context", "time"): (4,),
    ("context", "mask"): (4,),
}
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
    Case("safe", lambda: SafeModule(nn.Linear(5, 2), BOX, ["observation"], ["action"], safe=True)),
    Case("q one-hot", lambda: QValueActor(values(), spec=OneHot(3))),
    Case("q categorical", lambda: QValueActor(values(), spec=CategoricalSpec(3))),
    Case("q binary", lambda: QValueActor(values(), spec=Binary(3))),
    Case("q of several", lambda: QValueActor(values(5), action_space="mult_one_hot", var_nums=[2, 3])),
    Case("q of several integers", lambda: QValueActor(values(5), spec=MultiCategorical([2, 3]))),
    Case(
        "q with a mask",
        lambda: QValueActor(values(), action_space="one_hot", action_mask_key="mask"),
        {"observation": (5,), "mask": (3,)},
    ),
    Case(
        "atoms",
        lambda: atoms(DistributionalQValueModule(torch.linspace(-1.0, 1.0, 4), spec=OneHot(3)), "action_value_logits"),
    ),
    Case("quantiles", lambda: atoms(QuantileQValueModule(spec=OneHot(3)), "action_value_quantiles")),
    Case("noisy", noisy),
    Case(
        "epsilon-greedy", lambda: TensorDictSequential(QValueActor(values(), spec=OneHot(3)), EGreedyModule(OneHot(3)))
    ),
    Case(
        "epsilon-greedy with a mask",
        lambda: TensorDictSequential(
            QValueActor(values(), spec=CategoricalSpec(3), action_mask_key="mask"),
            EGreedyModule(CategoricalSpec(3), eps_init=0.5, action_mask_key="mask"),
        ),
        {"observation": (5,), "mask": (3,)},
    ),
    Case(
        "epsilon-greedy in a box",
        lambda: TensorDictSequential(Actor(nn.Linear(5, 2)), EGreedyModule(BOX, eps_init=0.5)),
    ),
    Case(
        "additive noise",
        lambda: TensorDictSequential(Actor(nn.Linear(5, 2)), AdditiveGaussianModule(BOX, sigma_init=0.3)),
    ),
    Case(
        "correlated noise",
        lambda: TensorDictSequential(Actor(nn.Linear(5, 2)), OrnsteinUhlenbeckProcessModule(BOX)),
        {"observation": (5,), "ou_noise": (2,), "is_init": (1,)},
    ),
    Case(
        "ensemble member",
        lambda: TensorDictSequential(Actor(nn.Linear(5, 2)), EnsembleMemberModule(5)),
        {"observation": (5,), "is_init": (1,), "member": (1,)},
    ),
    Case(
        "dynamics",
        lambda: DynamicsModule(NormalParamWrapper(MLP(7, 12, num_cells=[8]))),
        {"observation": (5,), "action": (2,)},
    ),
    Case("randomised prior", lambda: RandomizedPrior(head(MLP(5, 2), "action"), head(nn.Linear(5, 2), "action"), 2.0)),
    Case("lstm", lambda: memory(LSTMModule(4, 6, 2)), {"observation": (5,), **LSTM_STATE}),
    Case("gru module", lambda: memory(GRUModule(4, 6)), {"observation": (5,), **GRU_STATE}),
    Case("lstm over time", lambda: over_time(memory(LSTMModule(4, 6, 2))), {"observation": (5,), **LSTM_STATE}),
    Case("gru over time", lambda: over_time(memory(GRUModule(4, 6))), {"observation": (5,), **GRU_STATE}),
    Case("causal transformer", lambda: head(CausalTransformer(8, 2, 2), "hidden"), {"observation": (6, 8)}),
    Case(
        "decision transformer",
        decision_transformer,
        {"observation": (5,), "return_to_go": (1,), "is_init": (1,), **CONTEXT},
    ),
)
