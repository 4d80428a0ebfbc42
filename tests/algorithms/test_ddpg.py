"""DDPG: what it learns on an environment of known value, how it explores, and its hyperparameters."""

import gymnasium
import numpy as np
import pytest
import torch

from frl import random
from frl.algorithms import DDPGConfig, actor_q, ddpg
from frl.envs import FunctionalEnv, make
from frl.envs.probes import Probe
from frl.replay import uniform
from frl.training import off_policy


class NearHalf(Probe):
    """One step, one action in [-2, 2], rewarded the more the nearer it is to 0.5."""

    action_space = gymnasium.spaces.Box(-2.0, 2.0, (1,), np.float32)

    def reward(self, state, action, next_state, rng, params=None):
        return -((action[..., 0] - 0.5) ** 2)


def test_it_learns_the_best_action():
    env = FunctionalEnv(NearHalf(), 4)
    config = DDPGConfig(learning_rate=3e-3, noise=0.3, target_rate=0.05)
    algorithm = ddpg(actor_q(env.single_observation_spec, env.single_action_spec, (16,)), config)
    loop = off_policy(env, algorithm, uniform(capacity=400, batch_size=64), 8, 8, warmup=64)
    state = loop.init(random.key(0))
    for _ in range(60):
        state, _ = loop.step(state)
    action = algorithm.act(state["train"], env.reset(random.key(1)), explore=False)["action"]
    torch.testing.assert_close(action, torch.full((4, 1), 0.5), atol=0.15, rtol=0)


def test_its_noise_is_in_half_widths_of_the_range_and_stays_within_it():
    env = make("Pendulum-v1", 4000)  # torques in [-2, 2]
    algorithm = ddpg(actor_q(env.single_observation_spec, env.single_action_spec, (4,)), DDPGConfig(noise=0.1))
    train, td = algorithm.init(random.key(0)), env.reset(random.key(1))
    noise = algorithm.act(train, td, random.key(2))["action"] - algorithm.act(train, td, explore=False)["action"]
    assert abs(noise.std().item() - 0.2) < 0.02
    loud = train.set(("hyper", "noise"), torch.tensor(10.0))
    assert algorithm.act(loud, td, random.key(2))["action"].abs().max() <= 2


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (DDPGConfig(noise=-1.0), "noise is -1.0 but must be at least 0"),
        (DDPGConfig(target_rate=2.0), "target_rate is 2.0 but must be at most 1"),
    ],
)
def test_a_hyperparameter_out_of_range_is_named(config, message):
    env = make("Pendulum-v1", 4)
    with pytest.raises(ValueError, match=message):
        ddpg(actor_q(env.single_observation_spec, env.single_action_spec), config)
