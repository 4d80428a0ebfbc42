"""The network of a value-based algorithm, and the one it takes for given specs unless it is given another."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from frl.algorithms.networks import flattening, observed
from frl.nn import MLP, TensorDictModule, initialize
from frl.nn.action_space import action_space
from frl.specs import Composite, Spec
from frl.tensordict import TensorDict


class QNetwork(NamedTuple):
    """A network of action values. Any module over TensorDicts that writes "action_value" [*B, n] will do.

    action_spec: of one environment's action. init: `init(key) -> params`, the network's first parameters.
    """

    module: nn.Module
    action_spec: Spec
    init: Callable[[Tensor], TensorDict]


def q_network(
    observation_spec: Composite,
    action_spec: Spec,
    num_cells: Sequence[int] = (128, 128),
    activation_class: type[nn.Module] = nn.ReLU,
) -> QNetwork:
    """A multilayer perceptron over the concatenated observations, flat if they are not, with one value for each action.

    Args: the specs of one environment, without batch: `env.single_observation_spec`, `env.single_action_spec`.
    Raises: TypeError for an action spec that is no choice among finitely many, or an observation spec that is no
        Composite.

    >>> from frl import envs, random
    >>> env = envs.make("CartPole-v1", batch_size=[3])
    >>> networks = q_network(env.single_observation_spec, env.single_action_spec)
    >>> networks.module(env.reset(random.key(0)))["action_value"].shape
    torch.Size([3, 2])
    """
    keys, size = observed("q_network", observation_spec)
    num_values = sum(action_space("q_network", None, action_spec).sizes)
    # torch's constructors draw weights, which nobody reads, from the global generator
    with torch.random.fork_rng(devices=[]):
        net = MLP(size, num_values, num_cells=list(num_cells), activation_class=activation_class)
    module = TensorDictModule(flattening(observation_spec, net), keys, ["action_value"])
    return QNetwork(module, action_spec, lambda key: initialize(module, key))
