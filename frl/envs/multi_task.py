"""Several tasks as one environment, in which a policy sees what its task is."""

from typing import Any

import torch
from torch import Tensor

from frl import random, tree
from frl.envs.base import Env
from frl.envs.randomized import RandomizedEnv, parametric
from frl.specs import Categorical
from frl.tensordict import TensorDict


class MultiTaskEnv(RandomizedEnv):
    """`env`, in which every reset draws one of N tasks for its row, and shows which. Immutable and pure.

    The observation has an entry more, "task" [*B], an index from 0 to N − 1: one policy can learn all tasks, by an
    embedding of it, as `frl.algorithms.task_actor_critic` has.

    Args: env: pure, with physics, and perhaps transforms. tasks: physics whose leaves are tensors [N, ...], as
        `stack_tasks` makes them.
    Raises: TypeError for an environment without physics, or for physics that are not tensors throughout; ValueError
        without a task, or if the leaves disagree about their number.

    >>> from frl.envs import make, stack_tasks
    >>> env = make("CartPole-v1", batch_size=[3])
    >>> env = MultiTaskEnv(env, stack_tasks([env.params._replace(force_mag=f) for f in (-10.0, 10.0)]))
    >>> env.reset(random.key(2))["task"], env.single_observation_spec["task"].n
    (tensor([0, 1, 0]), 2)
    """

    num_tasks: int

    def __init__(self, env: Env, tasks: Any):
        parametric("MultiTaskEnv", env)
        leaves = tree.named_leaves(tasks)
        for name, x in leaves:
            if not isinstance(x, Tensor) or x.ndim == 0:
                raise TypeError(
                    f"MultiTaskEnv: {name!r} of the tasks is {x!r} but must be a tensor [N, ...], one entry for each "
                    "task; pass stack_tasks([first, second])."
                )
        sizes = {name: x.shape[0] for name, x in leaves}
        if len(set(sizes.values())) != 1 or 0 in sizes.values():
            raise ValueError(
                f"MultiTaskEnv: the numbers of tasks by entry are {sizes} but must be one, at least 1; pass "
                "stack_tasks([first, second])."
            )
        self._assign({"tasks": tasks, "observed": ("task",), "num_tasks": leaves[0][1].shape[0]})
        self._around(env, {"task": Categorical(leaves[0][1].shape[0])})

    def _drawn(self, keys: Tensor) -> dict[str, Tensor]:
        return {"task": random.randint(0, self.num_tasks, (), keys)}

    def _physics(self, drawn: TensorDict) -> Any:
        index = drawn["task"]
        return tree.map(lambda x: x.to(index.device)[index], self.tasks)

    def _shown(self, drawn: TensorDict) -> dict[str, Tensor]:
        return {"task": torch.clone(drawn["task"])}
