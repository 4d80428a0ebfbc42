"""Raises where a function that promises to be pure writes into its inputs.

    with Purity(params, batch):
        loss(params, batch)

An operation that mutates an argument (by its schema) is refused when that argument shares storage with a tensor of the
guarded trees: views are caught, and so are `out=` and `.data`. Storage that the function made itself may be written.
"""

import torch
import torch.utils._pytree as pytree
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


class Purity(TorchDispatchMode):
    """A context in which writing into the storage of `inputs`, any trees of tensors, raises ValueError."""

    def __init__(self, *inputs):
        super().__init__()
        leaves = [x for x in pytree.tree_leaves(inputs) if isinstance(x, Tensor)]
        self.owned = {storage_of(x): list(x.shape) for x in leaves}
        self.alive = leaves  # else a freed storage's address could be taken by another

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        for written in mutated(func, args, kwargs or {}):
            if storage_of(written) in self.owned:
                shape = self.owned[storage_of(written)]
                raise ValueError(f"{func} writes into an input of shape {shape}; a pure function returns a new tensor.")
        return func(*args, **(kwargs or {}))


def storage_of(x):
    return x.untyped_storage()._cdata


def mutated(func: torch._ops.OpOverload, args, kwargs):
    """The tensors among the arguments that the operator's schema says it writes."""
    named = dict(zip((a.name for a in func._schema.arguments), args, strict=False)) | kwargs
    for argument in func._schema.arguments:
        if argument.alias_info is not None and argument.alias_info.is_write and argument.name in named:
            yield from (x for x in pytree.tree_leaves(named[argument.name]) if isinstance(x, Tensor))
