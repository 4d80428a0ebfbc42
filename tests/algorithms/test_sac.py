"""SAC: what it learns on environments of known value, how it acts, and its hyperparameters."""

import math

import pytest
import torch

from frl import random
from frl.algorithms import SACConfig, actor_q, sac, stochastic_actor_q
from frl.algorithms.sac import soft_actor_critic
from frl.envs import FunctionalEnv, make
from frl.envs.probes import BoxedReward, MatchedReward
from frl.objectives import SACLoss
from frl.replay import n_step, prioritized, uniform
from frl.training import off_policy, population


def networks_of(env, cells=(16,)):
    return stochastic_actor_q(env.single_observation_spec, env.single_action_spec, cells)


def trained(env, config, num_steps, buffer=None):
    algorithm = sac(networks_of(env), config)
    loop = off_policy(env, algorithm, buffer or uniform(capacity=400, batch_size=64), 8, 8, warmup=64)
    state = loop.init(random.key(0))
    for _ in range(num_steps):
        state, metrics = loop.step(state)
    return algorithm, state, metrics


def test_it_learns_the_best_action():
    env = FunctionalEnv(BoxedReward(), 4)
    algorithm, state, _ = trained(env, SACConfig(learning_rate=1e-2, target_rate=0.2, target_entropy=-2.0), 18)
    action = algorithm.act(state["train"], env.reset(random.key(1)), explore=False)["action"]
    torch.testing.assert_close(action, torch.full((4, 1), 0.9), atol=0.15, rtol=0)


def test_it_learns_to_choose_by_what_it_sees():
    env = FunctionalEnv(MatchedReward(), 16)
    config = SACConfig(learning_rate=1e-2, target_rate=0.1, target_entropy=0.1)
    algorithm, state, _ = trained(env, config, 14)
    td = env.reset(random.key(1))
    choice = algorithm.act(state["train"], td, explore=False)["action"].argmax(-1)
    assert torch.equal(choice, (td["observation"][:, 0] > 0).long())


@pytest.mark.parametrize(
    ("name", "aim"), [("Pendulum-v1", -1.0), ("CartPole-v1", 0.98 * math.log(2)), ("Acrobot-v1", 0.98 * math.log(3))]
)
def test_its_temperature_aims_at_the_usual_entropy_unless_told_otherwise(name, aim):
    networks = networks_of(make(name, 2))
    assert sac(networks).init(random.key(0))["hyper", "target_entropy"].item() == pytest.approx(aim)
    told = sac(networks, SACConfig(target_entropy=0.25, alpha=0.5)).init(random.key(0))
    assert told["hyper", "target_entropy"].item() == 0.25
    assert told["params", "log_alpha"].exp().item() == pytest.approx(0.5)


def test_it_explores_by_its_policy_and_is_greedy_without_a_key():
    env = make("Pendulum-v1", 500)
    algorithm = sac(networks_of(env, (4,)))
    train, td = algorithm.init(random.key(0)), env.reset(random.key(1))
    explored = algorithm.act(train, td, random.key(2))["action"]
    assert env.action_spec.contains(explored)
    assert explored.std() > 0.5
    greedy = algorithm.act(train, td, explore=False)["action"]
    torch.testing.assert_close(greedy, algorithm.act(train, td, explore=False)["action"])
    assert greedy.std() < 0.5


@pytest.mark.parametrize("buffer", [n_step(64, 8, 2, num_envs=4), prioritized(uniform(64, 8))])
def test_it_learns_from_n_steps_and_from_priorities(buffer):
    env = FunctionalEnv(BoxedReward(), 4)
    _, state, metrics = trained(env, SACConfig(), 3, buffer)
    assert state["train", "updates"].item() == 16
    assert metrics["loss_qvalue"].isfinite()


@pytest.mark.parametrize("name", ["Pendulum-v1", "CartPole-v1"])
def test_a_member_of_a_population_is_the_run_of_its_key_alone(name):
    env = make(name, 2)
    loop = off_policy(env, sac(networks_of(env, (4,))), uniform(16, 4), 4, 2)
    keys = random.split(random.key(0))
    together, _ = population(loop, 2).step(population(loop, 2).init(keys))
    alone, _ = loop.step(loop.init(keys[1]))
    for leaf, x in alone["train"].items(True, True):
        torch.testing.assert_close(together["train"][leaf][1], x, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (SACConfig(alpha=0.0), "alpha is 0.0 but must be above 0"),
        (SACConfig(learning_rate=-1.0), "learning_rate is -1.0 but must be at least 0"),
        (SACConfig(target_rate=2.0), "target_rate is 2.0 but must be at most 1"),
    ],
)
def test_a_hyperparameter_out_of_range_is_named(config, message):
    with pytest.raises(ValueError, match=message):
        sac(networks_of(make("Pendulum-v1", 4)), config)


def test_a_deterministic_policy_is_refused():
    env = make("Pendulum-v1", 4)
    networks = actor_q(env.single_observation_spec, env.single_action_spec)
    with pytest.raises(TypeError, match="sac: the actor is a Actor, which has no distribution; make the networks by"):
        sac(networks)


def test_another_loss_can_be_learnt_by():
    networks = networks_of(make("Pendulum-v1", 4), (4,))
    three = SACLoss(networks.actor, networks.value, 3)
    algorithm = soft_actor_critic("mine", networks, 3, SACConfig()._asdict(), lambda hyper: three)
    critics = algorithm.init(random.key(0))["params", "qvalue"]
    assert critics.batch_size == (3,)
