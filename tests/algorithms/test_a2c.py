"""A2C: what it learns in environments of known value."""

import pytest

from frl import random
from frl.algorithms import A2CConfig, a2c, actor_critic
from frl.envs import FunctionalEnv, probes
from frl.training import on_policy
from tests.algorithms.test_ppo import greedy, value

CONFIG = A2CConfig(learning_rate=0.05, gamma=0.5, entropy_cost=0.001, max_grad_norm=1.0)


def trained(probe, make=a2c, config=CONFIG, max_steps=None, num_updates=60):
    env = FunctionalEnv(probe(), 16, max_steps=max_steps)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (16,))
    loop = on_policy(env, make(networks, config), 8)
    state = loop.init(random.key(0))
    for _ in range(num_updates):
        state, _ = loop.step(state)
    return networks, state["train", "params"]


def test_a_later_reward_is_discounted():
    assert value(*trained(probes.LateReward), [[0.0], [1.0]]) == pytest.approx([0.5, 1.0], abs=0.05)


def test_a_time_limit_does_not_end_the_value():
    assert value(*trained(probes.Endless, max_steps=3), [[0.0]]) == pytest.approx([2.0], abs=0.15)


def test_the_action_follows_the_observation():
    assert greedy(*trained(probes.MatchedReward), [[-1.0], [1.0]]).tolist() == [[1, 0], [0, 1]]


def test_the_mean_of_an_asymmetric_box_is_found():
    config = CONFIG._replace(learning_rate=0.025, entropy_cost=0.05)
    policy = trained(probes.BoxedReward, config=config)
    assert greedy(*policy, [[0.0]]).item() == pytest.approx(0.9, abs=0.1)


def test_hyperparameters_are_leaves_of_the_state():
    env = FunctionalEnv(probes.Probe(), 4)
    train = a2c(actor_critic(env.single_observation_spec, env.single_action_spec)).init(random.key(0))
    assert set(train["hyper"]) == set(A2CConfig._fields)
