"""Stochastic gradient descent, with momentum and weight decay."""

from __future__ import annotations

import torch
from torch import Tensor

from frl import check, tree
from frl.optim.base import Optimizer, Rate, State, Tree, as_schedule, is_zero, like, require_like, scalar


def sgd(
    learning_rate: Rate,
    momentum: float | Tensor = 0.0,
    weight_decay: float | Tensor = 0.0,
    nesterov: bool = False,
) -> Optimizer:
    """Descends along g + `weight_decay`·p, or along its running sum b ← `momentum`·b + g where there is momentum.

    Equal to `torch.optim.SGD` without dampening. With `nesterov` the direction is g + `momentum`·b.

    Args: learning_rate: a number, a 0-d tensor or a schedule. momentum: in [0, 1); 0.0 keeps no sum in the state.
    Raises: ValueError that names the argument if a number is out of range, or if `nesterov` is without momentum.
    Source: Sutskever et al. (2013), On the importance of initialization and momentum in deep learning.

    >>> from frl import optim
    >>> params, optimizer = torch.tensor(1.0), sgd(0.1, momentum=0.9)
    >>> state = optimizer.init(params)
    >>> for _ in range(2):
    ...     params, state = optim.step(optimizer, torch.tensor(1.0), state, params)
    >>> params  # 1 - 0.1·1 - 0.1·1.9
    tensor(0.7100)
    """
    rate = as_schedule("sgd", learning_rate)
    check.at_least("sgd", {"momentum": momentum, "weight_decay": weight_decay}, 0)
    check.below("sgd", {"momentum": momentum}, 1)
    heavy, decays = not is_zero(momentum), not is_zero(weight_decay)
    if nesterov and not heavy:
        raise ValueError("sgd: nesterov needs momentum, but momentum is 0; pass momentum in (0, 1).")

    def init(params: Tree) -> State:
        state = {"step": scalar(0, params, torch.int64)}
        return {**state, "velocity": tree.zeros_like(params)} if heavy else state

    def update(grads: Tree, state: State, params: Tree) -> tuple[Tree, State]:
        lr = rate(state["step"])
        new = {"step": state["step"] + 1}

        def move(g: Tensor, p: Tensor, *velocity: Tensor) -> tuple[Tensor, ...]:
            require_like("sgd", "grads", g, p, params)
            if decays:
                g = g + like(weight_decay, p) * p
            velocity = tuple([like(momentum, b) * b + g for b in velocity])
            for b in velocity:
                g = g + like(momentum, b) * b if nesterov else b
            return -like(lr, g) * g, *velocity

        if heavy:
            updates, new["velocity"] = tree.map_unzip(move, grads, params, state["velocity"])
        else:
            (updates,) = tree.map_unzip(move, grads, params)
        return updates, new

    return Optimizer(init, update)
