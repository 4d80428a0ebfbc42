"""The losses of `frl.objectives`, one row each: `test_laws.py` puts all of them to all laws."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from frl import TensorDict, random, tree
from frl.distributions import Categorical, Normal, TanhNormal
from frl.nn import (
    MLP,
    Actor,
    DecisionTransformer,
    DecisionTransformerActor,
    DynamicsModule,
    GRUModule,
    NormalParamExtractor,
    NormalParamWrapper,
    ProbabilisticActor,
    TensorDictModule,
    TensorDictSequential,
    ValueOperator,
)
from frl.objectives import (
    A2CLoss,
    ClipPPOLoss,
    DDPGLoss,
    DiscreteSACLoss,
    DQNLoss,
    DTLoss,
    DynamicsLoss,
    KLPENPPOLoss,
    REDQLoss,
    ReinforceLoss,
    SACLoss,
    TD3Loss,
)
from frl.specs import Bounded
from frl.specs import Categorical as CategoricalSpec

B, T, D = 6, 4, 3


class Case(NamedTuple):
    """A loss and a batch [*B] for it, in float64, and what it draws with.

    `trains` says of each loss that is minimised of which parameters it is a differentiable function: by default, "loss"
    of all but the target's. Losses of an actor and of a critic each hold the parameters of the other fast.
    """

    name: str
    loss: Callable[..., TensorDict]
    batch: TensorDict
    trains: Mapping[str, Sequence[str]] = {"loss": ()}  # () for all but the target's
    key: torch.Tensor | None = None

    def init(self) -> TensorDict:
        owner: Any = self.loss
        return tree.cast(owner.init() if self.key is None else owner.init(self.key), torch.float64)

    def __call__(self, params: TensorDict, batch: TensorDict) -> TensorDict:
        return self.loss(params, batch, self.key)


def normal(*shape: int, seed: int) -> torch.Tensor:
    return random.normal(shape, random.key(seed), dtype=torch.float64)


def steps(*batch: int) -> dict[str, Any]:
    """What every loss may read of a step."""
    after = {"observation": normal(*batch, D, seed=1), "reward": normal(*batch, 1, seed=2)}
    ends = normal(*batch, 1, seed=3) > 1
    return {
        "observation": normal(*batch, D, seed=0),
        "next": {**after, "terminated": ends, "done": ends},
        "is_init": normal(*batch, 1, seed=4) > 1,
        "advantage": normal(*batch, 1, seed=5),
        "value_target": normal(*batch, 1, seed=6),
        "state_value": normal(*batch, 1, seed=7),
    }


def choice(*batch: int) -> TensorDict:
    """Actions of two, drawn where the policy had `logits`."""
    action, logits = (normal(*batch, seed=8) > 0).long(), normal(*batch, 2, seed=9)
    log_prob = Categorical(logits).log_prob(action)
    return TensorDict({**steps(*batch), "action": action, "logits": logits, "sample_log_prob": log_prob}, batch)


def box(*batch: int) -> TensorDict:
    """Actions of two numbers each, drawn where the policy had `loc` and `scale`."""
    old = Normal(0.1 * normal(*batch, 2, seed=10), (0.1 * normal(*batch, 2, seed=11)).exp())
    action = old.loc + 0.3 * normal(*batch, 2, seed=12)
    drawn = {"action": action, "loc": old.loc, "scale": old.scale, "sample_log_prob": old.log_prob(action)}
    return TensorDict({**steps(*batch), **drawn}, batch)


def choosing(trunk: nn.Module | None = None, reads: str = "observation", size: int = D) -> ProbabilisticActor:
    head = TensorDictModule(nn.Linear(size, 2), [reads], ["logits"])
    net = head if trunk is None else TensorDictSequential(trunk, head)
    return ProbabilisticActor(net, ["logits"], distribution_class=Categorical).double()


def drawing(distribution: type[Normal] | type[TanhNormal] = Normal) -> ProbabilisticActor:
    net = nn.Sequential(nn.Linear(D, 4), NormalParamExtractor())
    module = TensorDictModule(net, ["observation"], ["loc", "scale"])
    return ProbabilisticActor(module, ["loc", "scale"], distribution_class=distribution).double()


def windows() -> TensorDict:
    """Steps [B, T] of episodes with the returns that followed, as a Decision Transformer reads them."""
    time = torch.arange(T).expand(B, T).unsqueeze(-1)
    return choice(B, T).update({"return_to_go": normal(B, T, 1, seed=13), "time": time})


def memory(name: str) -> GRUModule:
    return GRUModule(D, 2, in_key="observation", out_key=name, state_key=f"{name}_state")


KEY = random.key(0)
DDPG = {"loss_actor": ["actor"], "loss_value": ["value"]}
TWINS = {"loss_actor": ["actor"], "loss_qvalue": ["qvalue"]}
SOFT = {**TWINS, "loss_alpha": ["log_alpha"]}

with torch.random.fork_rng(devices=[]):
    CRITIC = ValueOperator(nn.Sequential(nn.Linear(D, 2), nn.Tanh(), nn.Linear(2, 1))).double()
    REMEMBERING = choosing(memory("a"), "a", 2)
    VALUING = TensorDictSequential(memory("b"), ValueOperator(nn.Linear(2, 1), ["b"])).double()
    ACTION_VALUES = TensorDictModule(nn.Linear(D, 2), ["observation"], ["action_value"]).double()
    ACTOR = Actor(nn.Sequential(nn.Linear(D, 2), nn.Tanh())).double()
    ACTION_VALUE = ValueOperator(MLP(D + 2, 1, num_cells=[2]), ["observation", "action"]).double()
    MODEL = DynamicsModule(NormalParamWrapper(MLP(D + 2, 2 * (D + 1), num_cells=[4]))).double()

    WINDOWED = DecisionTransformer(D, 2, embed_dim=4, num_heads=1, num_layers=1).double()

    CASES = [
        Case("DQNLoss", DQNLoss(ACTION_VALUES, "categorical"), choice(B)),
        Case("DDPGLoss", DDPGLoss(ACTOR, ACTION_VALUE), box(B), DDPG),
        Case("TD3Loss", TD3Loss(ACTOR, ACTION_VALUE, Bounded(-1.0, 1.0, 2, dtype=torch.float64)), box(B), TWINS, KEY),
        Case("SACLoss", SACLoss(drawing(TanhNormal), ACTION_VALUE), box(B), SOFT, KEY),
        Case("REDQLoss", REDQLoss(drawing(TanhNormal), ACTION_VALUE, 4), box(B), SOFT, KEY),
        Case("DiscreteSACLoss", DiscreteSACLoss(choosing(), ACTION_VALUES, "categorical"), choice(B), SOFT, KEY),
        Case("DTLoss", DTLoss(DecisionTransformerActor(WINDOWED, CategoricalSpec(2), T)), windows()),
        Case("DynamicsLoss", DynamicsLoss(MODEL), box(B)),
        Case("A2CLoss", A2CLoss(choosing(), CRITIC), choice(B)),
        Case("A2CLoss of sequences", A2CLoss(REMEMBERING, VALUING, clip_value=0.5), choice(B, T)),
        Case("ReinforceLoss", ReinforceLoss(choosing()), choice(B)),
        Case("ReinforceLoss with a baseline", ReinforceLoss(drawing(), CRITIC), box(B)),
        Case("ClipPPOLoss", ClipPPOLoss(choosing(), CRITIC, clip_value=0.5, normalize_advantage=True), choice(B)),
        Case("ClipPPOLoss of numbers", ClipPPOLoss(drawing(), CRITIC), box(B)),
        Case("ClipPPOLoss of sequences", ClipPPOLoss(REMEMBERING, VALUING), choice(B, T)),
        Case("KLPENPPOLoss", KLPENPPOLoss(choosing(), CRITIC, beta=2.0), choice(B)),
        Case("KLPENPPOLoss of numbers", KLPENPPOLoss(drawing(), CRITIC), box(B)),
    ]
