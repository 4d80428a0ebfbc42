"""Adam and AdamW: steps of the mean of past gradients, measured in the root of their mean square."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from frl import check, tree
from frl.optim.base import Optimizer, Rate, State, Tree, as_schedule, is_zero, like, require_like, scalar

Betas = tuple[float | Tensor, float | Tensor]


def adam(
    learning_rate: Rate,
    betas: Betas = (0.9, 0.999),
    eps: float | Tensor = 1e-8,
    weight_decay: float | Tensor = 0.0,
    amsgrad: bool = False,
) -> Optimizer:
    """Adam: the update is −`learning_rate` · m̂ / (√v̂ + `eps`), for m̂ and v̂ the means of gradients and squares.

    Equal to `torch.optim.Adam`. The state is {"step", "mean", "square", "mean_weight", "square_weight"}, with
    "max_square" for `amsgrad`; the weights are what the two averages have summed to, the bias correction.

    Args: learning_rate: a number, a 0-d tensor or a schedule. betas: decays of the mean and of the square, in [0, 1).
        weight_decay: adds `weight_decay`·p to the gradients. amsgrad: divides by the largest v so far.
    Raises: ValueError that names the argument if a number is out of range.
    Source: Kingma & Ba (2015), algorithm 1; Reddi et al. (2018), algorithm 2, for amsgrad.

    >>> from frl import optim
    >>> params, optimizer = torch.tensor([1.0, 1.0]), adam(0.1)
    >>> optim.step(optimizer, torch.tensor([1e-3, -5.0]), optimizer.init(params), params)[0]
    tensor([0.9000, 1.1000])
    """
    return _adam("adam", learning_rate, _Options(betas, eps, weight_decay, 0.0, amsgrad))


def adamw(
    learning_rate: Rate,
    betas: Betas = (0.9, 0.999),
    eps: float | Tensor = 1e-8,
    weight_decay: float | Tensor = 1e-2,
    amsgrad: bool = False,
) -> Optimizer:
    """Adam with decoupled decay: the update is −`learning_rate` · (m̂ / (√v̂ + `eps`) + `weight_decay`·p).

    Equal to `torch.optim.AdamW`; arguments, state and errors are those of `adam`.

    Source: Loshchilov & Hutter (2019), algorithm 2.

    >>> from frl import optim
    >>> params, optimizer = torch.tensor([1.0, 1.0]), adamw(0.1, weight_decay=0.5)
    >>> optim.step(optimizer, torch.tensor([1e-3, -5.0]), optimizer.init(params), params)[0]
    tensor([0.8500, 1.0500])
    """
    return _adam("adamw", learning_rate, _Options(betas, eps, 0.0, weight_decay, amsgrad))


class _Options(NamedTuple):
    betas: Betas
    eps: float | Tensor
    coupled_decay: float | Tensor
    decoupled_decay: float | Tensor
    amsgrad: bool


def _verify(function: str, options: _Options) -> None:
    decays = {"betas[0]": options.betas[0], "betas[1]": options.betas[1]}
    weight_decay = options.coupled_decay if is_zero(options.decoupled_decay) else options.decoupled_decay
    check.at_least(function, {**decays, "eps": options.eps, "weight_decay": weight_decay}, 0)
    check.below(function, decays, 1)


def _adam(function: str, learning_rate: Rate, options: _Options) -> Optimizer:
    (b1, b2), eps, coupled_decay, decoupled_decay, amsgrad = options
    rate = as_schedule(function, learning_rate)
    _verify(function, options)
    coupled, decoupled = not is_zero(coupled_decay), not is_zero(decoupled_decay)
    averages = ["mean", "square", "max_square"] if amsgrad else ["mean", "square"]

    def init(params: Tree) -> State:
        counts = {"step": scalar(0, params, torch.int64)}
        sums = {"mean_weight": scalar(0, params), "square_weight": scalar(0, params)}
        return {**counts, **sums, **{name: tree.zeros_like(params) for name in averages}}

    def update(grads: Tree, state: State, params: Tree) -> tuple[Tree, State]:
        if "mean_weight" not in state:
            raise ValueError(f"{function}: state has the entries {list(state)}; make it by optimizer.init(params).")
        # 1 − βᵗ by the recursion of the averages: no power inside the fused loop, no cancellation in float32
        mean_weight = state["mean_weight"] + (1 - b1) * (1 - state["mean_weight"])
        square_weight = state["square_weight"] + (1 - b2) * (1 - state["square_weight"])
        lr = rate(state["step"])
        scale, root_scale = -lr / mean_weight, square_weight.rsqrt()

        def move(g: Tensor, p: Tensor, m: Tensor, v: Tensor, *largest: Tensor) -> tuple[Tensor, ...]:
            require_like(function, "grads", g, p, params)
            if coupled:
                g = g + like(coupled_decay, p) * p
            m, v = torch.lerp(m, g, like(1 - b1, m)), torch.lerp(v, g * g, like(1 - b2, v))
            squares = (v, *[torch.maximum(x, v) for x in largest])
            # the smallest normal number changes no value, and keeps the derivative of the root at 0 finite
            root = squares[-1].clamp_min(torch.finfo(v.dtype).tiny).sqrt()
            u = scale.to(m.dtype) * m / (root_scale.to(v.dtype) * root + like(eps, v))
            if decoupled:
                u = u - like(lr * decoupled_decay, p) * p
            return u, m, *squares

        updates, *new = tree.map_unzip(move, grads, params, *[state[name] for name in averages])
        counts = {"step": state["step"] + 1, "mean_weight": mean_weight, "square_weight": square_weight}
        return updates, {**counts, **dict(zip(averages, new, strict=True))}

    return Optimizer(init, update)
