"""Evolution strategies: ranks, pairs and estimates by hand, and the laws of pure functions."""

import pytest
import torch
from torch.testing import assert_close

from frl import optim, random, tree
from frl.optim import centred_ranks, openai_es, pgpe
from tests.purity import Purity
from tests.traced import traced

STRATEGIES = {
    "openai_es": lambda n, **settings: openai_es(n, **settings),
    "openai_es sgd": lambda n, **settings: openai_es(n, optimizer=lambda rate: optim.sgd(rate, momentum=0.5)),
    "pgpe": lambda n, **settings: pgpe(n, **settings),
    "pgpe clipped": lambda n, **settings: pgpe(
        n, optimizer=lambda rate: optim.chain(optim.clip_by_global_norm(1.0), optim.rmsprop(rate))
    ),
}
every = pytest.mark.parametrize("make", STRATEGIES.values(), ids=STRATEGIES.keys())


def params():
    return {"w": torch.tensor([[1.0, 2.0], [3.0, 4.0]]), "b": torch.tensor(-1.0)}


def generation(strategy, state, key):
    """One ask and tell, where the best parameters are zero."""
    candidates = strategy.ask(state, key)
    fitness = -candidates["w"].square().sum((1, 2)) - candidates["b"].square()
    return strategy.tell(state, candidates, fitness)


def test_ranks_are_centred_whatever_the_scale():
    assert centred_ranks(torch.tensor([3.0, -1e30, 7.0])).tolist() == [0.0, -0.5, 0.5]


def test_equal_fitness_shares_its_rank():
    assert centred_ranks(torch.tensor([1.0, 1.0, 0.0, 2.0, 2.0])).tolist() == [-0.125, -0.125, -0.5, 0.375, 0.375]
    assert centred_ranks(torch.ones(4)).tolist() == [0.0] * 4


def test_a_fitness_that_is_no_number_is_the_worst():
    assert centred_ranks(torch.tensor([torch.nan, -1e30, 5.0])).tolist() == [-0.5, 0.0, 0.5]


@every
def test_candidates_are_pairs_of_mirror_images(make):
    strategy = make(6)
    candidates = strategy.ask(strategy.init(params()), random.key(0))
    assert candidates["w"].shape == (6, 2, 2)
    assert candidates["b"].shape == (6,)
    plus, minus = candidates["w"].chunk(2)
    assert_close((plus + minus) / 2, params()["w"].expand(3, 2, 2))
    assert (plus - minus).abs().min() > 0
    assert not torch.equal(plus[0], plus[1])


@every
def test_where_all_are_equally_fit_the_mean_stays(make):
    strategy = make(4)
    state = strategy.init(params())
    after = strategy.tell(state, strategy.ask(state, random.key(0)), torch.full((4,), 7.0))
    for x, y in zip(tree.leaves(after["mean"]), tree.leaves(state["mean"]), strict=True):
        assert torch.equal(x, y)


def test_the_step_of_openai_es_by_hand():
    strategy = openai_es(4, learning_rate=1.0, sigma=0.5, optimizer=optim.sgd)
    state = strategy.init({"x": torch.tensor([0.0, 0.0])})
    candidates = {"x": torch.tensor([[0.5, 0.0], [0.0, 1.0], [-0.5, 0.0], [0.0, -1.0]])}
    # ranks 1/2, 1/6, -1/6, -1/2: (1/2 + 1/6)·(0.5, 0) + (1/6 + 1/2)·(0, 1), over 4 σ²
    after = strategy.tell(state, candidates, torch.tensor([4.0, 3.0, 2.0, 1.0]))
    assert_close(after["mean", "x"], torch.tensor([1 / 3, 2 / 3]))


def test_the_step_of_pgpe_by_hand():
    strategy = pgpe(4, learning_rate=1.0, sigma=0.5, sigma_rate=0.3, optimizer=optim.sgd)
    state = strategy.init({"x": torch.tensor([0.0, 0.0])})
    candidates = {"x": torch.tensor([[0.5, 0.0], [0.0, 1.0], [-0.5, 0.0], [0.0, -1.0]])}
    after = strategy.tell(state, candidates, torch.tensor([4.0, 2.0, 3.0, 1.0]))  # ranks 1/2, -1/6, 1/6, -1/2
    assert_close(after["mean", "x"], torch.tensor([1 / 24, 1 / 12]))  # the mean of 1/6·(0.5, 0) and 1/6·(0, 1)
    # pairs are worth 1/3 and -1/3; ε²/σ² - 1 is (0, -1) and (-1, 3): means (1/6, -2/3), times 0.3, at most 1/5
    assert_close(after["sigma", "x"], torch.tensor([0.5 * 1.05, 0.5 * 0.8]))


def test_the_estimate_of_openai_es_converges_to_the_direction_of_the_gradient():
    strategy = openai_es(2_000, learning_rate=1.0, sigma=0.01, optimizer=optim.sgd)
    state = strategy.init({"x": torch.tensor([1.0, -2.0, 3.0])})
    candidates = strategy.ask(state, random.key(0))
    ascent = strategy.tell(state, candidates, -candidates["x"].square().sum(-1))["mean", "x"] - state["mean", "x"]
    gradient = -2 * state["mean", "x"]
    assert torch.cosine_similarity(ascent, gradient, 0) > 0.99


@every
def test_a_quadratic_is_solved(make):
    strategy = make(40)
    state = strategy.init({"w": torch.full((2, 2), 0.4), "b": torch.tensor(-0.3)})
    state = state.set(("hyper", "learning_rate"), torch.tensor(0.02))
    for key in random.split(random.key(1), 150):
        state = generation(strategy, state, key)
    assert max(x.abs().max() for x in tree.leaves(state["mean"])) < 0.05


def test_pgpe_searches_less_widely_the_nearer_it_is():
    strategy = pgpe(40)
    state = strategy.init({"w": torch.zeros(2, 2), "b": torch.tensor(0.0)})
    for key in random.split(random.key(1), 60):
        state = generation(strategy, state, key)
    assert state["sigma", "w"].max() < 0.05
    assert state["sigma", "w"].min() > 0


@every
def test_vmap_equals_the_loop(make):
    strategy, keys = make(4), random.split(random.key(0), 3)
    state = strategy.init(params())
    together = torch.vmap(lambda key: generation(strategy, state, key))(keys)
    for i, key in enumerate(keys):
        alone = generation(strategy, state, key)
        for x, y in zip(tree.leaves(together), tree.leaves(alone), strict=True):
            assert_close(x[i], y, atol=1e-6, rtol=1e-5)


@every
def test_traced_equals_eager(make):
    strategy = make(4)
    state = strategy.init(params())

    def step(state, key):
        return generation(strategy, state, key)

    for x, y in zip(*(tree.leaves(f(state, random.key(3))) for f in (traced(step), step)), strict=True):
        assert_close(x, y, atol=1e-6, rtol=1e-5)


@every
def test_a_generation_writes_into_none_of_its_inputs(make):
    strategy = make(4)
    state = strategy.init(params())
    candidates, fitness = strategy.ask(state, random.key(0)), torch.arange(4.0)
    with Purity(state, candidates, fitness):
        strategy.ask(state, random.key(0))
        strategy.tell(state, candidates, fitness)


@every
def test_parameters_keep_their_dtype(make):
    strategy = make(4)
    state = strategy.init(tree.cast(params(), torch.float64))
    after = generation(strategy, state, random.key(0))
    assert {x.dtype for x in tree.leaves(after["mean"])} == {torch.float64}
