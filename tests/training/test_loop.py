"""The loop: statistics of the episodes that ended."""

import torch

from frl import random
from frl.algorithms import PPOConfig, actor_critic, ppo
from frl.envs import FunctionalEnv, make
from frl.envs.probes import LateReward
from frl.training import on_policy

CONFIG = PPOConfig(num_epochs=2, num_minibatches=2)


def small_loop(env=None):
    env = env or make("CartPole-v1", 4)
    return on_policy(env, ppo(actor_critic(env.single_observation_spec, env.single_action_spec, (8,)), CONFIG), 8)


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
