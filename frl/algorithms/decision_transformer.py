"""The Decision Transformer (Chen et al. 2021, arXiv:2106.01345): supervised learning of actions from returns."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from frl import optim, tree
from frl.algorithms.base import Algorithm
from frl.algorithms.gradient import descend, leaves_of
from frl.algorithms.ranges import require_ranges
from frl.nn import DecisionTransformerActor, functional_call, initialize
from frl.objectives import DTLoss
from frl.tensordict import TensorDict


class DTConfig(NamedTuple):
    """Hyperparameters of `decision_transformer`; all become leaves of `train["hyper"]`, to be swept."""

    learning_rate: float = 1e-3
    warmup_updates: float = 100.0
    """Updates over which the learning rate rises linearly from zero; 0 begins with all of it."""
    weight_decay: float = 1e-4
    max_grad_norm: float = 0.25


_DEFAULTS = DTConfig()


def decision_transformer(actor: DecisionTransformerActor, config: DTConfig = _DEFAULTS) -> Algorithm:
    """The Decision Transformer, which learns from episodes of any other policy, good and bad.

    It acts as `actor` does, which reads the wanted return, and has nothing to draw: `explore` changes nothing. It
    learns, by AdamW, from batches [*B, T] as `DTLoss` describes them.

    Raises: TypeError for another actor; ValueError for a hyperparameter out of range; KeyError, when it updates, if the
        batch lacks an entry.

    Metrics: "loss", "learning_rate".
    """
    require_ranges("decision_transformer", config._asdict())
    loss = DTLoss(actor)

    def init(key: Tensor) -> TensorDict:
        params, hyper = TensorDict({"actor": initialize(actor, key)}), leaves_of(config._asdict())
        opt = _optimizer(hyper, hyper["learning_rate"]).init(tree.ravel(params)[0])
        return TensorDict({"params": params, "opt": opt, "hyper": hyper, "updates": torch.zeros(())})

    def act(train: TensorDict, td: TensorDict, key: Tensor | None = None, explore: bool = True) -> TensorDict:
        return functional_call(actor, train["params", "actor"], td)

    def update(train: TensorDict, batch: TensorDict, key: Tensor) -> tuple[TensorDict, TensorDict]:
        hyper, count = train["hyper"], train["updates"] + 1

        def objective(params: TensorDict) -> tuple[Tensor, TensorDict]:
            losses = loss(params, batch)
            return losses["loss"], losses

        rate = hyper["learning_rate"] * (count / hyper["warmup_updates"].clamp(min=1)).clamp(max=1)
        params, opt, losses = descend(objective, _optimizer(hyper, rate), train["params"], train["opt"])
        metrics = losses.select("loss").set("learning_rate", rate)
        return train.update({"params": params, "opt": opt, "updates": count}), metrics

    return Algorithm(init, act, update)


def _optimizer(hyper: Any, rate: Tensor) -> optim.Optimizer:
    adamw = optim.adamw(rate, weight_decay=hyper["weight_decay"])
    return optim.chain(optim.clip_by_global_norm(hyper["max_grad_norm"]), adamw)
