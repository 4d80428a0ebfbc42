"""Lazy modules: shapes that come with the first input, without a trace in torch's global generator."""

from typing import Any

import torch
from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin

from frl.nn.exploration_type import ExplorationType


def is_lazy(module: nn.Module) -> bool:
    """Whether any parameter of `module` still waits for its shape.

    >>> is_lazy(nn.Sequential(nn.LazyLinear(2))), is_lazy(nn.Linear(1, 2))
    (True, False)
    """
    return bool(lazy_parts(module))


def lazy_parts(module: nn.Module) -> list[nn.Module]:
    """The submodules of `module`, itself among them, whose parameters still wait for their shapes.

    >>> lazy_parts(nn.Sequential(nn.LazyLinear(2), nn.Tanh()))
    [LazyLinear(in_features=0, out_features=2, bias=True)]
    """
    return [part for part in module.modules() if isinstance(part, LazyModuleMixin)]


def materialize(module: nn.Module, *example: Any) -> nn.Module:
    """`module` with shapes for all lazy parameters, found by calling it on `example`; other modules as they are.

    It is the module itself that gets the shapes, once and for all, as torch does it at the first call. Values are those
    that torch would draw next, yet its global generator stays untouched: two lazy layers of one shape that are called
    one after the other get the same values. `initialize(module, key, example=td)` gives values from a key instead. A
    module must have its shapes before it is compiled.

    Raises: TypeError for what is no module, or if it is lazy and there is no example.

    >>> materialize(nn.LazyLinear(2), torch.ones(5, 3)).weight.shape
    torch.Size([2, 3])
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"materialize: module is a {type(module).__name__} but must be an nn.Module; make one first.")
    if is_lazy(module):
        if not example:
            raise TypeError(
                f"materialize: no input for {type(module).__name__}, which is lazy; pass an example of one."
            )
        takes_td = hasattr(module, "in_keys")
        options = {"exploration": ExplorationType.DETERMINISTIC} if takes_td else {}
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            module(*example, **options)
    return module
