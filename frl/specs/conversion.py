"""Specs from Gymnasium's spaces, and back."""

from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from frl.specs.base import Spec
from frl.specs.composite import Composite
from frl.specs.continuous import Bounded, Unbounded
from frl.specs.discrete import Binary, Categorical, OneHot
from frl.specs.multi_discrete import MultiCategorical, MultiOneHot


def from_gymnasium(space: spaces.Space[Any]) -> Spec | Composite:
    """The spec of a Gymnasium space: Box, Discrete, MultiDiscrete, MultiBinary or Dict.

    A Box without bounds is Unbounded. A Discrete is Categorical and a MultiDiscrete MultiCategorical; `.to_one_hot()`
    makes them OneHot and MultiOneHot.

    Raises: ValueError if a Discrete does not start at 0; TypeError for any other space.

    >>> from_gymnasium(spaces.Discrete(2)).n, type(from_gymnasium(spaces.Box(-np.inf, np.inf, (3,)))).__name__
    (2, 'Unbounded')
    """
    if isinstance(space, spaces.Box):
        return _from_box(space)
    if isinstance(space, spaces.Discrete):
        _require_start(space, space.start)
        return Categorical(int(space.n))
    if isinstance(space, spaces.MultiDiscrete):
        _require_start(space, space.start)
        if space.nvec.ndim != 1:
            raise ValueError(f"from_gymnasium: {space} has {space.nvec.ndim} axes; wrap it to a flat MultiDiscrete.")
        return MultiCategorical(space.nvec.tolist())
    if isinstance(space, spaces.MultiBinary):
        return Binary(space.shape)
    if isinstance(space, spaces.Dict):
        return Composite({name: from_gymnasium(inner) for name, inner in space.items()})
    raise TypeError(
        f"from_gymnasium: {space} has no spec; Box, Discrete, MultiDiscrete, MultiBinary and Dict have one. "
        "Turn a Tuple into a Dict, or flatten it, by a wrapper."
    )


def to_gymnasium(spec: Spec | Composite) -> spaces.Space[Any]:
    """The Gymnasium space of a spec.

    Gymnasium has no one-hot space: a OneHot or a MultiOneHot becomes a MultiBinary that contains it; the Discrete or
    MultiDiscrete of the same choices is that of `spec.to_categorical()`. Raises: TypeError for what is no spec.

    >>> to_gymnasium(Categorical(2)), to_gymnasium(Bounded(-2.0, 2.0, 1))
    (Discrete(2), Box(-2.0, 2.0, (1,), float32))
    """
    if isinstance(spec, Composite):
        return spaces.Dict({name: to_gymnasium(inner) for name, inner in spec.items()})
    if isinstance(spec, (Bounded, Unbounded)):
        low, high = (bound.cpu().numpy() for bound in (spec.space.low, spec.space.high))
        return spaces.Box(low, high, dtype=low.dtype.type)
    if isinstance(spec, (Binary, OneHot, MultiOneHot)):
        return spaces.MultiBinary(list(spec.shape))
    if isinstance(spec, MultiCategorical):
        return spaces.MultiDiscrete(np.broadcast_to(np.array(spec.nvec), tuple(spec.shape)).copy())
    if not isinstance(spec, Categorical):
        raise TypeError(f"to_gymnasium: spec is a {type(spec).__name__}; pass a spec, such as env.single_action_spec.")
    if spec.shape:
        return spaces.MultiDiscrete(np.full(tuple(spec.shape), spec.n))
    return spaces.Discrete(spec.n)


def _from_box(space: spaces.Box) -> Spec:
    low, high = torch.from_numpy(space.low.copy()), torch.from_numpy(space.high.copy())
    if low.dtype.is_floating_point:
        unbounded = not bool((low.isfinite() | high.isfinite()).any())
    else:
        limits = torch.iinfo(low.dtype)
        unbounded = low.dtype == torch.int64 and bool(((low == limits.min) & (high == limits.max)).all())
    return Unbounded(low.shape, dtype=low.dtype) if unbounded else Bounded(low, high)


def _require_start(space: Any, start: Any) -> None:
    if np.any(np.asarray(start) != 0):
        raise ValueError(
            f"from_gymnasium: {space} starts at {start}; choices count from 0. Shift it by a gymnasium wrapper "
            "(TransformAction or TransformObservation)."
        )
