"""A recurrent network of action values, for environments that do not show their whole state."""

from collections.abc import Sequence

import torch
from torch import nn

from frl.algorithms.memory import memory
from frl.algorithms.q_network import QNetwork
from frl.nn import TensorDictModule, TensorDictSequential, initialize
from frl.nn.action_space import action_space
from frl.specs import Composite, Spec


def recurrent_q_network(
    observation_spec: Composite,
    action_spec: Spec,
    hidden_size: int = 64,
    num_cells: Sequence[int] = (64,),
    activation_class: type[nn.Module] = nn.ReLU,
) -> QNetwork:
    """A perceptron over the concatenated observations, a gated recurrent unit, and one value for each action.

    Its environment is to have `InitTracker` and `make_tensordict_primer(network.module)`, and its replay buffer is to
    be `sequence`, as in the example.

    Args: the specs of one environment without its batch and before those two transforms. hidden_size: of the recurrent
        unit. num_cells: the layers before it.
    Raises: TypeError for an action spec that is no choice among finitely many, or an observation spec that is no
        Composite; ValueError for sizes below 1.

    Source: Hausknecht & Stone (2015), arXiv:1507.06527.

    >>> from frl import envs, random, transforms
    >>> base = envs.make("CartPole-v1", batch_size=[3])
    >>> network = recurrent_q_network(base.single_observation_spec, base.single_action_spec, hidden_size=16)
    >>> primer = transforms.make_tensordict_primer(network.module)
    >>> env = transforms.TransformedEnv(base, transforms.Compose(transforms.InitTracker(), primer))
    >>> td = network.module(env.reset(random.key(0)))
    >>> td["action_value"].shape, td["next", "recurrent_state"].shape
    (torch.Size([3, 2]), torch.Size([3, 1, 16]))
    """
    num_values = sum(action_space("recurrent_q_network", None, action_spec).sizes)
    # torch's constructors draw weights, which nobody reads, from the global generator
    with torch.random.fork_rng(devices=[]):
        module = TensorDictSequential(
            *memory("recurrent_q_network", observation_spec, hidden_size, num_cells, activation_class),
            TensorDictModule(nn.Linear(hidden_size, num_values), ["embed"], ["action_value"]),
        )
    return QNetwork(module, action_spec, lambda key: initialize(module, key))
