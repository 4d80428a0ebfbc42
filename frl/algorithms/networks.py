"""The networks of an actor-critic algorithm, and those it takes for given specs unless it is given others."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from frl import random
from frl.distributions import Categorical, MultiCategorical, MultiOneHotCategorical, Normal, OneHotCategorical
from frl.nn import (
    MLP,
    ExplorationType,
    ProbabilisticActor,
    TensorDictModule,
    TensorDictSequential,
    ValueOperator,
    functional_call,
    initialize,
    orthogonal,
)
from frl.specs import Bounded, Composite, MultiOneHot, OneHot, Spec, Unbounded
from frl.specs import Categorical as CategoricalSpec
from frl.specs import MultiCategorical as MultiCategoricalSpec
from frl.tensordict import Key, TensorDict, scalar


class ActorCritic(NamedTuple):
    """A policy and a value network. Any modules with these keys will do, with a memory or without.

    actor: writes "action" and "sample_log_prob". critic: writes "state_value" [*B, 1].
    init: `init(key) -> {"actor", "critic"}`, their first parameters.
    """

    actor: ProbabilisticActor
    critic: TensorDictModule | TensorDictSequential
    init: Callable[[Tensor], TensorDict]

    def act(
        self, params: Any, td: TensorDict, key: Tensor | None, explore: bool, keep: Sequence[Key] = ()
    ) -> TensorDict:
        """`td` with an action, and what a policy with a memory carries on; `params` are the actor's.

        The action is drawn, with its log-probability and what else of the actor's entries is to be kept, or it is the
        most likely one.
        """
        carried = carried_on(self.actor)
        if not explore:
            acted = functional_call(self.actor, params, td, exploration=ExplorationType.DETERMINISTIC)
            return td.update(acted.select("action", *carried))
        acted = functional_call(self.actor, params, td, key=key, exploration=ExplorationType.RANDOM)
        return td.update(acted.select("action", "sample_log_prob", *carried, *keep))

    def remember(self, params: Any, td: TensorDict) -> TensorDict:
        """`td` with what a value network with a memory carries on; `params` are the critic's."""
        carried = carried_on(self.critic)
        return td.update(functional_call(self.critic, params, td).select(*carried)) if carried else td

    @property
    def recurrent(self) -> bool:
        """Whether one of the two has a memory, and learns from whole sequences."""
        return bool(carried_on(self.actor) or carried_on(self.critic))

    def distribution(self, params: Any, td: TensorDict) -> Any:
        """The policy's distribution of actions in the states of `td`."""
        return functional_call(self.actor.get_dist, params, td)

    def value(self, params: Any, td: TensorDict) -> Tensor:
        """The value [*B] of the states in `td`."""
        return scalar(functional_call(self.critic, params, td), "state_value")


def actor_critic(
    observation_spec: Composite,
    action_spec: Spec,
    num_cells: Sequence[int] = (64, 64),
    activation_class: type[nn.Module] = nn.Tanh,
) -> ActorCritic:
    """Two multilayer perceptrons over the concatenated observations, flat if they are not, orthogonally initialised.

    Discrete actions are drawn from a categorical distribution, each of several at once from one of its own, continuous
    ones from a normal distribution whose standard deviation is a parameter of its own.

    Args: the specs of one environment, without batch: `env.single_observation_spec`, `env.single_action_spec`.
    Raises: TypeError if no distribution is known for the action spec, or if the observations' is no Composite.

    >>> from frl import envs
    >>> env = envs.make("CartPole-v1", batch_size=[3])
    >>> networks = actor_critic(env.single_observation_spec, env.single_action_spec)
    >>> params = networks.init(random.key(0))
    >>> networks.value(params["critic"], env.reset(random.key(1))).shape
    torch.Size([3])
    """
    keys, size = observed("actor_critic", observation_spec)
    cells = list(num_cells)

    def mlp(out_features: int) -> nn.Module:
        net = MLP(size, out_features, num_cells=cells, activation_class=activation_class)
        return flattening(observation_spec, net)

    # torch's constructors draw weights, which nobody reads, from the global generator
    with torch.random.fork_rng(devices=[]):
        actor = policy("actor_critic", mlp, keys, action_spec)
        critic = ValueOperator(mlp(1), in_keys=keys)

    return ActorCritic(actor, critic, lambda key: first_parameters(actor, critic, key))


def carried_on(module: Any) -> list[Key]:
    """What `module` writes under "next": the state that it carries from step to step.

    >>> from frl.nn import GRUModule
    >>> carried_on(GRUModule(3, 8)), carried_on(TensorDictModule(nn.Tanh(), ["x"], ["y"]))
    ([('next', 'recurrent_state')], [])
    """
    return [key for key in module.out_keys if key[0] == "next"]


def observed(function: str, observation_spec: Composite) -> tuple[list[str], int]:
    """The keys of all observations, and how many numbers they are together.

    Raises: TypeError, which names `function`, unless the spec is a Composite.

    >>> observed("q_network", Composite({"position": Unbounded(3), "speed": Unbounded(2)}))
    (['position', 'speed'], 5)
    """
    if not isinstance(observation_spec, Composite):
        raise TypeError(
            f"{function}: observation_spec is a {type(observation_spec).__name__} but must be a Composite; pass "
            "env.single_observation_spec."
        )
    keys = list(observation_spec)
    return keys, sum(math.prod(observation_spec[key].shape) for key in keys)


def flattening(observation_spec: Composite, net: nn.Module) -> nn.Module:
    """`net`, which reads vectors: the observations of the spec, and others after them. Pictures come to it flat.

    >>> from frl import envs
    >>> env = envs.make("MinAtar/Breakout-v1", batch_size=[3])
    >>> with torch.random.fork_rng():
    ...     net = flattening(env.single_observation_spec, nn.Linear(400, 2))
    >>> net(env.reset(random.key(0))["observation"]).shape
    torch.Size([3, 2])
    """
    axes = [len(observation_spec[key].shape) for key in observation_spec]
    return net if set(axes) == {1} else _Flattening(net, axes)


class _Flattening(nn.Module):
    def __init__(self, net: nn.Module, axes: list[int]):
        super().__init__()
        self.net = net
        self.axes = axes

    def forward(self, *inputs: Tensor) -> Tensor:
        flat = [x.flatten(x.ndim - n) if n else x.unsqueeze(-1) for x, n in zip(inputs, self.axes, strict=False)]
        return self.net(*flat, *inputs[len(flat) :])


def policy(
    function: str, head: Callable[[int], nn.Module], keys: list[str], spec: Spec, before: Sequence[nn.Module] = ()
) -> ProbabilisticActor:
    """The policy whose distribution fits the action spec.

    Args: function: who asks, for the message of an error. head: makes the network of so many outputs, which reads
        `keys`. before: modules over TensorDicts that are called first.
    Raises: TypeError if no distribution is known for the spec.

    >>> with torch.random.fork_rng():
    ...     actor = policy("actor_critic", lambda n: nn.Linear(3, n), ["observation"], OneHot(2))
    >>> actor(TensorDict({"observation": torch.ones(5, 3)}, [5]), key=random.key(0))["action"].shape
    torch.Size([5, 2])
    """
    if isinstance(spec, (OneHot, CategoricalSpec)):
        net = TensorDictModule(head(spec.n), keys, ["logits"])
        drawn, params = (OneHotCategorical if isinstance(spec, OneHot) else Categorical), ["logits"]
    elif isinstance(spec, (MultiOneHot, MultiCategoricalSpec)):
        net = TensorDictModule(head(sum(spec.nvec)), keys, ["logits"])
        several = MultiOneHotCategorical if isinstance(spec, MultiOneHot) else MultiCategorical
        drawn, params = partial(several, nvec=spec.nvec), ["logits"]
    elif isinstance(spec, (Bounded, Unbounded)) and spec.dtype.is_floating_point:
        net = TensorDictModule(_NormalParams(head(math.prod(spec.shape)), spec.shape), keys, ["loc", "scale"])
        drawn, params = Normal, ["loc", "scale"]
    else:
        raise TypeError(
            f"{function}: no distribution is known for the action spec {spec!r}; give OneHot, Categorical, "
            "MultiOneHot, MultiCategorical, Bounded or Unbounded, or build an ActorCritic from modules of your own."
        )
    net = TensorDictSequential(*before, net) if before else net
    return ProbabilisticActor(net, in_keys=params, out_keys=["action"], distribution_class=drawn, return_log_prob=True)


def first_parameters(actor: nn.Module, critic: nn.Module, key: Tensor) -> TensorDict:
    """{"actor", "critic"}, orthogonal: with gains √2, 0.01 for the policy's last layer and 1 for the value's.

    Source: Huang et al. (2022), "The 37 implementation details of proximal policy optimization".

    >>> with torch.random.fork_rng():
    ...     params = first_parameters(nn.Linear(3, 1), nn.Linear(3, 1), random.key(0))
    >>> [round(params[name, "weight"].norm().item(), 2) for name in ("actor", "critic")]
    [0.01, 1.0]
    """
    k_actor, k_critic = random.split(key)
    hidden = orthogonal(math.sqrt(2))
    return TensorDict(
        {
            "actor": initialize(actor, k_actor, hidden, last=orthogonal(0.01)),
            "critic": initialize(critic, k_critic, hidden, last=orthogonal(1.0)),
        }
    )


class _NormalParams(nn.Module):
    """A mean from the network, and a standard deviation that does not depend on the state."""

    def __init__(self, loc: nn.Module, shape: torch.Size):
        super().__init__()
        self.loc = loc
        self.log_scale = nn.Parameter(torch.zeros(shape))
        self.shape = shape

    def forward(self, *observations: Tensor) -> tuple[Tensor, Tensor]:
        loc = self.loc(*observations).unflatten(-1, self.shape)
        return loc, self.log_scale.exp().expand_as(loc)
