"""Learning to learn a task from few episodes: the loop of meta-learning by gradients, and adaptation to one task."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from frl import check, random, tree
from frl.algorithms import MetaAlgorithm
from frl.collectors import collect, start
from frl.envs import Env
from frl.envs.randomized import parametric
from frl.tensordict import TensorDict
from frl.training.loop import Loop, episode_statistics, no_episodes


def few_shot(
    env: Env,
    algorithm: MetaAlgorithm,
    tasks: Callable[[Tensor], Any],
    num_tasks: int,
    num_steps: int,
    num_adaptations: int = 1,
) -> Loop:
    """The loop of meta-learning: in each of `num_tasks` new tasks, collect, adapt and collect again; then learn.

    Every collection begins with a reset and takes `num_steps` steps of each environment. There is one before each
    adaptation and one after the last; what was learnt of a task is forgotten with it. All tasks are one `torch.vmap`.

    Args: env: pure, with physics. tasks: `tasks(key) -> physics` of one task, as `frl.envs.uniform_tasks` makes it.
    Raises: TypeError for an environment without physics or a `tasks` that cannot be called; ValueError for a number
        below 1.

    Metrics: those of the algorithm; "episode_return" and "episode_length" of the episodes that ended after the last
    adaptation, "return_before" of those that ended before the first.

    >>> from frl import algorithms, envs
    >>> env = envs.make("CartPole-v1", 5)
    >>> algorithm = algorithms.maml(algorithms.actor_critic(env.single_observation_spec, env.single_action_spec, (8,)))
    >>> tasks = envs.uniform_tasks(env.params, {"length": (0.25, 1.0)})
    >>> loop = few_shot(env, algorithm, tasks, num_tasks=2, num_steps=3)
    >>> loop.step(loop.init(random.key(0)))[0]["step"]  # 2 tasks, before and after, 5 environments, 3 steps
    tensor(60)
    """
    numbers = {"num_tasks": num_tasks, "num_steps": num_steps, "num_adaptations": num_adaptations}
    check.at_least("few_shot", numbers, 1)
    check.callables("few_shot", {"tasks": tasks}, "pass a function of a key that returns physics")
    world = parametric("few_shot", env)

    def experience(train: TensorDict, key: Tensor) -> TensorDict:
        """[K + 1, *B, T] of one task."""
        k_task, key = random.split(key)
        inside = world.with_params(tasks(k_task))
        batches: list[TensorDict] = []
        for k in random.split(key, num_adaptations + 1):
            train = algorithm.adapt(train, batches[-1]) if batches else train
            batches.append(_fresh(inside, algorithm, train, k, num_steps))
        return tree.stack(batches)

    def init(key: Tensor) -> TensorDict:
        k_train, key = random.split(key)
        stats = no_episodes().set("return_before", torch.zeros(()))
        step = torch.zeros((), dtype=torch.int64)
        return TensorDict({"train": algorithm.init(k_train), "key": key, "step": step, "stats": stats})

    def step(state: TensorDict) -> tuple[TensorDict, TensorDict]:
        key, k_collect, k_update = random.split(state["key"], 3)
        batch = torch.vmap(experience, (None, 0))(state["train"], random.split(k_collect, num_tasks))
        stats = _statistics(state["stats"], batch["next"])
        train, metrics = algorithm.update(state["train"], batch, k_update)
        count = state["step"] + batch.numel()
        return TensorDict({"train": train, "key": key, "step": count, "stats": stats}), metrics.update(stats)

    return Loop(init, step)


def adapt(
    env: Env,
    algorithm: MetaAlgorithm,
    train: TensorDict,
    task: Any,
    key: Tensor,
    num_steps: int,
    num_adaptations: int = 1,
) -> TensorDict:
    """`train` after so many adaptations to one task, each from `num_steps` new steps of each environment.

    It is pure, and can be vmapped over `train`, `task` and `key`; `evaluate` and `algorithm.act` take what it returns.

    Args: env: as `few_shot` takes it. task: physics.
    Raises: TypeError for an environment without physics; ValueError for a number below 1.

    >>> from frl import algorithms, envs
    >>> env = envs.make("PointNavigation-v0", 5)
    >>> algorithm = algorithms.maml(algorithms.actor_critic(env.single_observation_spec, env.single_action_spec, (8,)))
    >>> train, task = algorithm.init(random.key(0)), env.params._replace(goal=torch.tensor([0.3, -0.2]))
    >>> sorted(adapt(env, algorithm, train, task, random.key(1), num_steps=10))
    ['hyper', 'opt', 'params', 'updates']
    """
    check.at_least("adapt", {"num_steps": num_steps, "num_adaptations": num_adaptations}, 1)
    inside = parametric("adapt", env).with_params(task)
    for k in random.split(key, num_adaptations):
        train = algorithm.adapt(train, _fresh(inside, algorithm, train, k, num_steps))
    return train


def _fresh(env: Env, algorithm: MetaAlgorithm, train: TensorDict, key: Tensor, num_steps: int) -> TensorDict:
    """[*B, T] from a reset on."""
    k_reset, k_steps = random.split(key)
    return collect(env, algorithm.act, train, start(env, k_reset), k_steps, num_steps)[1]


def _statistics(last: TensorDict, after: TensorDict) -> TensorDict:
    """Of the episodes that ended after the last adaptation, and the return of those before the first."""
    before = last.set("episode_return", last["return_before"])
    found = episode_statistics(last, after[:, -1])
    return found.set("return_before", episode_statistics(before, after[:, 0])["episode_return"])
