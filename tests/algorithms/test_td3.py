"""TD3: what it learns on an environment of known value, how it explores, and its hyperparameters."""

import pytest
import torch

from frl import random
from frl.algorithms import TD3Config, actor_q, td3
from frl.envs import FunctionalEnv, make
from frl.envs.probes import BoxedReward, Endless
from frl.replay import n_step, prioritized, uniform
from frl.training import off_policy, population


class BoxedEndless(Endless):
    action_space = BoxedReward.action_space


def networks_of(env, cells=(16,)):
    return actor_q(env.single_observation_spec, env.single_action_spec, cells)


def trained(env, config, num_steps, buffer=None):
    algorithm = td3(networks_of(env), config)
    loop = off_policy(env, algorithm, buffer or uniform(capacity=400, batch_size=64), 8, 8, warmup=64)
    state = loop.init(random.key(0))
    for _ in range(num_steps):
        state, metrics = loop.step(state)
    return algorithm, state, metrics


def test_it_learns_the_best_action():
    env = FunctionalEnv(BoxedReward(), 4)
    algorithm, state, _ = trained(env, TD3Config(learning_rate=1e-2, noise=0.3, target_rate=0.1), 24)
    action = algorithm.act(state["train"], env.reset(random.key(1)), explore=False)["action"]
    torch.testing.assert_close(action, torch.full((4, 1), 0.9), atol=0.15, rtol=0)


def test_a_time_limit_does_not_end_the_future():
    env = FunctionalEnv(BoxedEndless(), 4, 5)
    config = TD3Config(learning_rate=1e-2, target_rate=0.3, target_period=1, gamma=0.5)
    _, _, metrics = trained(env, config, 16)
    assert abs(metrics["value"].item() - 2) < 0.1  # 1 / (1 − γ)


@pytest.mark.parametrize("buffer", [n_step(64, 8, 2, num_envs=4), prioritized(uniform(64, 8))])
def test_it_learns_from_n_steps_and_from_priorities(buffer):
    env = FunctionalEnv(BoxedReward(), 4)
    _, state, metrics = trained(env, TD3Config(), 3, buffer)
    assert state["train", "updates"].item() == 16
    assert metrics["loss_qvalue"].isfinite()


def test_a_member_of_a_population_is_the_run_of_its_key_alone():
    env = make("Pendulum-v1", 2)
    loop = off_policy(env, td3(networks_of(env, (4,))), uniform(16, 4), 4, 3)
    keys = random.split(random.key(0))
    together, _ = population(loop, 2).step(population(loop, 2).init(keys))
    alone, _ = loop.step(loop.init(keys[1]))
    for name, x in alone["train"].items(True, True):
        torch.testing.assert_close(together["train"][name][1], x)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (TD3Config(policy_noise=-1.0), "policy_noise is -1.0 but must be at least 0"),
        (TD3Config(policy_period=0), "policy_period is 0 but must be at least 1"),
        (TD3Config(gamma=1.5), "gamma is 1.5 but must be at most 1"),
    ],
)
def test_a_hyperparameter_out_of_range_is_named(config, message):
    env = make("Pendulum-v1", 4)
    with pytest.raises(ValueError, match=message):
        td3(networks_of(env), config)
