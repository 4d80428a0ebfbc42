"""REDQ: what it learns on an environment of known value, and its hyperparameters."""

import pytest
import torch

from frl import random
from frl.algorithms import REDQConfig, redq, stochastic_actor_q
from frl.envs import FunctionalEnv, make
from frl.envs.probes import BoxedReward
from frl.replay import uniform
from frl.training import off_policy, population


def networks_of(env, cells=(16,)):
    return stochastic_actor_q(env.single_observation_spec, env.single_action_spec, cells)


def test_it_learns_the_best_action_from_many_updates_for_each_step():
    env = FunctionalEnv(BoxedReward(), 4)
    config = REDQConfig(num_critics=4, learning_rate=1e-2, target_rate=0.2, target_entropy=-2.0, policy_period=4)
    algorithm = redq(networks_of(env), config)
    loop = off_policy(env, algorithm, uniform(capacity=400, batch_size=64), 4, 16, warmup=64)
    state = loop.init(random.key(0))
    for _ in range(14):
        state, _ = loop.step(state)
    action = algorithm.act(state["train"], env.reset(random.key(1)), explore=False)["action"]
    torch.testing.assert_close(action, torch.full((4, 1), 0.9), atol=0.2, rtol=0)


def test_it_has_so_many_critics_and_their_targets():
    params = redq(networks_of(make("Pendulum-v1", 2), (4,)), REDQConfig(num_critics=7)).init(random.key(0))["params"]
    assert params["qvalue"].batch_size == params["target", "qvalue"].batch_size == (7,)


def test_a_member_of_a_population_is_the_run_of_its_key_alone():
    env = make("Pendulum-v1", 2)
    loop = off_policy(
        env, redq(networks_of(env, (4,)), REDQConfig(num_critics=3, policy_period=2)), uniform(16, 4), 4, 2
    )
    keys = random.split(random.key(0))
    together, _ = population(loop, 2).step(population(loop, 2).init(keys))
    alone, _ = loop.step(loop.init(keys[1]))
    for leaf, x in alone["train"].items(True, True):
        torch.testing.assert_close(together["train"][leaf][1], x, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (REDQConfig(num_critics=0), "num_critics is 0 but must be at least 1"),
        (REDQConfig(num_critics=3, num_target_critics=4), "num_target_critics is 4 but must be at most 3"),
        (REDQConfig(gamma=1.5), "gamma is 1.5 but must be at most 1"),
    ],
)
def test_a_hyperparameter_out_of_range_is_named(config, message):
    with pytest.raises(ValueError, match=message):
        redq(networks_of(make("Pendulum-v1", 4)), config)


def test_discrete_actions_are_left_to_sac():
    with pytest.raises(TypeError, match="redq: the action spec is OneHot, of discrete actions; take sac for them"):
        redq(networks_of(make("CartPole-v1", 4)))
