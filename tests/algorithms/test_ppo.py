"""PPO: its loss by hand, and what it learns in environments of known value."""

import math

import pytest
import torch

from frl import TensorDict, random
from frl.algorithms import PPOConfig, actor_critic, advantages, ppo
from frl.algorithms.advantages import rows
from frl.collectors import collect, start
from frl.envs import FunctionalEnv, probes
from frl.objectives import ClipPPOLoss
from frl.training import on_policy

CONFIG = PPOConfig(
    num_epochs=4, num_minibatches=2, learning_rate=0.02, gamma=0.5, lambda_=0.95, entropy_cost=0.001, max_grad_norm=1.0
)


# without a bonus the spread of the actions closes before their mean has arrived
SPREAD = CONFIG._replace(learning_rate=0.005, entropy_cost=0.05)


def trained(probe, max_steps=None, num_updates=60, config=CONFIG):
    """The environment, its networks and their parameters after training."""
    env = FunctionalEnv(probe(), 16, max_steps=max_steps)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (16,))
    loop = on_policy(env, ppo(networks, config), 8)
    state = loop.init(random.key(0))
    for _ in range(num_updates):
        state, _ = loop.step(state)
    return networks, state["train", "params"]


def value(networks, params, observation):
    td = TensorDict({"observation": torch.tensor(observation)}, len(observation))
    return networks.value(params["critic"], td).tolist()


def greedy(networks, params, observation):
    td = TensorDict({"observation": torch.tensor(observation)}, len(observation))
    return networks.act(params["actor"], td, None, explore=False)["action"]


def test_the_value_of_a_sure_reward_is_learnt():
    assert value(*trained(probes.Probe), [[0.0]]) == pytest.approx([1.0], abs=0.05)


def test_the_value_depends_on_the_observation():
    assert value(*trained(probes.SeenReward), [[-1.0], [1.0]]) == pytest.approx([-1.0, 1.0], abs=0.1)


def test_a_later_reward_is_discounted():
    assert value(*trained(probes.LateReward), [[0.0], [1.0]]) == pytest.approx([0.5, 1.0], abs=0.05)


def test_a_time_limit_does_not_end_the_value():
    assert value(*trained(probes.Endless, max_steps=3, num_updates=80), [[0.0]]) == pytest.approx([2.0], abs=0.1)


def test_the_better_action_is_chosen():
    assert greedy(*trained(probes.ChosenReward), [[0.0]]).tolist() == [[0, 1]]


def test_the_action_follows_the_observation():
    assert greedy(*trained(probes.MatchedReward), [[-1.0], [1.0]]).tolist() == [[1, 0], [0, 1]]


def test_the_mean_of_an_asymmetric_box_is_found():
    policy = trained(probes.BoxedReward, config=SPREAD)
    assert greedy(*policy, [[0.0]]).item() == pytest.approx(0.9, abs=0.1)


def batch_of(env, networks, num_steps=8):
    algorithm = ppo(networks, CONFIG)
    train = algorithm.init(random.key(0))
    _, batch = collect(env, algorithm.act, train, start(env, random.key(1)), random.key(2), num_steps)
    return algorithm, train, batch


def test_the_ratio_is_one_before_the_first_step_of_the_optimiser():
    env = FunctionalEnv(probes.Probe(), 4)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (8,))
    _, train, batch = batch_of(env, networks)
    data = rows(networks, advantages(networks, train["params"], batch, 0.5, 0.95))
    losses = ClipPPOLoss(networks.actor, networks.critic, clip_value=0.2)(train["params"], data)
    assert losses["kl_approx"].item() == pytest.approx(0.0, abs=1e-6)
    assert losses["clip_fraction"].item() == 0
    assert losses["entropy"].item() == pytest.approx(math.log(2), abs=1e-3)


def test_the_learning_rate_falls_linearly_to_zero():
    env = FunctionalEnv(probes.Probe(), 4)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (8,))
    algorithm = ppo(networks, CONFIG._replace(anneal_updates=4.0, learning_rate=0.1))
    train = algorithm.init(random.key(0))
    _, batch = collect(env, algorithm.act, train, start(env, random.key(1)), random.key(2), 8)
    rates = []
    for _ in range(5):
        train, metrics = algorithm.update(train, batch, random.key(3))
        rates.append(metrics["learning_rate"].item())
    assert rates == pytest.approx([0.1, 0.075, 0.05, 0.025, 0.0])


def test_a_whole_number_is_a_hyperparameter_like_any_other():
    env = FunctionalEnv(probes.Probe(), 3)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (8,))
    hyper = ppo(networks, PPOConfig(gamma=1)).init(random.key(0))["hyper"]
    assert len(hyper) == len(PPOConfig()) - 2
    assert hyper["gamma"].item() == 1


def test_minibatches_must_divide_the_batch():
    env = FunctionalEnv(probes.Probe(), 3)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (8,))
    algorithm, train, batch = batch_of(env, networks, num_steps=5)
    with pytest.raises(ValueError, match="15 steps do not divide into 2 minibatches"):
        algorithm.update(train, batch, random.key(3))


def test_a_policy_needs_a_key_to_explore_and_none_to_be_greedy():
    env = FunctionalEnv(probes.Probe(), 4)
    algorithm = ppo(actor_critic(env.single_observation_spec, env.single_action_spec, (8,)), CONFIG)
    train, td = algorithm.init(random.key(0)), env.reset(random.key(1))
    assert algorithm.act(train, td, explore=False)["action"].shape == (4, 2)
    with pytest.raises(TypeError, match="key="):
        algorithm.act(train, td)
