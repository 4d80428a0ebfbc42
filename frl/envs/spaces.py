"""How an environment's Gymnasium spaces become its specs."""

from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from frl.specs import Categorical, Composite, MultiCategorical, Spec, from_gymnasium

_SCALARS: dict[torch.dtype, type[np.floating[Any]]] = {
    torch.float16: np.float16,
    torch.float32: np.float32,
    torch.float64: np.float64,
}


def to_observation_spec(space: spaces.Space[Any]) -> Composite:
    """A Composite: one entry for each key of a Dict space, "observation" for any other.

    >>> list(to_observation_spec(spaces.Box(0, 1, (3,))))
    ['observation']
    """
    spec = from_gymnasium(space)
    return spec if isinstance(spec, Composite) else Composite({"observation": spec})


def to_action_spec(space: spaces.Space[Any], categorical: bool = False) -> Spec:
    """The spec of an action: a choice is one-hot, or an integer if `categorical`; so is each one of a MultiDiscrete.

    Raises: TypeError for a Dict of actions.

    >>> to_action_spec(spaces.Discrete(2)).shape, to_action_spec(spaces.Discrete(2), categorical=True).shape
    (torch.Size([2]), torch.Size([]))
    """
    spec = from_gymnasium(space)
    if isinstance(spec, Composite):
        raise TypeError(f"action_space: {space} has several entries; flatten it by a gymnasium wrapper.")
    return spec.to_one_hot() if isinstance(spec, (Categorical, MultiCategorical)) and not categorical else spec


def single_precision(space: spaces.Space[Any]) -> spaces.Space[Any]:
    """The same space with float32 in place of float64, in a Dict too.

    >>> single_precision(spaces.Box(0, 1, (3,), np.float64)).dtype
    dtype('float32')
    """
    if isinstance(space, spaces.Dict):
        return spaces.Dict({key: single_precision(inner) for key, inner in space.items()})
    if isinstance(space, spaces.Box) and space.dtype == np.float64:
        return spaces.Box(space.low.astype(np.float32), space.high.astype(np.float32), dtype=np.float32)
    return space


def scalar_type(name: str, dtype: torch.dtype) -> type[np.floating[Any]]:
    """Numpy's type of a floating-point dtype, for the spaces of an environment whose numbers have it.

    Raises: TypeError, which begins with `name`, for any other dtype.

    >>> scalar_type("Pendulum", torch.float64).__name__
    'float64'
    """
    if dtype not in _SCALARS:
        raise TypeError(f"{name}: dtype is {dtype} but must be one of {[str(known) for known in _SCALARS]}.")
    return _SCALARS[dtype]
