"""What holds for every algorithm that learns from replay; a new one is one row of `registry.py`."""

import pytest
import torch
from torch.testing import assert_close

from frl import TensorDict, algorithms, compilation, random, tree
from frl.collectors import collect, start
from frl.replay import uniform
from frl.training import off_policy
from tests.algorithms.registry import CASES, parts
from tests.purity import Purity

every = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
KEY = random.key(0)


def steps(env, algorithm, train):
    """Eight steps of `env`, [8]."""
    return collect(env, algorithm.act, train, start(env, random.key(1)), random.key(2), 4)[1].flatten()


def test_every_algorithm_that_learns_from_replay_has_a_row():
    learnt = {"dqn", "bootstrapped_dqn", "ddpg", "td3", "sac", "redq", "model_based"}
    assert learnt <= set(vars(algorithms))
    assert {case.name.split()[-1].lower() for case in CASES} == learnt


@every
def test_an_update_and_an_action_write_into_nothing_and_depend_on_their_arguments_alone(case):
    env, algorithm = parts(case)
    train = algorithm.init(KEY)
    batch = steps(env, algorithm, train)
    with Purity(train, batch, KEY):
        first, second = algorithm.update(train, batch, KEY), algorithm.update(train, batch, KEY)
        algorithm.act(train, batch, KEY)
    for x, y in zip(tree.leaves(first), tree.leaves(second), strict=True):
        assert torch.equal(x, y)


@every
def test_an_update_vmapped_over_members_is_that_of_each(case):
    env, algorithm = parts(case)
    keys = random.split(KEY)
    trains = torch.vmap(algorithm.init)(keys)
    batch = steps(env, algorithm, algorithm.init(KEY))
    together = torch.vmap(algorithm.update, (0, None, 0))(trains, batch, keys)
    alone = algorithm.update(tree.map(lambda x: x[1], trains), batch, keys[1])
    for x, y in zip(tree.leaves(together), tree.leaves(alone), strict=True):
        assert_close(x[1], y, atol=1e-5, rtol=1e-4)


@every
def test_an_update_has_a_gradient_for_its_learning_rate_and_its_discount(case):
    env, algorithm = parts(case)
    train = tree.map(lambda x: x.double() if x.is_floating_point() else x, algorithm.init(KEY))
    batch = tree.map(lambda x: x.double() if x.is_floating_point() else x, steps(env, algorithm, algorithm.init(KEY)))

    def after_two(name, value):
        state = train.set(("hyper", name), value)
        for key in random.split(KEY):
            state, _ = algorithm.update(state, batch, key)
        return sum(x.square().sum() for x in tree.leaves(state["params"]) if x.is_floating_point())

    for name in ("learning_rate", "gamma"):
        value = train["hyper", name]
        slope = torch.func.grad(lambda x, name=name: after_two(name, x))(value)
        e = 1e-6 * value
        numeric = (after_two(name, value + e) - after_two(name, value - e)) / (2 * e)
        assert slope.isfinite()
        assert slope != 0
        assert_close(slope, numeric, rtol=1e-3, atol=1e-6)


@every
@pytest.mark.usefixtures("traced_graphs")
def test_the_traced_step_of_its_loop_is_the_eager_one(case):
    env, algorithm = parts(case)
    loop = off_policy(env, algorithm, uniform(16, 4), 4, 2)
    state = loop.init(KEY)
    eager, traced = loop.step(state), compilation.compile(loop.step)(state)
    for (name, x), (_, y) in zip(tree.named_leaves(eager), tree.named_leaves(traced), strict=True):
        assert_close(y, x, rtol=1e-4, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}")


@every
def test_metrics_are_numbers_and_the_errors_of_the_batch(case):
    env, algorithm = parts(case)
    train = algorithm.init(KEY)
    _, metrics = algorithm.update(train, steps(env, algorithm, train), KEY)
    if case.name != "model_based":  # which sets no priorities
        assert metrics["td_error"].shape == (8,)
    assert all(x.shape == () for x in metrics.exclude("td_error").values())
    assert isinstance(metrics, TensorDict)
