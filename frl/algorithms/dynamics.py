"""The model of an environment, and the one that is taken for given specs unless another is given."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from frl.algorithms.networks import observed
from frl.nn import MLP, DynamicsModule, NormalParamWrapper, initialize
from frl.specs import Composite, Spec
from frl.tensordict import TensorDict


class Dynamics(NamedTuple):
    """A model of an environment.

    module: writes what comes of an action. init: `init(key) -> params`, the first parameters of one member.
    """

    module: DynamicsModule
    init: Callable[[Tensor], TensorDict]


def dynamics(
    observation_spec: Composite,
    action_spec: Spec,
    num_cells: Sequence[int] = (64, 64),
    activation_class: type[nn.Module] = nn.SiLU,
) -> Dynamics:
    """A multilayer perceptron from the concatenated observations and the action to a normal distribution.

    Observations of very different size learn poorly; `VecNorm` around the environment makes them alike.

    Args: the specs of one environment, without batch: `env.single_observation_spec`, `env.single_action_spec`.
    Raises: TypeError for observations that are no vectors of floating-point numbers, or actions that are integers.

    >>> from frl import envs, random
    >>> env = envs.make("Pendulum-v1", batch_size=[3])
    >>> model = dynamics(env.single_observation_spec, env.single_action_spec).module
    >>> td = model(env.rand_action(env.reset(random.key(0)), random.key(1)), key=random.key(2))
    >>> td["next", "observation"].shape
    torch.Size([3, 3])
    """
    names, size = observed("dynamics", observation_spec)
    for name in names:
        spec = observation_spec[name]
        if len(spec.shape) != 1 or not spec.dtype.is_floating_point:
            raise TypeError(
                f"dynamics: observation {name!r} is {spec.dtype} {list(spec.shape)} but must be a vector of floats; "
                "flatten or embed it by a transform, or build a Dynamics from a module of your own."
            )
    if len(action_spec.shape) != 1:
        raise TypeError(
            f"dynamics: the action spec is {type(action_spec).__name__} of shape {list(action_spec.shape)} but must be "
            "of vectors; take one-hot choices, not integers."
        )
    cells: dict[str, Any] = {"num_cells": list(num_cells), "activation_class": activation_class}
    # torch's constructors draw weights, which nobody reads, from the global generator
    with torch.random.fork_rng(devices=[]):
        net = NormalParamWrapper(MLP(size + math.prod(action_spec.shape), 2 * (size + 1), **cells))
    module = DynamicsModule(net, names)
    return Dynamics(module, lambda key: initialize(module, key))
