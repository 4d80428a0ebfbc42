"""REINFORCE: what it learns with a baseline and without one."""

import pytest
import torch

from frl import random, tree
from frl.algorithms import ReinforceConfig, actor_critic, reinforce
from frl.collectors import collect, start
from frl.envs import FunctionalEnv, probes
from tests.algorithms.test_a2c import trained
from tests.algorithms.test_ppo import greedy

CONFIG = ReinforceConfig(learning_rate=0.05, gamma=0.5, max_grad_norm=1.0)
both = pytest.mark.parametrize("baseline", [True, False])


@both
def test_the_action_follows_the_observation(baseline):
    policy = trained(probes.MatchedReward, reinforce, CONFIG._replace(baseline=baseline), num_updates=40)
    assert greedy(*policy, [[-1.0], [1.0]]).tolist() == [[1, 0], [0, 1]]


def updated(**settings):
    env = FunctionalEnv(probes.ChosenReward(), 4)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (4,))
    algorithm = reinforce(networks, CONFIG._replace(**settings))
    train = algorithm.init(random.key(0))
    _, batch = collect(env, algorithm.act, train, start(env, random.key(1)), random.key(2), 6)
    return train, *algorithm.update(train, batch, random.key(3))


def test_without_a_baseline_the_value_network_stays_as_it_was():
    train, after, metrics = updated(baseline=False)
    assert set(metrics) == {"loss_actor", "learning_rate"}
    before, now = (tree.leaves(x["params", "critic"]) for x in (train, after))
    assert all(torch.equal(x, y) for x, y in zip(before, now, strict=True))


def test_hyperparameters_are_leaves_of_the_state():
    train, _, metrics = updated()
    assert set(train["hyper"]) == set(ReinforceConfig._fields) - {"baseline"}
    assert set(metrics) == {"loss_actor", "loss_value", "learning_rate"}
