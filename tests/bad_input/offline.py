"""Bad calls of what learns from collected data: the Decision Transformer, its loss, its data and its loop."""

import torch
from torch import nn as tnn

from frl import TensorDict, algorithms, nn, objectives, replay, training
from frl import transforms as T
from frl.specs import OneHot
from tests.bad_input.case import KEY, TD, bad, ones, zeros

with torch.random.fork_rng():
    ACTOR = nn.DecisionTransformerActor(nn.DecisionTransformer(4, 2, embed_dim=4, num_layers=1), OneHot(2), 5)
DT = algorithms.decision_transformer(ACTOR)
LOSS = objectives.DTLoss(ACTOR)
WINDOWS = TensorDict(
    {
        "observation": zeros(3, 5, 4),
        "action": zeros(3, 5, 2),
        "return_to_go": zeros(3, 5, 1),
        "time": zeros(3, 5, 1).long(),
    },
    [3, 5],
)
ENDLESS = TensorDict(
    {"next": {name: zeros(3, 1) > 0 for name in ("terminated", "truncated")}, "reward": ones(3, 1)}, [3]
)
AFTER = ENDLESS["next"].update({"reward": ones(3, 1), "episode_length": ones(3, 1)})


def config(**settings: float) -> algorithms.Algorithm:
    return algorithms.decision_transformer(ACTOR, algorithms.DTConfig(**settings))


OFFLINE = {
    "a loss of a policy that is no transformer": bad(
        lambda: objectives.DTLoss(tnn.Tanh()),
        TypeError,
        "DTLoss",
        "actor is a Tanh",
        "DecisionTransformerActor(",
    ),
    "windows without actions": bad(
        lambda: LOSS(LOSS.init(), TD), KeyError, "DTLoss", "'action'", "make it by collect or from a replay buffer"
    ),
    "windows with a mask of another shape": bad(
        lambda: LOSS(LOSS.init(), WINDOWS.set("mask", ones(3, 5, 1) > 0)),
        ValueError,
        "mask",
        "[3, 5, 1]",
        "pass one flag",
    ),
    "a transformer's algorithm of another policy": bad(
        lambda: algorithms.decision_transformer(tnn.Tanh()),
        *(TypeError, "actor is a Tanh", "DecisionTransformerActor("),
    ),
    "a negative warm-up of the learning rate": bad(
        lambda: config(warmup_updates=-1.0), ValueError, "warmup_updates", "-1.0", "must be at least 0"
    ),
    "gradients clipped to nothing": bad(
        lambda: config(max_grad_norm=0.0), ValueError, "max_grad_norm", "0.0", "must be above 0"
    ),
    "an update of a transformer from single steps": bad(
        lambda: DT.update(DT.init(KEY), TD, KEY), KeyError, "DTLoss", "'action'", "make it by collect"
    ),
    "returns of data without ends": bad(
        lambda: replay.return_conditioned(TD), KeyError, "return_conditioned", "'reward'", "make it by collect"
    ),
    "returns of a single step": bad(
        lambda: replay.return_conditioned(ENDLESS.set("next", AFTER)[0]),
        ValueError,
        "batch size []",
        "pass a whole batch",
    ),
    "returns of episodes that do not end": bad(
        lambda: replay.return_conditioned(ENDLESS.set("next", AFTER)),
        *(ValueError, "no episode ends in the 3 steps", "collect more steps"),
    ),
    "a return that is not finite": bad(
        lambda: T.TargetReturn(float("inf")), ValueError, "TargetReturn", "target_return is inf", "a finite number"
    ),
    "a return wanted under a lone key": bad(
        lambda: T.TargetReturn(1.0, "reward"), TypeError, "in_keys is 'reward'", "expected a list of keys"
    ),
    "no updates offline": bad(
        lambda: training.offline(DT, replay.uniform(9, 2), TD, 0), ValueError, "num_updates", "0", "must be at least 1"
    ),
    "a loop over nothing": bad(
        lambda: training.offline(DT, replay.uniform(9, 2), TD[0], 1), ValueError, "batch size []", "unsqueeze one row"
    ),
}
