"""Ensembles: several members of one network as parameters with an axis in front, and all of them as one call."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from frl import check, random, tree
from frl.nn.params import functional_call
from frl.tensordict import TensorDict


def initialize_ensemble(init: Callable[[Tensor], TensorDict], num_members: int, key: Tensor) -> TensorDict:
    """The parameters of `num_members` members that start apart, each leaf [N, ...]; `params[i]` is one of them.

    Args: init: `init(key) -> params` of one member, as `partial(initialize, module)`. key: [2]; member i is
        `init(random.split(key, num_members)[i])`.
    Raises: TypeError if `init` cannot be called; ValueError if there is no member.

    >>> from functools import partial
    >>> from frl.nn import initialize
    >>> initialize_ensemble(partial(initialize, nn.Linear(3, 1)), 5, random.key(0))["weight"].shape
    torch.Size([5, 1, 3])
    """
    remedy = "pass a function from a key to parameters, such as partial(initialize, module)"
    check.callables("initialize_ensemble", {"init": init}, remedy)
    check.at_least("initialize_ensemble", {"num_members": num_members}, 1)
    return torch.vmap(init)(random.split(key, num_members))


def ensemble_call(module: nn.Module | Callable[..., Any], params: Any, *args: Any, key: Tensor | None = None) -> Any:
    """`functional_call(module, params[i], *args)` of every member i, each tensor of the result [N, ...].

    All members see the same arguments. Those of a part, or each with arguments of its own, are
    `torch.vmap(lambda params, td: functional_call(module, params, td))(params, tds)`.

    Args: params: leaves [N, ...], as `initialize_ensemble` makes them. key: [2], split among the members that draw.
    Raises: ValueError that names the first leaf without an axis for the members, or with another number of them; what
        `functional_call` raises.

    >>> members = TensorDict({"weight": torch.ones(5, 1, 3), "bias": torch.arange(5.0).unsqueeze(-1)})
    >>> ensemble_call(nn.Linear(3, 1), members, torch.zeros(7, 3))[:, 0, 0].tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    num_members = _count(params)
    if key is None:
        return torch.vmap(lambda member: functional_call(module, member, *args))(params)
    keys = random.split(key, num_members)
    return torch.vmap(lambda member, k: functional_call(module, member, *args, key=k))(params, keys)


def _count(params: Any) -> int:
    """How many members there are."""
    sizes = {name: x.shape[:1] for name, x in tree.named_leaves(params)}
    (first, expected), *_ = sizes.items() or [("", torch.Size())]
    for name, size in sizes.items():
        if not size or size != expected:
            has = f"{size[0]} members" if size else "no axis for members"
            raise ValueError(
                f"ensemble_call: {name} has {has} but {first} has {expected[0] if expected else 'none'}; make all by "
                "initialize_ensemble, each leaf [N, ...]."
            )
    if not expected:
        raise ValueError("ensemble_call: params holds no tensor; make it by initialize_ensemble, each leaf [N, ...].")
    return expected[0]
