"""What TD3, SAC and REDQ share: several critics, and a policy that moves at every few of their updates.

Source: Fujimoto et al. (2018), "Addressing function approximation error in actor-critic methods", arXiv:1802.09477.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from frl import tree
from frl.algorithms.gradient import clipped_adam, leaves_of, linear_to_zero, move
from frl.objectives import follow
from frl.tensordict import TensorDict

Losses = Callable[[TensorDict, TensorDict, Tensor], TensorDict]
"""`loss(params, batch, key)`, whose entries "loss_..." are minimised together."""

_CRITICS = "qvalue"


def begin(params: TensorDict, targets: tuple[str, ...], settings: Mapping[str, float]) -> TensorDict:
    """The first state of an algorithm of `improve`: its parameters with targets of those that are named.

    >>> params = TensorDict({"actor": {"w": torch.ones(1)}, "qvalue": {"w": torch.ones(2, 1)}})
    >>> list(begin(params, ("qvalue",), {"learning_rate": 0.1, "max_grad_norm": 1.0})["params", "target"])
    ['qvalue']
    """
    hyper = leaves_of(settings)
    critics, policy = params.select(_CRITICS), params.exclude(_CRITICS)
    optimizer = clipped_adam(hyper["learning_rate"], hyper["max_grad_norm"])
    opt = {name: optimizer.init(tree.ravel(part)[0]) for name, part in (("critics", critics), ("policy", policy))}
    params = params.set("target", tree.map(torch.clone, params.select(*targets)))
    return TensorDict({"params": params, "opt": opt, "hyper": hyper, "updates": torch.zeros(())})


def improve(loss: Losses, train: TensorDict, batch: TensorDict, key: Tensor) -> tuple[TensorDict, TensorDict]:
    """One step of the critics; at every `policy_period`-th one of all else; then the targets follow.

    All gradients are taken at the same parameters. Those of the policy are computed at each update, so that the step is
    the same program for every member of a population, and dropped where they are not due.

    Returns: `train`, and what the loss says of the batch [B]: its numbers, "td_error" [B], "value", the mean of Q, and
    "learning_rate".
    """
    hyper, params, target = train["hyper"], train["params"], train["params", "target"]

    def objective(trained: TensorDict) -> tuple[Tensor, TensorDict]:
        losses = loss(trained.set("target", target), batch, key)
        return sum(losses[name] for name in losses if name.startswith("loss_")), losses  # type: ignore[return-value]

    grads, losses = torch.func.grad(objective, has_aux=True)(params.exclude("target"))
    rate = linear_to_zero(hyper["learning_rate"], train["updates"], hyper["anneal_updates"])
    optimizer, opt, count = clipped_adam(rate, hyper["max_grad_norm"]), train["opt"], train["updates"] + 1

    def moved(part: str, of: Callable[[TensorDict], TensorDict]) -> tuple[TensorDict, TensorDict]:
        return move(of(grads), optimizer, of(params), opt[part])

    critics = moved("critics", lambda x: x.select(_CRITICS))
    policy = moved("policy", lambda x: x.exclude(_CRITICS, "target"))
    due = torch.remainder(count, hyper["policy_period"]) < 1
    policy = tree.where(due, policy, (params.exclude(_CRITICS, "target"), opt["policy"]))
    params = params.update(critics[0]).update(policy[0])
    params = follow(params, count, hyper["target_rate"], hyper["target_period"])
    opt = TensorDict({"critics": critics[1], "policy": policy[1]})
    return train.update({"params": params, "opt": opt, "updates": count}), _metrics(losses, rate)


def _metrics(losses: TensorDict, rate: Tensor) -> TensorDict:
    said = losses.exclude("pred_value", "target_value")
    return said.update({"value": losses["pred_value"].mean(), "learning_rate": rate})
