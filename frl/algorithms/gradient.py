"""One step down a gradient, and the learning rate on the way, as all algorithms make them."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from frl import optim, tree
from frl.algorithms.base import Loss
from frl.tensordict import TensorDict


def clipped_adam(rate: Tensor, max_grad_norm: Tensor, eps: float = 1e-8) -> optim.Optimizer:
    """Adam at this rate, on gradients clipped to this norm.

    >>> optimizer = clipped_adam(torch.tensor(0.1), torch.tensor(1.0))
    >>> optimizer.update(torch.tensor([3.0, 4.0]), optimizer.init(torch.zeros(2)), torch.zeros(2))[0]
    tensor([-0.1000, -0.1000])
    """
    return optim.chain(optim.clip_by_global_norm(max_grad_norm), optim.adam(rate, eps=eps))


def descend(
    loss: Callable[[Any], tuple[Tensor, TensorDict]], optimizer: optim.Optimizer, params: TensorDict, opt: TensorDict
) -> tuple[TensorDict, TensorDict, TensorDict]:
    """One step of `optimizer` down the gradient of `loss(params) -> (loss, what else it says)`.

    The gradient is taken of the parameters' leaves and laid end to end, so that the optimizer is one operation on one
    vector; `opt` is its state for `tree.ravel(params)[0]`.

    Returns: the new parameters, the new state, and what else the loss said.

    >>> params, optimizer = TensorDict({"w": torch.tensor(3.0)}), optim.sgd(0.5)
    >>> opt = TensorDict(optimizer.init(tree.ravel(params)[0]))
    >>> descend(lambda p: (p["w"] ** 2, TensorDict({})), optimizer, params, opt)[0]["w"].item()
    0.0
    """
    grads, said = torch.func.grad(loss, has_aux=True)(params)
    return *move(grads, optimizer, params, opt), said


def move(
    grads: TensorDict, optimizer: optim.Optimizer, params: TensorDict, opt: TensorDict
) -> tuple[TensorDict, TensorDict]:
    """One step of `optimizer` along gradients that are known; returns the new parameters and the new state.

    >>> params, optimizer = TensorDict({"w": torch.tensor(3.0)}), optim.sgd(0.5)
    >>> opt = TensorDict(optimizer.init(tree.ravel(params)[0]))
    >>> move(TensorDict({"w": torch.tensor(4.0)}), optimizer, params, opt)[0]["w"].item()
    1.0
    """
    flat, unravel = tree.ravel(params)
    updates, new = optimizer.update(tree.ravel(grads)[0], opt, flat)
    # leaves of their own, not views of one vector
    return tree.map(torch.clone, unravel(flat + updates)), TensorDict(new)


def minimized(objective: Callable[[Any, TensorDict], TensorDict]) -> Loss:
    """A loss of `frl.objectives` as `epochs` and `descend` take one: its "loss", and what else it says.

    >>> minimized(lambda params, batch: TensorDict({"loss": params["w"], "entropy": batch["x"]}))(
    ...     {"w": torch.tensor(2.0)}, TensorDict({"x": torch.tensor(1.0)})
    ... )[0]
    tensor(2.)
    """

    def loss(params: Any, batch: TensorDict) -> tuple[Tensor, TensorDict]:
        losses = objective(params, batch)
        return losses["loss"], losses.exclude("loss")

    return loss


def learn_once(
    objective: Callable[[Any, TensorDict], TensorDict], optimizer: optim.Optimizer, train: TensorDict, batch: TensorDict
) -> tuple[TensorDict, TensorDict]:
    """`train` with new "params" and "opt" after one step down the "loss" of `batch`, and what else that says.

    >>> params, optimizer = TensorDict({"w": torch.tensor(3.0)}), optim.sgd(0.5)
    >>> train = TensorDict({"params": params, "opt": optimizer.init(tree.ravel(params)[0])})
    >>> square = lambda params, batch: TensorDict({"loss": params["w"] ** 2})
    >>> learn_once(square, optimizer, train, TensorDict({}))[0]["params", "w"].item()
    0.0
    """
    loss = minimized(objective)
    params, opt, said = descend(lambda params: loss(params, batch), optimizer, train["params"], train["opt"])
    return train.update({"params": params, "opt": opt}), said


def linear_to_zero(start: Tensor, updates: Tensor, num_updates: Tensor) -> Tensor:
    """`start`, falling linearly to zero over `num_updates` updates; constant where these are 0.

    >>> [linear_to_zero(torch.tensor(2.0), torch.tensor(1.0), torch.tensor(n)).item() for n in (4.0, 0.0)]
    [1.5, 2.0]
    """
    left = (1 - updates / num_updates.clamp(min=1)).clamp(min=0)
    return start * torch.where(num_updates > 0, left, torch.ones_like(left))


def leaves_of(settings: Mapping[str, float]) -> TensorDict:
    """Hyperparameters as 0-d tensors, to be swept, annealed and differentiated.

    >>> leaves_of({"gamma": 0.5})["gamma"]
    tensor(0.5000)
    """
    return TensorDict({name: torch.tensor(float(value)) for name, value in settings.items()})
