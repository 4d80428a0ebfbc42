"""RMSprop: steps of the gradient, measured in the root of the mean of its past squares."""

from __future__ import annotations

import torch
from torch import Tensor

from frl import check, tree
from frl.optim.base import Optimizer, Rate, State, Tree, as_schedule, is_zero, like, require_like, scalar


def rmsprop(
    learning_rate: Rate,
    alpha: float | Tensor = 0.99,
    eps: float | Tensor = 1e-8,
    weight_decay: float | Tensor = 0.0,
    momentum: float | Tensor = 0.0,
    centered: bool = False,
) -> Optimizer:
    """RMSprop: descends along g / (√v + `eps`), for v the mean of squares v ← `alpha`·v + (1 − `alpha`)·g².

    Equal to `torch.optim.RMSprop`. With `momentum` the direction is the running sum b ← `momentum`·b + g / (√v + eps).
    `centered` takes v − m² in place of v, an estimate of the variance, for m the mean of the gradients; where rounding
    makes it negative it counts as 0. The state is {"step", "square"}, with "mean" if centered and "velocity" if there
    is momentum. There is no bias correction: the first steps are 1 / √(1 − `alpha`) times as long.

    Args: learning_rate: a number, a 0-d tensor or a schedule. alpha: decay of the means, in [0, 1). eps: added outside
        the root. weight_decay: adds `weight_decay`·p to the gradients. momentum: in [0, 1); 0.0 keeps no sum.
    Raises: ValueError that names the argument if a number is out of range.
    Source: Tieleman & Hinton (2012), lecture 6.5; Graves (2013), arXiv:1308.0850, eq. 38–40, for the centered one.

    >>> from frl import optim
    >>> params, optimizer = torch.tensor([1.0, 1.0]), rmsprop(0.1, alpha=0.75)
    >>> optim.step(optimizer, torch.tensor([1e-3, -5.0]), optimizer.init(params), params)[0]
    tensor([0.8000, 1.2000])
    """
    rate = as_schedule("rmsprop", learning_rate)
    decays = {"alpha": alpha, "momentum": momentum}
    check.at_least("rmsprop", {**decays, "eps": eps, "weight_decay": weight_decay}, 0)
    check.below("rmsprop", decays, 1)
    heavy, decayed = not is_zero(momentum), not is_zero(weight_decay)
    kept = ["square", *(["mean"] if centered else []), *(["velocity"] if heavy else [])]

    def init(params: Tree) -> State:
        return {"step": scalar(0, params, torch.int64), **{name: tree.zeros_like(params) for name in kept}}

    def update(grads: Tree, state: State, params: Tree) -> tuple[Tree, State]:
        lr = rate(state["step"])

        def move(g: Tensor, p: Tensor, *old: Tensor) -> tuple[Tensor, ...]:
            require_like("rmsprop", "grads", g, p, params)
            if decayed:
                g = g + like(weight_decay, p) * p
            past = dict(zip(kept, old, strict=True))
            new = {"square": torch.lerp(past["square"], g * g, like(1 - alpha, g))}
            spread = new["square"]
            if centered:
                new["mean"] = torch.lerp(past["mean"], g, like(1 - alpha, g))
                spread = spread - new["mean"].square()
            # the smallest normal number changes no value, and keeps the derivative of the root at 0 finite
            direction = g / (spread.clamp_min(torch.finfo(g.dtype).tiny).sqrt() + like(eps, g))
            if heavy:
                direction = new["velocity"] = like(momentum, g) * past["velocity"] + direction
            return -like(lr, g) * direction, *[new[name] for name in kept]

        updates, *new = tree.map_unzip(move, grads, params, *[state[name] for name in kept])
        return updates, {"step": state["step"] + 1, **dict(zip(kept, new, strict=True))}

    return Optimizer(init, update)
