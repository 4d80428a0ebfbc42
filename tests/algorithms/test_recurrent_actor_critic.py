"""Policies and values with a memory, and PPO over them: what only a memory can know."""

import pytest
import torch

from frl import random, specs
from frl.algorithms import A2CConfig, PPOConfig, a2c, advantages, ppo, recurrent_actor_critic
from frl.algorithms.advantages import rows
from frl.collectors import collect, start
from frl.envs import FunctionalEnv
from frl.envs.probes import Remembered
from frl.objectives import ClipPPOLoss
from frl.training import evaluate, on_policy
from tests.algorithms.test_base import remembering

CONFIG = PPOConfig(num_epochs=4, num_minibatches=2, learning_rate=0.02, gamma=0.5, max_grad_norm=1.0)


def recurrent(num_envs, spec=None):
    base = FunctionalEnv(Remembered(), num_envs)
    networks = recurrent_actor_critic(base.single_observation_spec, spec or base.single_action_spec, 8, (8,))
    return networks, remembering(base, networks)


@pytest.mark.parametrize(
    ("make", "config", "num_updates"),
    [(ppo, CONFIG, 20), (a2c, A2CConfig(learning_rate=0.05, gamma=0.5, max_grad_norm=1.0), 80)],
)
def test_an_agent_with_a_memory_learns_what_one_without_cannot(make, config, num_updates):
    networks, env = recurrent(16)
    algorithm = make(networks, config)
    loop = on_policy(env, algorithm, 4)
    state = loop.init(random.key(0))
    for _ in range(num_updates):
        state, _ = loop.step(state)
    returns = evaluate(env, algorithm.act, state["train"], random.key(1), 16)
    assert returns.tolist() == [1.0] * 16  # by chance, half of them


def collected(num_envs=4, num_steps=5):
    networks, env = recurrent(num_envs)
    algorithm = ppo(networks, CONFIG._replace(num_minibatches=1, num_epochs=1))
    train, runner = algorithm.init(random.key(0)), start(env, random.key(1))
    runner, _ = collect(env, algorithm.act, train, runner, random.key(2), 3)  # begins in the midst of an episode
    return networks, algorithm, train, collect(env, algorithm.act, train, runner, random.key(3), num_steps)[1]


def test_the_ratio_is_one_before_the_first_step_of_the_optimiser():
    networks, _, train, batch = collected()
    assert batch["actor_state"][:, 0].any()
    assert batch["is_init"].any()
    data = rows(networks, advantages(networks, train["params"], batch, 0.5, 0.95))
    assert data.batch_size == (4, 5)
    loss = ClipPPOLoss(networks.actor, networks.critic, clip_epsilon=1e-5, clip_value=0.2)
    losses = loss(train["params"], data)
    assert losses["clip_fraction"].item() == 0
    half = (data["advantage"].square()).mean() / 2  # the values are those that the advantages were reckoned from
    torch.testing.assert_close(losses["loss_critic"], half)


def test_minibatches_are_of_whole_sequences():
    networks, env = recurrent(3)
    algorithm, train = ppo(networks, CONFIG), None
    train = algorithm.init(random.key(0))
    _, batch = collect(env, algorithm.act, train, start(env, random.key(1)), random.key(2), 4)
    with pytest.raises(ValueError, match="3 sequences do not divide into 2 minibatches"):
        algorithm.update(train, batch, random.key(3))


def test_an_action_carries_both_states_on_and_a_greedy_one_the_policys():
    networks, env = recurrent(3)
    algorithm, td = ppo(networks, CONFIG), env.reset(random.key(0))
    train = algorithm.init(random.key(1))
    acted = algorithm.act(train, td, random.key(2))
    assert set(acted) - set(td) == {"action", "sample_log_prob", "next"}
    assert set(acted["next"]) == {"actor_state", "critic_state"}
    after = env.step(acted, random.key(3))["next"]
    assert torch.equal(after["critic_state"], acted["next", "critic_state"])
    assert set(algorithm.act(train, td, explore=False)["next"]) == {"actor_state"}


def test_a_memory_is_empty_where_an_episode_begins():
    _, _, _, batch = collected()
    fresh = batch["is_init"].squeeze(-1)
    assert not batch["actor_state"][fresh].any()
    assert batch["next", "actor_state"].any(-1).all()  # of the episode that ended, not of the one that begins


def test_actions_may_be_numbers():
    networks, env = recurrent(3, specs.Bounded(-1.0, 1.0, 2))
    acted = networks.act(networks.init(random.key(0))["actor"], env.reset(random.key(1)), random.key(2), explore=True)
    assert (acted["action"].shape, acted["sample_log_prob"].shape) == ((3, 2), (3, 2))


def test_a_key_fixes_the_first_parameters():
    networks, _ = recurrent(3)
    first, same, other = (networks.init(random.key(seed))["critic", "module", "1", "rnn"] for seed in (0, 0, 1))
    assert bool((first == same).all())
    assert not bool((first == other).all())
