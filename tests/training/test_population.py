"""Populations: over seeds and hyperparameters, in chunks, and a member taken out."""

import pytest
import torch

from frl import TensorDict, random, tree
from frl.algorithms import DQNConfig, PPOConfig, actor_critic, dqn, ppo, q_network
from frl.compilation import compile
from frl.envs import make
from frl.replay import uniform
from frl.training import grid, member, off_policy, on_policy, population, vary

RATES = [1e-3, 1e-2, 1e-3, 1e-2]


def small_loop(learning_rate: float = 1e-3):
    env = make("CartPole-v1", 2)
    config = PPOConfig(num_epochs=2, num_minibatches=2, learning_rate=learning_rate)
    return on_policy(env, ppo(actor_critic(env.single_observation_spec, env.single_action_spec, (8,)), config), 4)


def equal(x: TensorDict, y: TensorDict) -> bool:
    return all(torch.equal(a, b) for a, b in zip(tree.leaves(x), tree.leaves(y), strict=True))


def run(step, state: TensorDict, count: int = 2) -> TensorDict:
    for _ in range(count):
        state, _ = step(state)
    return state


def test_a_member_of_an_eager_population_is_bitwise_the_run_of_its_key_alone():
    loop, keys = small_loop(), random.split(random.key(3), 3)
    many = population(loop, 3)
    states = run(many.step, many.init(keys))
    assert equal(member(states, 1), run(loop.step, loop.init(keys[1])))


def test_a_member_with_another_learning_rate_is_the_run_configured_so():
    many, keys = population(small_loop(), 2), random.split(random.key(0), 2)
    states = run(many.step, vary(many.init(keys), {"learning_rate": [1e-3, 1e-2]}))
    other = small_loop(learning_rate=1e-2)
    assert equal(member(states, 1), run(other.step, other.init(keys[1])))


def test_a_member_goes_on_alone():
    loop = small_loop()
    many = population(loop, 2)
    states = many.init(random.split(random.key(0), 2))
    alone = run(loop.step, member(run(many.step, states, 1), 0), 1)
    assert equal(alone, member(run(many.step, states, 2), 0))


@pytest.mark.usefixtures("traced_graphs")
@pytest.mark.parametrize("chunk", [None, 1, 2, 4])
def test_a_compiled_population_in_chunks_is_that_of_all_at_once(chunk):
    loop = population(small_loop(), 4, chunk)
    states = vary(loop.init(random.split(random.key(0), 4)), {"learning_rate": RATES})
    expected, eager = population(small_loop(), 4).step(states)
    found, traced = compile(loop.step)(states)
    for x, y in zip(tree.leaves((expected, eager)), tree.leaves((found, traced)), strict=True):
        torch.testing.assert_close(x, y, rtol=1e-4, atol=1e-5)


def test_every_hyperparameter_of_an_off_policy_algorithm_may_differ_too():
    env = make("CartPole-v1", 2)
    algorithm = dqn(q_network(env.single_observation_spec, env.single_action_spec, (8,)), DQNConfig(epsilon_start=0.0))
    many = population(off_policy(env, algorithm, uniform(capacity=20, batch_size=4), 4, 1), 2)
    states = many.init(random.key(torch.tensor([5, 5])))  # one seed twice
    states = run(many.step, vary(states, {"gamma": [0.5, 1.0]}))
    first, second = member(states, 0), member(states, 1)
    assert torch.equal(first["key"], second["key"])
    assert not equal(first["train", "params"], second["train", "params"])


def test_a_grid_has_every_combination_with_every_seed():
    values, seeds = grid({"gamma": [0.9, 0.99], "learning_rate": [1.0, 2.0, 3.0]}, num_seeds=2)
    members = list(zip(values["gamma"].tolist(), values["learning_rate"].tolist(), seeds.tolist(), strict=True))
    assert len(set(members)) == len(members) == 12
    assert seeds.tolist() == [0, 1] * 6
    assert values["learning_rate"].tolist() == [1, 1, 2, 2, 3, 3] * 2


def test_without_values_a_grid_is_the_seeds():
    values, seeds = grid({}, num_seeds=3)
    assert (values, seeds.tolist()) == ({}, [0, 1, 2])
