"""What holds for the update of every algorithm of the registry in `test_base.py`; a new algorithm is one row there."""

import pytest
import torch
from torch.testing import assert_close

from frl import random, tree
from tests.algorithms.test_base import ALGORITHMS, experience, world
from tests.purity import Purity
from tests.traced import traced

every = pytest.mark.parametrize("make", ALGORITHMS.values(), ids=ALGORITHMS.keys())
ON_POLICY = [f"{memory}{name}" for memory in ("", "recurrent_") for name in ("ppo", "ppo_penalty", "a2c", "reinforce")]


def given(make):
    env = world(make)
    algorithm = make(env)
    return algorithm, *experience(env, algorithm)


def same(found, expected, **tolerance):
    for (name, x), (_, y) in zip(tree.named_leaves(found), tree.named_leaves(expected), strict=True):
        assert_close(x, y, msg=lambda text, name=name: f"{name}: {text}", **tolerance)


@every
def test_vmap_equals_the_loop(make):
    algorithm, _, batch = given(make)
    keys = random.split(random.key(5), 3)
    train = [algorithm.init(key) for key in keys]
    together = torch.vmap(algorithm.update, (0, None, 0))(tree.stack(train), batch, keys)
    for i, key in enumerate(keys):
        alone = algorithm.update(train[i], batch, key)
        same(tree.map(lambda x, i=i: x[i], together), alone, atol=1e-4, rtol=1e-4)


@every
def test_traced_equals_eager(make):
    algorithm, train, batch = given(make)
    found, expected = (f(train, batch, random.key(3)) for f in (traced(algorithm.update), algorithm.update))
    same(found, expected, atol=1e-4, rtol=1e-4)


@every
def test_neither_acting_nor_learning_writes_into_its_inputs(make):
    env = world(make)
    algorithm, train, batch = given(make)
    td = env.reset(random.key(1))
    with Purity(train, batch, td):
        algorithm.act(train, td, random.key(2))
        algorithm.update(train, batch, random.key(3))


@pytest.mark.parametrize("name", ON_POLICY)
def test_an_update_has_a_gradient_for_the_discount(name):
    algorithm, train, batch = given(ALGORITHMS[name])
    batch = batch.set(("next", "terminated"), torch.zeros_like(batch["next", "terminated"]))  # else nothing follows

    def moved(gamma: torch.Tensor) -> torch.Tensor:
        after, _ = algorithm.update(train.set(("hyper", "gamma"), gamma), batch, random.key(3))
        flat: torch.Tensor = tree.ravel(after["params", "actor"])[0]
        return flat @ torch.arange(1.0, len(flat) + 1)

    gradient = torch.func.grad(moved)(torch.tensor(0.9))
    assert gradient.isfinite()
    assert gradient != 0
