"""A policy and a value network with memories, for environments that do not show their whole state."""

from collections.abc import Sequence

import torch
from torch import nn

from frl.algorithms.memory import memory
from frl.algorithms.networks import ActorCritic, first_parameters, policy
from frl.nn import TensorDictSequential, ValueOperator
from frl.specs import Composite, Spec


def recurrent_actor_critic(
    observation_spec: Composite,
    action_spec: Spec,
    hidden_size: int = 64,
    num_cells: Sequence[int] = (64,),
    activation_class: type[nn.Module] = nn.Tanh,
) -> ActorCritic:
    """As `actor_critic`, but each of the two is a perceptron, a gated recurrent unit, and one layer.

    Their states are the entries "actor_state" and "critic_state". The environment is to have `InitTracker` and the
    primers of both networks, as in the example. `ppo`, `a2c` and the others then learn from whole sequences, one for
    each environment, each from the state in which it began and with the memory empty where an episode begins.

    Args: the specs of one environment without its batch and before those transforms. hidden_size: of the recurrent
        units. num_cells: the layers before them.
    Raises: TypeError if no distribution is known for the action spec, or if the observations' is no Composite;
        ValueError for sizes below 1.

    Source: Wierstra et al. (2010), "Recurrent policy gradients", Logic Journal of the IGPL 18.

    >>> from frl import envs, random, transforms
    >>> base = envs.make("CartPole-v1", batch_size=[3])
    >>> networks = recurrent_actor_critic(base.single_observation_spec, base.single_action_spec, hidden_size=16)
    >>> primer = transforms.make_tensordict_primer(nn.ModuleList([networks.actor, networks.critic]))
    >>> env = transforms.TransformedEnv(base, transforms.Compose(transforms.InitTracker(), primer))
    >>> params, td = networks.init(random.key(0)), env.reset(random.key(1))
    >>> networks.act(params["actor"], td, random.key(2), explore=True)["next", "actor_state"].shape
    torch.Size([3, 1, 16])
    """

    def made(name: str) -> list[nn.Module]:
        names = (f"{name}_embed", f"{name}_state")
        return memory("recurrent_actor_critic", observation_spec, hidden_size, num_cells, activation_class, names)

    # torch's constructors draw weights, which nobody reads, from the global generator
    with torch.random.fork_rng(devices=[]):
        actor = policy(
            "recurrent_actor_critic",
            lambda n: nn.Linear(hidden_size, n),
            ["actor_embed"],
            action_spec,
            before=made("actor"),
        )
        value = ValueOperator(nn.Linear(hidden_size, 1), in_keys=["critic_embed"])
        critic = TensorDictSequential(*made("critic"), value)
    return ActorCritic(actor, critic, lambda key: first_parameters(actor, critic, key))
