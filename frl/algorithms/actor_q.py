"""The networks of a deterministic policy with an action-value function, and those it takes for given specs."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from frl import random
from frl.algorithms.networks import observed
from frl.nn import MLP, Actor, ValueOperator, initialize
from frl.specs import Bounded, Composite, Spec
from frl.tensordict import TensorDict


class ActorQ(NamedTuple):
    """A deterministic policy and an action-value network. Any modules with these keys will do.

    actor: writes "action", within the bounds of `action_spec`. value: writes "state_action_value" [*B, 1].
    action_spec: of one environment's action. init: `init(key) -> {"actor", "value"}`, their first parameters.
    """

    actor: nn.Module
    value: nn.Module
    action_spec: Bounded
    init: Callable[[Tensor], TensorDict]


def actor_q(
    observation_spec: Composite,
    action_spec: Spec,
    num_cells: Sequence[int] = (64, 64),
    activation_class: type[nn.Module] = nn.ReLU,
) -> ActorQ:
    """Two multilayer perceptrons over the concatenated observations; the policy's ends in a tanh, scaled to the bounds.

    Args: the specs of one environment, without batch: `env.single_observation_spec`, `env.single_action_spec`.
    Raises: TypeError unless the action spec is Bounded, of floating point and with finite bounds.

    >>> from frl import envs
    >>> env = envs.make("Pendulum-v1", batch_size=[3])
    >>> networks = actor_q(env.single_observation_spec, env.single_action_spec)
    >>> td = networks.value(networks.actor(env.reset(random.key(0))))
    >>> td["action"].shape, td["state_action_value"].shape
    (torch.Size([3, 1]), torch.Size([3, 1]))
    """
    keys, size = observed("actor_q", observation_spec)
    if not isinstance(action_spec, Bounded) or not action_spec.dtype.is_floating_point or not action_spec._finite:
        raise TypeError(
            f"actor_q: the action spec is {action_spec!r} but must be Bounded, of floats, with finite bounds; "
            "build an ActorQ from modules of your own, or take an algorithm for such actions."
        )
    num_actions = math.prod(action_spec.shape)
    cells: dict[str, Any] = {"num_cells": list(num_cells), "activation_class": activation_class}
    # torch's constructors draw weights, which nobody reads, from the global generator
    with torch.random.fork_rng(devices=[]):
        actor = Actor(_Within(MLP(size, num_actions, **cells), action_spec), keys)
        value = ValueOperator(MLP(size + num_actions, 1, **cells), [*keys, "action"])

    def init(key: Tensor) -> TensorDict:
        k_actor, k_value = random.split(key)
        return TensorDict({"actor": initialize(actor, k_actor), "value": initialize(value, k_value)})

    return ActorQ(actor, value, action_spec, init)


class _Within(nn.Module):
    """A network's output, pressed between the bounds of a spec by tanh."""

    def __init__(self, net: nn.Module, spec: Bounded):
        super().__init__()
        self.net, self.spec = net, spec

    def forward(self, *observations: Tensor) -> Tensor:
        low, high = self.spec.low, self.spec.high
        x = self.net(*observations).unflatten(-1, self.spec.shape).tanh()
        return torch.minimum(torch.maximum(low + (high - low) * (x + 1) / 2, low), high)  # rounding may pass a bound
