"""What a probe says that a state is worth is what the best action there earns, and the discounted worth of the next."""

import gymnasium
import numpy as np
import pytest
import torch

from frl import random
from frl.envs import FunctionalEnv, probes
from frl.specs import Bounded

PROBES = [value for value in vars(probes).values() if isinstance(value, type) and issubclass(value, probes.Probe)]
GAMMA = 0.5


def actions(env):
    """Every action, or many of a box."""
    spec = env.single_action_spec
    if isinstance(spec, Bounded):
        return torch.linspace(spec.low.item(), spec.high.item(), 231).unsqueeze(-1)  # in steps of 0.01
    return torch.unique(torch.stack([spec.sample(random.key(seed)) for seed in range(100)]), dim=0)


every = pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.__name__)


@every
def test_values_obey_the_equation_of_bellman(probe):
    env = FunctionalEnv(probe(), 32)
    td, alive = env.reset(random.key(0)), torch.ones(32, dtype=torch.bool)
    for _ in range(3):
        worth = []
        for action in actions(env):
            after = env.step(td.set("action", action.expand(32, *action.shape)), random.key(1))["next"]
            ended = after["terminated"][:, 0]
            future = torch.where(ended, 0.0, env.func_env.value(after["state"], GAMMA))
            worth.append(after["reward"][:, 0] + GAMMA * future)
        value = env.func_env.value(td["state"], GAMMA)
        torch.testing.assert_close(torch.stack(worth).amax(0)[alive], value[alive])
        td, alive = after.exclude("reward"), alive & ~ended


@every
def test_what_is_seen_fits_the_specs(probe):
    env = FunctionalEnv(probe(), 4, max_steps=probe.max_steps)
    batch = env.rollout(5, key=random.key(0))
    assert env.single_observation_spec.expand(4, batch.shape[1]).contains(batch.select(*env.single_observation_spec))


def test_values_do_not_depend_on_the_actions_that_are_offered():
    box = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
    env = FunctionalEnv(probes.LateReward(box), 3)
    assert env.rand_action(env.reset(random.key(0)), random.key(1))["action"].shape == (3, 2)
