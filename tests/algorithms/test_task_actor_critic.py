"""One policy of many tasks: what it reads of its task, and that it can do in each what is right there."""

import pytest
import torch

from frl import random
from frl.algorithms import A2CConfig, a2c, task_actor_critic
from frl.envs import FunctionalEnv, MultiTaskEnv, RandomizedEnv, make, stack_tasks, uniform_tasks
from frl.envs.bandits import BernoulliBandit
from frl.specs import Composite, OneHot, Unbounded
from frl.training import on_policy

CART = make("CartPole-v1", 3)
POLES = uniform_tasks(CART.params, {"length": (0.25, 1.0)})


def worlds():
    few = MultiTaskEnv(CART, stack_tasks([POLES(key) for key in random.split(random.key(0), 5)]))
    return {"an index": (few, "task"), "physics": (RandomizedEnv(CART, POLES, ["length"]), "length")}


@pytest.mark.parametrize("name", worlds())
def test_the_embedding_of_the_task_stands_beside_the_observation(name):
    env, task = worlds()[name]
    networks = task_actor_critic(env.single_observation_spec, env.single_action_spec, task, 2, (8,))
    params = networks.init(random.key(0))
    for part in ("actor", "critic"):
        leaves = dict(params[part].flatten_keys().items())
        shapes = [list(x.shape) for name, x in leaves.items() if name.endswith("weight")]
        assert [8, 4 + 2] in shapes
        assert ([5, 2] if name == "an index" else [2, 1]) in shapes
    td = networks.act(params["actor"], env.reset(random.key(1)), random.key(2), explore=True)
    assert env.action_spec.contains(td["action"])
    assert networks.value(params["critic"], td).shape == (3,)


def test_a_one_hot_task_is_embedded_too():
    seen = Composite({"observation": Unbounded(2), "task": OneHot(3)})
    networks = task_actor_critic(seen, Unbounded(1), embedding_size=4)
    td = seen.expand(6).sample(random.key(0)).update({"task": OneHot(3).expand(6).sample(random.key(0))})
    assert networks.value(networks.init(random.key(1))["critic"], td).shape == (6,)


def test_one_policy_learns_to_do_in_each_task_what_is_right_there():
    base = FunctionalEnv(BernoulliBandit(), 16)
    arms = [base.params._replace(probabilities=p) for p in torch.eye(2)]
    env = MultiTaskEnv(FunctionalEnv(BernoulliBandit(), 16, max_steps=2), stack_tasks(arms))
    networks = task_actor_critic(env.single_observation_spec, env.single_action_spec, embedding_size=2, num_cells=(8,))
    loop = on_policy(env, a2c(networks, A2CConfig(learning_rate=0.05, gamma=0.0)), 4)
    state = loop.init(random.key(0))
    for _ in range(30):
        state, metrics = loop.step(state)
    assert metrics["episode_return"] > 1.9
