"""Bad calls of families of tasks, and of what learns from them and how to learn them."""

from typing import Any

import torch

from frl import TensorDict, algorithms, envs, training
from frl.envs.classic import CartPoleParams, PendulumParams
from tests.bad_input.case import KEY, bad, ones, zeros
from tests.bad_input.environments import CART

POLES = envs.uniform_tasks(CartPoleParams(), {"length": (0.25, 1.0)})
SEEN, ACTION = CART.single_observation_spec, CART.single_action_spec
NETWORKS = algorithms.actor_critic(SEEN, ACTION, (4,))
MAML = algorithms.maml(NETWORKS)


def tasks(ranges: Any, params: Any = CartPoleParams()):  # noqa: B008
    return envs.uniform_tasks(params, ranges)


def maml(**settings):
    return algorithms.maml(NETWORKS, algorithms.MAMLConfig(**settings))


def few_shot(env: Any = CART, drawn: Any = POLES, **numbers):
    return training.few_shot(env, MAML, drawn, **{"num_tasks": 2, "num_steps": 3, **numbers})


def adapt(env: Any = CART, **numbers):
    return training.adapt(env, MAML, MAML.init(KEY), CartPoleParams(), KEY, **{"num_steps": 3, **numbers})


FEW_SHOT = {
    "a range of what is no physics": bad(
        lambda: tasks({"lenght": (0.0, 1.0)}), KeyError, "uniform_tasks", "'lenght'", "'length'", "name one of them"
    ),
    "a range of one number": bad(
        lambda: tasks({"length": 0.5}), ValueError, "uniform_tasks", "'length' is 0.5", "must be a pair (low, high)"
    ),
    "a range that ends before it begins": bad(
        lambda: tasks({"length": (1.0, 0.5)}), ValueError, "uniform_tasks", "(1.0, 0.5)", "low is above high; swap them"
    ),
    "tasks of physics that are no tuple": bad(
        lambda: tasks({}, {"length": 0.5}), TypeError, "uniform_tasks", "dict", "write a function of a key"
    ),
    "a stack of no tasks": bad(lambda: envs.stack_tasks([]), ValueError, "stack_tasks", "no task", "one at least"),
    "tasks of unequal structure": bad(
        lambda: envs.stack_tasks([CartPoleParams(), PendulumParams()]),
        *(ValueError, "stack_tasks", "task 1", "give all tasks one structure"),
    ),
    "physics of Gymnasium's environment drawn anew": bad(
        lambda: envs.RandomizedEnv(envs.GymEnv("CartPole-v1"), POLES),
        *(TypeError, "RandomizedEnv", "GymEnv", "must be a pure environment with physics"),
    ),
    "physics in the place of their distribution": bad(
        lambda: envs.RandomizedEnv(CART, CartPoleParams()),  # type: ignore[arg-type]
        *(TypeError, "RandomizedEnv", "tasks is a CartPoleParams", "pass a function of a key"),
    ),
    "physics that are observed but not drawn": bad(
        lambda: envs.RandomizedEnv(CART, POLES, ["gravity"]),
        *(KeyError, "RandomizedEnv", "'gravity'", "['length']", "name one of them"),
    ),
    "a step without its physics": bad(
        lambda: envs.RandomizedEnv(CART, POLES).step(CART.rand_action(CART.reset(KEY), KEY), KEY),
        *(ValueError, "RandomizedEnv", 'no "physics"', "begin with env.reset(key)"),
    ),
    "tasks that are one": bad(
        lambda: envs.MultiTaskEnv(CART, CartPoleParams()),
        *(TypeError, "MultiTaskEnv", "'gravity'", "9.8", "pass stack_tasks"),
    ),
    "tasks that are none": bad(
        lambda: envs.MultiTaskEnv(CART, CartPoleParams(*zeros(8, 0))),
        *(ValueError, "MultiTaskEnv", "'gravity': 0", "pass stack_tasks"),
    ),
    "tasks of two numbers": bad(
        lambda: envs.MultiTaskEnv(CART, CartPoleParams(*ones(7, 2), ones(3))),
        *(ValueError, "MultiTaskEnv", "'gravity': 2", "'theta_threshold': 3", "pass stack_tasks"),
    ),
    "an embedding of a task that is not seen": bad(
        lambda: algorithms.task_actor_critic(SEEN, ACTION),
        *(KeyError, "task_actor_critic", "'task'", "MultiTaskEnv or RandomizedEnv"),
    ),
    "an embedding of nothing": bad(
        lambda: algorithms.task_actor_critic(SEEN, ACTION, "observation", embedding_size=0),
        *(ValueError, "task_actor_critic", "embedding_size is 0", "must be at least 1"),
    ),
    "an adaptation that goes backwards": bad(
        lambda: maml(inner_rate=-0.1), ValueError, "maml", "inner_rate is -0.1", "must be at least 0"
    ),
    "meta-learning in no passes": bad(
        lambda: maml(num_epochs=0), ValueError, "maml", "num_epochs is 0", "must be at least 1"
    ),
    "meta-learning without an adaptation": bad(
        lambda: MAML.update(MAML.init(KEY), TensorDict({"observation": ones(2, 1, 3, 5, 4)}, [2, 1, 3, 5]), KEY),
        *(ValueError, "maml", "[2, 1, 3, 5]", "make it by frl.training.few_shot"),
    ),
    "meta-learning from no task": bad(
        lambda: few_shot(num_tasks=0), ValueError, "few_shot", "num_tasks is 0", "must be at least 1"
    ),
    "meta-learning from episodes without a step": bad(
        lambda: few_shot(num_steps=0), ValueError, "few_shot", "num_steps is 0", "must be at least 1"
    ),
    "meta-learning in Gymnasium's environment": bad(
        lambda: few_shot(envs.GymEnv("CartPole-v1")), TypeError, "few_shot", "GymEnv", "must be a pure environment"
    ),
    "meta-learning from one task": bad(
        lambda: few_shot(drawn=CartPoleParams()), TypeError, "few_shot", "CartPoleParams", "pass a function of a key"
    ),
    "no adaptation": bad(
        lambda: adapt(num_adaptations=0), ValueError, "adapt", "num_adaptations is 0", "must be at least 1"
    ),
    "an adaptation to a world without physics": bad(
        lambda: adapt(torch.nn.Identity()), TypeError, "adapt", "Identity", "must be a pure environment with physics"
    ),
}
