"""How an environment's Gymnasium spaces become its specs."""

from typing import Any

import gymnasium

from frl.specs import Categorical, Composite, Spec, from_gymnasium


def to_observation_spec(space: gymnasium.Space[Any]) -> Composite:
    """A Composite: one entry for each key of a Dict space, "observation" for any other.

    >>> list(to_observation_spec(gymnasium.spaces.Box(0, 1, (3,))))
    ['observation']
    """
    spec = from_gymnasium(space)
    return spec if isinstance(spec, Composite) else Composite({"observation": spec})


def to_action_spec(space: gymnasium.Space[Any], categorical: bool = False) -> Spec:
    """The spec of an action: a Discrete is one-hot, or an integer if `categorical`.

    Raises: TypeError for a Dict of actions.

    >>> to_action_spec(gymnasium.spaces.Discrete(2)).shape, to_action_spec(gymnasium.spaces.Discrete(2), True).shape
    (torch.Size([2]), torch.Size([]))
    """
    spec = from_gymnasium(space)
    if isinstance(spec, Composite):
        raise TypeError(f"action_space: {space} has several entries; flatten it by a gymnasium wrapper.")
    return spec.to_one_hot() if isinstance(spec, Categorical) and not categorical else spec
