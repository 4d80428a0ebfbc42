"""Families of tasks: physics drawn from a key, and several physics as one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from frl import random, tree

Tasks = Callable[[Tensor], Any]
"""`tasks(key) -> physics` of one task, from a key [2]: a distribution of tasks."""


def uniform_tasks(params: Any, ranges: Mapping[str, tuple[Any, Any]]) -> Tasks:
    """Tasks that differ in the entries of `ranges`, each drawn uniformly from its (low, high).

    Any function of a key that returns physics is a distribution of tasks; this is the usual one.

    Args: params: the physics of what does not differ, a NamedTuple. ranges: numbers, or tensors [*E] for an entry [*E].
    Raises: TypeError if `params` is no NamedTuple; KeyError for what is none of its entries; ValueError for a range
        that is no pair, or ends before it begins.

    >>> from frl.envs.classic import CartPoleParams
    >>> tasks = uniform_tasks(CartPoleParams(), {"length": (0.25, 1.0), "force_mag": (5.0, 15.0)})
    >>> drawn = tasks(random.key(0))
    >>> bool(0.25 <= drawn.length < 1.0), drawn.length.shape, drawn.gravity
    (True, torch.Size([]), 9.8)
    """
    if not hasattr(params, "_replace"):
        raise TypeError(
            f"uniform_tasks: params is a {type(params).__name__} but must be a NamedTuple, as CartPoleParams(); write "
            "a function of a key that returns physics of another kind."
        )
    bounds: dict[str, tuple[Tensor, Tensor]] = {}
    for name, ends in ranges.items():
        if name not in params._fields:
            raise KeyError(
                f"uniform_tasks: the physics have no entry {name!r}, only {list(params._fields)}; name one of them."
            )
        if not isinstance(ends, tuple) or len(ends) != 2:
            raise ValueError(f"uniform_tasks: the range of {name!r} is {ends!r} but must be a pair (low, high).")
        low, high = torch.broadcast_tensors(*(torch.as_tensor(x, dtype=torch.get_default_dtype()) for x in ends))
        if not bool((low <= high).all()):
            raise ValueError(f"uniform_tasks: the range of {name!r} is {ends!r}, where low is above high; swap them.")
        bounds[name] = low, high

    def tasks(key: Tensor) -> Any:
        drawn: dict[str, Tensor] = {}
        for k, (name, ends) in zip(random.split(key, len(bounds)), bounds.items(), strict=True):
            low, high = (x.to(key.device) for x in ends)
            drawn[name] = random.uniform(low.shape, k, low=low, high=high, dtype=low.dtype)
        return params._replace(**drawn)

    return tasks


def stack_tasks(tasks: Sequence[Any]) -> Any:
    """The physics of several tasks as one whose leaves begin with the axis of the tasks, [N, ...].

    Numbers become tensors. It is what `torch.vmap` maps over, and what `MultiTaskEnv` takes.

    Raises: ValueError if there is no task, or if one differs from the first in structure or shape.

    >>> from frl.envs.classic import PendulumParams
    >>> stack_tasks([PendulumParams(gravity=g) for g in (1.0, 9.8)]).gravity
    tensor([1.0000, 9.8000])
    """
    if not tasks:
        raise ValueError("stack_tasks: there is no task; give the physics of one at least.")
    first = _shapes(tasks[0])
    for i, task in enumerate(tasks):
        if tree.flatten(task)[1] != tree.flatten(tasks[0])[1] or _shapes(task) != first:
            raise ValueError(
                f"stack_tasks: task {i} has the entries {_shapes(task)} but task 0 has {first}; give all tasks one "
                "structure, with entries of one shape."
            )
    return tree.stack([tree.map(torch.as_tensor, task) for task in tasks])


def _shapes(task: Any) -> dict[str, list[int]]:
    return {name: list(torch.as_tensor(x).shape) for name, x in tree.named_leaves(task)}
