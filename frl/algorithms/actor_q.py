"""The networks of a policy with an action-value function, and those it takes for given specs."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeGuard

import torch
from torch import Tensor, nn

from frl import random
from frl.algorithms.networks import flattening, observed
from frl.distributions import Categorical, OneHotCategorical, TanhNormal
from frl.nn import (
    MLP,
    Actor,
    ProbabilisticActor,
    TensorDictModule,
    ValueOperator,
    initialize,
    initialize_ensemble,
)
from frl.specs import Bounded, Composite, OneHot, Spec
from frl.specs import Categorical as CategoricalSpec
from frl.tensordict import TensorDict


class ActorQ(NamedTuple):
    """A policy and an action-value network. Any modules with these keys will do.

    actor: writes "action", within the bounds of `action_spec`; a `ProbabilisticActor` if the policy is stochastic.
    value: writes "state_action_value" [*B, 1], or, for discrete actions, "action_value" [*B, n]. action_spec: of one
    environment's action. init: `init(key) -> {"actor", "value"}`, their first parameters.
    """

    actor: nn.Module
    value: nn.Module
    action_spec: Spec
    init: Callable[[Tensor], TensorDict]

    def init_ensemble(self, num_critics: int, key: Tensor) -> TensorDict:
        """First parameters {"actor", "qvalue"} of a policy with several critics, each leaf of "qvalue" [N, ...]."""
        k_actor, k_critics = random.split(key)
        critics = initialize_ensemble(lambda k: self.init(k)["value"], num_critics, k_critics)
        return TensorDict({"actor": self.init(k_actor)["actor"], "qvalue": critics})


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
    if not _in_a_box(action_spec):
        raise TypeError(
            f"actor_q: the action spec is {action_spec!r} but must be Bounded, of floats, with finite bounds; "
            "build an ActorQ from modules of your own, or take an algorithm for such actions."
        )
    num_actions = math.prod(action_spec.shape)
    cells: dict[str, Any] = {"num_cells": list(num_cells), "activation_class": activation_class}
    # torch's constructors draw weights, which nobody reads, from the global generator
    with torch.random.fork_rng(devices=[]):
        actor = Actor(_Within(flattening(observation_spec, MLP(size, num_actions, **cells)), action_spec), keys)
        value = ValueOperator(flattening(observation_spec, MLP(size + num_actions, 1, **cells)), [*keys, "action"])
    return ActorQ(actor, value, action_spec, partial(_init, actor, value))


def stochastic_actor_q(
    observation_spec: Composite,
    action_spec: Spec,
    num_cells: Sequence[int] = (64, 64),
    activation_class: type[nn.Module] = nn.ReLU,
) -> ActorQ:
    """Two multilayer perceptrons over the concatenated observations, of which the policy's gives a distribution.

    Of actions with bounds that is a normal one pressed between them by tanh, whose mean and standard deviation depend
    on the state (Haarnoja et al. 2018); the value is of a state and an action. Of one choice among n it is categorical,
    and there is a value for each choice.

    Args: the specs of one environment, without batch: `env.single_observation_spec`, `env.single_action_spec`.
    Raises: TypeError unless the action spec is OneHot, Categorical, or Bounded, of floating point with finite bounds.

    >>> from frl import envs
    >>> env = envs.make("CartPole-v1", batch_size=[3])
    >>> networks = stochastic_actor_q(env.single_observation_spec, env.single_action_spec)
    >>> td = networks.value(networks.actor(env.reset(random.key(0)), key=random.key(1)))
    >>> td["action"].shape, td["action_value"].shape
    (torch.Size([3, 2]), torch.Size([3, 2]))
    """
    keys, size = observed("stochastic_actor_q", observation_spec)
    cells: dict[str, Any] = {"num_cells": list(num_cells), "activation_class": activation_class}

    def mlp(in_features: int, out_features: int) -> nn.Module:
        return flattening(observation_spec, MLP(in_features, out_features, **cells))

    def actor(out_features: int, names: list[str], distribution: Callable[..., Any], wrap: Any) -> ProbabilisticActor:
        net = TensorDictModule(wrap(mlp(size, out_features)), keys, names)
        return ProbabilisticActor(net, in_keys=names, distribution_class=distribution)

    # torch's constructors draw weights, which nobody reads, from the global generator
    with torch.random.fork_rng(devices=[]):
        if isinstance(action_spec, (OneHot, CategoricalSpec)):
            chosen = OneHotCategorical if isinstance(action_spec, OneHot) else Categorical
            policy = actor(action_spec.n, ["logits"], chosen, lambda net: net)
            value: nn.Module = TensorDictModule(mlp(size, action_spec.n), keys, ["action_value"])
        elif _in_a_box(action_spec):
            num_actions = math.prod(action_spec.shape)
            bounded = partial(TanhNormal, low=action_spec.low, high=action_spec.high)
            policy = actor(2 * num_actions, ["loc", "scale"], bounded, lambda net: _Spread(net, action_spec.shape))
            value = ValueOperator(mlp(size + num_actions, 1), [*keys, "action"])
        else:
            raise TypeError(
                f"stochastic_actor_q: no distribution is known for the action spec {action_spec!r}; give OneHot, "
                "Categorical or Bounded of floats with finite bounds, or build an ActorQ from modules of your own."
            )
    return ActorQ(policy, value, action_spec, partial(_init, policy, value))


def _init(actor: nn.Module, value: nn.Module, key: Tensor) -> TensorDict:
    k_actor, k_value = random.split(key)
    return TensorDict({"actor": initialize(actor, k_actor), "value": initialize(value, k_value)})


def _in_a_box(spec: Spec) -> TypeGuard[Bounded]:
    return isinstance(spec, Bounded) and spec.dtype.is_floating_point and spec._finite


class _Spread(nn.Module):
    """A mean and a standard deviation from a network's output; the latter from e⁻²⁰ to e², as in the paper's code."""

    def __init__(self, net: nn.Module, shape: torch.Size):
        super().__init__()
        self.net, self.shape = net, shape

    def forward(self, *observations: Tensor) -> tuple[Tensor, Tensor]:
        loc, log_scale = (x.unflatten(-1, self.shape) for x in self.net(*observations).chunk(2, -1))
        return loc, log_scale.clamp(-20, 2).exp()


class _Within(nn.Module):
    """A network's output, pressed between the bounds of a spec by tanh."""

    def __init__(self, net: nn.Module, spec: Bounded):
        super().__init__()
        self.net, self.spec = net, spec

    def forward(self, *observations: Tensor) -> Tensor:
        low, high = self.spec.low, self.spec.high
        x = self.net(*observations).unflatten(-1, self.spec.shape).tanh()
        return torch.minimum(torch.maximum(low + (high - low) * (x + 1) / 2, low), high)  # rounding may pass a bound
