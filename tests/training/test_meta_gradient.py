"""Meta-gradients: against finite differences, by their laws, and where the right discount is known."""

from typing import Any

import pytest
import torch
from torch.testing import assert_close

from frl import TensorDict, optim, random, tree
from frl.algorithms import A2CConfig, PPOConfig, a2c, actor_critic, ppo
from frl.collectors import collect, start
from frl.envs import FunctionalEnv, make, probes
from frl.training import meta_gradient, on_policy, policy_gradient_reference, population, vary
from frl.training.meta_gradient import gradient_through
from tests.purity import Purity
from tests.traced import traced


class Patience(probes.Probe):
    """The first of two actions takes 0.5 now, or 1 with the second step; the observation is the step."""

    def transition(self, state: torch.Tensor, action: torch.Tensor, rng: torch.Tensor, params: Any = None):
        waits = torch.where(state[..., 1] == 0, action.to(torch.float32), state[..., 0])
        return torch.stack([waits, state[..., 1] + 1], -1)

    def observation(self, state: torch.Tensor, rng: torch.Tensor, params: Any = None):
        return state[..., 1:]

    def reward(self, state, action, next_state, rng, params: Any = None):
        return torch.where(next_state[..., 1] == 1, 0.5 * (1 - next_state[..., 0]), next_state[..., 0])

    def terminal(self, state: torch.Tensor, rng: torch.Tensor, params: Any = None):
        return state[..., 1] >= 2


def parts(env, algorithm=a2c, **settings):
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (4,))
    config = {a2c: A2CConfig, ppo: PPOConfig}[algorithm](**settings)
    return networks, algorithm(networks, config)


def small_loop(rate: float = 0.1, algorithm=a2c, **settings):
    """Two updates of four steps of two environments to a meta-gradient, by which γ and λ move."""
    env = make("CartPole-v1", 2)
    networks, learner = parts(env, algorithm, lambda_=0.9, **settings)
    return meta_gradient(env, learner, policy_gradient_reference(networks), 4, 2, optimizer=optim.adam(rate))


def same(found, expected, tolerance=1e-4):
    for (name, x), (_, y) in zip(tree.named_leaves(found), tree.named_leaves(expected), strict=True):
        assert_close(x, y, atol=tolerance, rtol=tolerance, msg=lambda text, name=name: f"{name}: {text}")


def history(algorithm, networks, num_updates: int):
    """In float64: what `num_updates` updates were given, the state after them, and a reference loss of a batch."""
    env = make("CartPole-v1", 3)
    train, runner = algorithm.init(random.key(0)), start(env, random.key(1))
    keys, given = random.split(random.key(2), num_updates + 3), []
    for key in keys[:2]:  # Adam's first steps are all of one size
        runner, batch = collect(env, algorithm.act, train, runner, key, 5)
        train = algorithm.update(train, batch, key)[0]
    train = tree.cast(train, torch.float64)
    for key in keys[2:-1]:
        batch = tree.cast(
            collect(env, algorithm.act, tree.cast(train, torch.float32), runner, key, 5)[1], torch.float64
        )
        given.append((train, batch, key))
        train = algorithm.update(train, batch, key)[0]
    reference = policy_gradient_reference(networks)
    own = tree.cast(reference.init(keys[-1]), torch.float64)
    last = given[0][1]
    return given, train, lambda params: reference.loss(own, params, last)


@pytest.mark.parametrize(
    ("algorithm", "settings"),
    [(a2c, {"lambda_": 0.9}), (ppo, {"num_epochs": 2, "num_minibatches": 3, "clip": 10.0})],
    ids=["a2c", "ppo"],
)
def test_the_gradient_through_two_updates_is_that_of_finite_differences(algorithm, settings):
    env = make("CartPole-v1", 3)
    networks, learner = parts(env, algorithm, **settings)
    given, last, loss = history(learner, networks, 2)
    trains, batches, keys = (tree.stack(each) for each in zip(*given, strict=True))
    grads = torch.func.grad(loss)(last["params"])
    found = gradient_through(learner.update, trains, batches, keys, last, grads)["hyper"]

    def after(name, change):
        train = given[0][0]
        train = train.set(("hyper", name), train["hyper", name] + change)
        for _, batch, key in given:
            train = learner.update(train, batch, key)[0]
        return loss(train["params"])

    for name in ("gamma", "lambda_", "learning_rate", "entropy_cost"):
        expected = (after(name, 1e-6) - after(name, -1e-6)) / 2e-6
        assert expected != 0
        assert_close(found[name], expected, rtol=1e-4, atol=1e-9, msg=lambda text, name=name: f"{name}: {text}")


def test_it_is_the_gradient_of_the_composed_updates():
    networks, learner = parts(make("CartPole-v1", 3))
    given, last, loss = history(learner, networks, 3)
    trains, batches, keys = (tree.stack(each) for each in zip(*given, strict=True))

    def composed(hyper):
        train = given[0][0].set("hyper", hyper)
        for _, batch, key in given:
            train = learner.update(train, batch, key)[0]
        return loss(train["params"])

    grads = torch.func.grad(loss)(last["params"])
    found = gradient_through(learner.update, trains, batches, keys, last, grads)["hyper"]
    same(found, torch.func.grad(composed)(given[0][0]["hyper"]), 1e-10)


def test_a_discount_that_is_too_low_rises_where_patience_pays():
    env = FunctionalEnv(Patience(), 16)
    networks, learner = parts(env, learning_rate=0.01, entropy_cost=0.0)
    reference = policy_gradient_reference(networks, gamma=1.0, learning_rate=0.03)
    loop = population(meta_gradient(env, learner, reference, 2, 2, ("gamma",), optim.adam(0.3)), 1)
    states = vary(loop.init(random.key(0).unsqueeze(0)), {"gamma": [0.2]})
    for _ in range(15):
        states, metrics = loop.step(states)
    assert metrics["gamma"] > 0.5
    assert torch.equal(metrics["gamma"], states["train", "hyper", "gamma"])


def test_with_an_optimiser_that_stands_still_it_is_the_on_policy_loop():
    loop, env = small_loop(0.0), make("CartPole-v1", 2)
    _, learner = parts(env, lambda_=0.9)
    plain = on_policy(env, learner, 4)
    state, expected = loop.init(random.key(0)), plain.init(random.key(0))
    for _ in range(2):
        state, metrics = loop.step(state)
        for _ in range(3):
            expected, plain_metrics = plain.step(expected)
    same(state.exclude("meta", "stats"), expected.exclude("stats"), 1e-5)  # γ goes through its logit and back
    same(metrics.select("loss_objective"), plain_metrics.select("loss_objective"), 1e-5)
    assert torch.equal(state["key"], expected["key"])


def test_hyperparameters_stay_within_their_bounds_and_others_stay_as_they_are():
    loop = small_loop(1e9)  # far beyond them
    state = loop.init(random.key(0))
    for _ in range(3):
        state, _ = loop.step(state)
    hyper = state["train", "hyper"]
    assert 0 <= hyper["gamma"] <= 1
    assert 0 <= hyper["lambda_"] <= 1
    assert torch.equal(hyper["value_cost"], torch.tensor(0.5))


def test_a_learning_rate_is_learned_in_its_logarithm():
    env = make("CartPole-v1", 2)
    networks, learner = parts(env, learning_rate=1e-3)
    reference = policy_gradient_reference(networks)
    loop = meta_gradient(env, learner, reference, 4, 2, ["learning_rate"], optim.adam(0.1))
    state, metrics = loop.step(loop.init(random.key(0)))
    change = torch.log(state["train", "hyper", "learning_rate"] / 1e-3)
    assert_close(change.abs(), torch.tensor(0.1), rtol=1e-3, atol=0.0)  # Adam's first step
    assert_close(metrics["learning_rate"], state["train", "hyper", "learning_rate"])


def test_vmap_equals_the_loop():
    loop = small_loop()
    states = [loop.init(key) for key in random.split(random.key(0))]
    together = torch.vmap(loop.step)(tree.stack(states))[0]
    same(together, tree.stack([loop.step(state)[0] for state in states]))


@pytest.mark.parametrize(
    ("algorithm", "settings"), [(a2c, {}), (ppo, {"num_epochs": 1, "num_minibatches": 2})], ids=["a2c", "ppo"]
)
def test_the_traced_step_is_the_eager_one(algorithm, settings):
    loop = small_loop(0.1, algorithm, **settings)
    state = loop.init(random.key(0))
    same(traced(loop.step)(state), loop.step(state))


def test_a_step_writes_into_no_input():
    loop = small_loop()
    state = loop.init(random.key(0))
    with Purity(state):
        loop.step(state)


def test_the_reference_learns_values_of_its_own_discount():
    env = FunctionalEnv(probes.LateReward(), 4)
    networks, learner = parts(env)
    reference = policy_gradient_reference(networks, gamma=0.5, learning_rate=0.05)
    train, own = learner.init(random.key(0)), reference.init(random.key(1))
    _, batch = collect(env, learner.act, train, start(env, random.key(2)), random.key(3), 4)
    for _ in range(200):
        own = reference.update(own, batch)
    seen = TensorDict({"observation": torch.tensor([[0.0], [1.0]])}, [2])
    assert_close(networks.value(own["critic"], seen), torch.tensor([0.5, 1.0]), atol=0.05, rtol=0.0)
