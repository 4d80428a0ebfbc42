"""PPO with a penalty: it learns, and what a nat costs adapts."""

import pytest
import torch

from frl import random
from frl.algorithms import PPOPenaltyConfig, actor_critic, ppo_penalty
from frl.collectors import collect, start
from frl.envs import FunctionalEnv, probes
from frl.training import on_policy

CONFIG = PPOPenaltyConfig(num_minibatches=2, learning_rate=0.02, gamma=0.5, entropy_cost=0.001, max_grad_norm=1.0)


def made(probe=probes.MatchedReward, **settings):
    env = FunctionalEnv(probe(), 16)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (16,))
    return env, ppo_penalty(networks, CONFIG._replace(**settings))


@pytest.mark.parametrize("probe", [probes.MatchedReward, probes.BoxedReward])
def test_it_learns(probe):
    env, algorithm = made(probe, learning_rate=0.01, kl_target=0.05)
    loop = on_policy(env, algorithm, 8)
    state = loop.init(random.key(0))
    for _ in range(40):
        state, _ = loop.step(state)
    acted = algorithm.act(state["train"], env.reset(random.key(1)), explore=False)
    assert env.step(acted, random.key(2))["next", "reward"].min() > 0.95


def update(**settings):
    env, algorithm = made(**settings)
    train = algorithm.init(random.key(0))
    _, batch = collect(env, algorithm.act, train, start(env, random.key(1)), random.key(2), 8)
    after, metrics = algorithm.update(train, batch, random.key(3))
    return train, after, metrics


def test_what_a_nat_costs_is_doubled_after_too_long_an_update_and_halved_after_too_short_a_one():
    for target, factor in ((1e-9, 2.0), (1e9, 0.5)):
        train, after, metrics = update(kl_target=target, kl_coefficient=3.0)
        assert train["kl_coefficient"].item() == metrics["kl_coefficient"].item() == 3.0
        assert after["kl_coefficient"].item() == 3.0 * factor


def test_the_divergence_is_that_of_the_policy_after_the_update():
    assert update(learning_rate=0.0)[2]["kl"].item() == pytest.approx(0.0, abs=1e-6)
    assert update()[2]["kl"].item() > 1e-4


def test_a_penalty_that_costs_much_holds_the_policy():
    moved = [update(kl_coefficient=cost)[2]["kl"].item() for cost in (1e-3, 1e3)]
    assert moved[1] < 0.2 * moved[0]


def test_it_remembers_the_distribution_that_it_drew_from():
    env, algorithm = made()
    td = env.reset(random.key(0))
    acted = algorithm.act(algorithm.init(random.key(1)), td, random.key(2))
    drawn = acted["logits"].log_softmax(-1)
    torch.testing.assert_close((drawn * acted["action"]).sum(-1), acted["sample_log_prob"])
