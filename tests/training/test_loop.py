"""The loop: statistics, and a population over seeds."""

import torch

from frl import TensorDict, random, tree
from frl.algorithms import PPOConfig, actor_critic, ppo
from frl.envs import FunctionalEnv, make
from frl.training import on_policy, population
from tests.probes import LateReward

CONFIG = PPOConfig(num_epochs=2, num_minibatches=2)


def small_loop(env=None):
    env = env or make("CartPole-v1", 4)
    return on_policy(env, ppo(actor_critic(env.single_observation_spec, env.single_action_spec, (8,)), CONFIG), 8)


def equal(x: TensorDict, y: TensorDict) -> bool:
    return all(torch.equal(a, b) for a, b in zip(tree.leaves(x), tree.leaves(y), strict=True))


def test_statistics_average_the_episodes_that_ended():
    loop = small_loop(FunctionalEnv(LateReward(), 4))
    _, metrics = loop.step(loop.init(random.key(0)))
    assert metrics["episodes"].item() == 16
    assert metrics["episode_return"].item() == 1
    assert metrics["episode_length"].item() == 2


def test_the_last_known_statistics_stand_where_no_episode_ended():
    loop = small_loop()
    state = loop.init(random.key(0)).set(("stats", "episode_return"), torch.tensor(17.0))
    _, metrics = loop.step(state)
    assert metrics["episodes"].item() == 0
    assert metrics["episode_return"].item() == 17


def test_a_member_of_an_eager_population_is_bitwise_the_run_of_its_key_alone():
    loop = small_loop()
    keys = random.split(random.key(3), 3)
    many = population(loop, 3)
    states = many.init(keys)
    for _ in range(2):
        states, _ = many.step(states)
    alone = loop.init(keys[1])
    for _ in range(2):
        alone, _ = loop.step(alone)
    assert equal(tree.map(lambda x: x[1], states), alone)
