"""A policy and a value network of many tasks, which read an embedding of what their task is."""

import math
from collections.abc import Sequence

import torch
from torch import nn

from frl import check
from frl.algorithms.networks import ActorCritic, first_parameters, flattening, observed, policy
from frl.nn import MLP, TensorDictModule, TensorDictSequential, ValueOperator
from frl.specs import Bounded, Categorical, Composite, OneHot, Spec, Unbounded


def task_actor_critic(
    observation_spec: Composite,
    action_spec: Spec,
    task: str = "task",
    embedding_size: int = 8,
    num_cells: Sequence[int] = (64, 64),
    activation_class: type[nn.Module] = nn.Tanh,
) -> ActorCritic:
    """As `actor_critic`, but the entry `task` of the observation is first embedded as so many numbers.

    An index has a row of learnt numbers for each task (`MultiTaskEnv`); physics, or a one-hot vector, have a linear map
    (`RandomizedEnv` with what is observed). The policy and the value network have each an embedding of its own.

    Args: the specs of one environment, without batch: `env.single_observation_spec`, `env.single_action_spec`.
    Raises: TypeError if no distribution is known for the action spec, if the observations' is no Composite, or if the
        task is neither an index nor numbers; KeyError if it is not observed; ValueError for sizes below 1.

    >>> from frl import envs, random
    >>> env = envs.make("PointNavigation-v0", batch_size=[3])
    >>> env = envs.MultiTaskEnv(env, envs.stack_tasks([env.params._replace(goal=goal) for goal in torch.eye(2) / 4]))
    >>> networks = task_actor_critic(env.single_observation_spec, env.single_action_spec, embedding_size=4)
    >>> networks.init(random.key(0))["actor", "module", "0", "module", "0", "module", "weight"].shape
    torch.Size([2, 4])
    """
    check.at_least("task_actor_critic", {"embedding_size": embedding_size}, 1)
    all_keys, _ = observed("task_actor_critic", observation_spec)
    if task not in all_keys:
        raise KeyError(
            f"task_actor_critic: the observation has no entry {task!r}, only {all_keys}; give the name of the task's, "
            "and MultiTaskEnv or RandomizedEnv with what is observed around the environment."
        )
    spec = observation_spec[task]
    rest = Composite({key: observation_spec[key] for key in all_keys if key != task})
    keys, size = observed("task_actor_critic", rest)
    reads, embedded = [*keys, "task_embedding"], size + embedding_size

    def mlp(out_features: int) -> nn.Module:
        return flattening(
            rest, MLP(embedded, out_features, num_cells=list(num_cells), activation_class=activation_class)
        )

    def before() -> TensorDictModule:
        return TensorDictModule(_embedding(spec, embedding_size), [task], ["task_embedding"])

    # torch's constructors draw weights, which nobody reads, from the global generator
    with torch.random.fork_rng(devices=[]):
        actor = policy("task_actor_critic", mlp, reads, action_spec, before=[before()])
        critic = TensorDictSequential(before(), ValueOperator(mlp(1), in_keys=reads))
    return ActorCritic(actor, critic, lambda key: first_parameters(actor, critic, key))


def _embedding(spec: Spec, size: int) -> nn.Module:
    if isinstance(spec, Categorical):
        return nn.Embedding(spec.n, size)
    if isinstance(spec, (Bounded, OneHot, Unbounded)) and len(spec.shape) == 1:
        return _Linear(math.prod(spec.shape), size)
    raise TypeError(
        f"task_actor_critic: the task is {spec!r} but must be Categorical, or OneHot, Bounded or Unbounded of shape "
        "[k]; flatten it by FlattenObservation."
    )


class _Linear(nn.Linear):
    """Of any numbers, a one-hot vector's included."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return super().forward(input.to(self.weight.dtype))
