"""The loop of evolution strategies: over policies, in populations, and over whole trainings."""

import pytest
import torch
from torch.testing import assert_close

from frl import TensorDict, optim, random, tree
from frl.algorithms import A2CConfig, a2c, actor_critic, recurrent_actor_critic
from frl.envs import FunctionalEnv, make, probes
from frl.training import evaluate, evolution, member, on_policy, population, vary
from tests.algorithms.test_base import remembering
from tests.purity import Purity
from tests.traced import traced


def bandit(num_candidates: int = 8, **settings):
    """One step; of two actions one pays."""
    env = FunctionalEnv(probes.ChosenReward(), 2, max_steps=1)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (4,))
    return evolution(env, networks.actor, optim.openai_es(num_candidates, **settings))


def same(found, expected):
    for (name, x), (_, y) in zip(tree.named_leaves(found), tree.named_leaves(expected), strict=True):
        assert_close(x, y, atol=1e-5, rtol=1e-5, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("strategy", [optim.openai_es(20, 0.1, 0.5), optim.pgpe(20, 0.1, 0.5)], ids=["es", "pgpe"])
def test_it_learns_to_look(strategy):
    env = FunctionalEnv(probes.MatchedReward(), 8, max_steps=1)
    loop = evolution(env, actor_critic(env.single_observation_spec, env.single_action_spec, (4,)).actor, strategy)
    state = loop.init(random.key(0))
    for _ in range(30):
        state, metrics = loop.step(state)
    assert metrics["fitness"] > 0.9


def test_steps_are_those_of_episodes_and_not_of_what_comes_after_them():
    env = make("CartPole-v1", 3)
    policy = actor_critic(env.single_observation_spec, env.single_action_spec, (4,)).actor
    loop = evolution(env, policy, optim.openai_es(4))
    state, metrics = loop.step(loop.init(random.key(0)))
    assert_close(state["step"].float(), 12 * metrics["episode_return"])  # a reward of 1 for each step
    assert_close(metrics["episode_length"], metrics["episode_return"])
    assert_close(metrics["fitness"], metrics["episode_return"])
    assert metrics["episodes"] == 12


def test_all_candidates_meet_the_same_episodes():
    env = make("CartPole-v1", 3)
    policy = actor_critic(env.single_observation_spec, env.single_action_spec, (4,)).actor
    loop = evolution(env, policy, optim.pgpe(6, sigma=1e-6))  # six times the same policy
    _, metrics = loop.step(loop.init(random.key(0)))
    assert metrics["fitness"] == metrics["best_fitness"]


def test_a_member_of_a_population_is_the_run_of_its_key_and_hyperparameters():
    many, keys = population(bandit(), 2), random.split(random.key(0))
    states = vary(many.init(keys), {"sigma": [0.05, 0.5]})
    alone = bandit(sigma=0.5)
    expected = alone.step(alone.init(keys[1]))
    same(member(many.step(states)[0], 1), expected[0])


def test_the_traced_step_is_the_eager_one():
    loop = bandit()
    state = loop.init(random.key(0))
    same(traced(loop.step)(state), loop.step(state))


def test_the_vmapped_step_is_that_of_each():
    loop, keys = bandit(), random.split(random.key(0))
    states = tree.stack([loop.init(key) for key in keys])
    same(torch.vmap(loop.step)(states)[0], tree.stack([loop.step(states[i])[0] for i in range(2)]))


def test_a_step_writes_into_no_input():
    loop = bandit()
    state = loop.init(random.key(0))
    with Purity(state):
        loop.step(state)


def test_a_policy_with_a_memory_evolves_too():
    env = FunctionalEnv(probes.ChosenReward(), 2, max_steps=3)
    networks = recurrent_actor_critic(env.single_observation_spec, env.single_action_spec, 4, (4,))
    loop = evolution(remembering(env, networks), networks.actor, optim.pgpe(4))
    state, metrics = loop.step(loop.init(random.key(0)))
    assert metrics["fitness"].isfinite()
    assert state["step"] > 0


def test_whole_trainings_evolve_by_composition():
    """The candidates are learning rates; each trains a member of a population and is as fit as that has become."""
    env, n = FunctionalEnv(probes.ChosenReward(), 4), 6
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (4,))
    trainings = population(on_policy(env, a2c(networks, A2CConfig(entropy_cost=0.0)), 4), n)
    strategy = optim.pgpe(n, learning_rate=0.5, sigma=1.0)

    def fitness(candidates, key):
        keys = random.split(key)[0].expand(n, 2)  # one seed for all
        states = vary(trainings.init(keys), {"learning_rate": candidates["log_rate"].exp()})
        for _ in range(3):
            states, _ = trainings.step(states)
        policies = TensorDict({"observation": torch.zeros(n, 1, 1)}, [n])
        seen = TensorDict({"observation": torch.zeros(1, 1)}, [1])
        policies = [member(states, i)["train", "params", "actor"] for i in range(n)]
        return torch.stack([networks.distribution(params, seen).probs[0, 1] for params in policies])

    state = strategy.init({"log_rate": torch.tensor(-7.0)})
    for key in random.split(random.key(0), 4):
        k_ask, k_train = random.split(key)
        candidates = strategy.ask(state, k_ask)
        state = strategy.tell(state, candidates, fitness(candidates, k_train))
    assert state["mean", "log_rate"] > -6.0


def test_what_was_found_is_a_policy_as_any_other():
    env = make("Catch-v0", 2)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (4,))
    loop = evolution(env, networks.actor, optim.openai_es(4))
    state, _ = loop.step(loop.init(random.key(0)))

    def act(train, td, explore):
        return networks.act(train["mean"], td, None, explore)

    assert evaluate(env, act, state["train"], random.key(1), 2).shape == (2,)
