"""Bounds on gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from frl import check, tree
from frl.optim.base import Optimizer, Tree, like, stateless


def global_norm(values: Tree) -> Tensor:
    """The Euclidean norm of all leaves taken as one vector; a 0-d tensor whose gradient at zero is zero.

    Raises: ValueError if there is no leaf; TypeError if a leaf is no tensor.

    >>> global_norm({"w": torch.tensor([3.0]), "b": torch.tensor(4.0)})
    tensor(5.)
    """
    leaves = tree.leaves(values)
    if not leaves:
        raise ValueError("global_norm: the tree holds no tensor; pass gradients, or leave this out.")
    for leaf in leaves:
        check.tensors("global_norm", {"a leaf": leaf})
    return torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(x) for x in leaves]))


def clip_by_global_norm(max_norm: float | Tensor) -> Optimizer:
    """Scales all gradients by min(1, `max_norm` / (their global norm + 1e-6)).

    Equal to `torch.nn.utils.clip_grad_norm_`, to the 1e-6; NaN or infinity in one gradient spoils all.

    Args: max_norm: a number >= 0 or a 0-d tensor.
    Raises: ValueError if `max_norm` is a negative number.
    Source: Pascanu et al. (2013), algorithm 1.

    >>> clip_by_global_norm(1.0).update({"w": torch.tensor([3.0, 4.0])}, {}, None)
    ({'w': tensor([0.6000, 0.8000])}, {})
    """
    check.at_least("clip_by_global_norm", {"max_norm": max_norm}, 0)

    def clip(grads: Tree) -> Tree:
        scale = (max_norm / (global_norm(grads) + 1e-6)).clamp(max=1.0)
        return tree.map(lambda g: g * like(scale, g), grads)

    return stateless(clip)


def clip_by_value(max_value: float) -> Optimizer:
    """Clamps every entry of the gradients to [−`max_value`, `max_value`], as `torch.nn.utils.clip_grad_value_`.

    Raises: ValueError if `max_value` is negative.

    >>> clip_by_value(1.0).update(torch.tensor([3.0, -0.5]), {}, None)[0]
    tensor([ 1.0000, -0.5000])
    """
    check.at_least("clip_by_value", {"max_value": max_value}, 0)
    return stateless(lambda grads: tree.map(lambda g: g.clamp(-max_value, max_value), grads))
