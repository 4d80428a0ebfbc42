"""Known answers, the same integers in every mode, independence of streams, and what each draw promises at its edges."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy import stats
from torch.func import vmap

from frl import random

KEY = random.key(0)
INTEGER_DRAWS = {
    "split": lambda key: random.split(key, 3),
    "fold_in": lambda key: random.fold_in(key, 5),
    "bits": lambda key: random.bits((5, 7), key),
    "randint": lambda key: random.randint(-3, 1000, (37,), key),
    "permutation": lambda key: random.permutation(9, key),
    "choice": lambda key: random.choice(10, 33, key),
    "uniform": lambda key: random.uniform((33,), key),
    "uniform float64": lambda key: random.uniform((33,), key, dtype=torch.float64),
    "bernoulli": lambda key: random.bernoulli(0.3, key),
}
FLOAT_DRAWS = {
    "uniform in [-2, 3)": lambda key: random.uniform((33,), key, low=-2.0, high=3.0),
    "normal": lambda key: random.normal((33,), key),
    "categorical": lambda key: random.categorical(torch.arange(24.0).reshape(6, 4) / 24, key),
}
DRAWS = INTEGER_DRAWS | FLOAT_DRAWS


# Known answers: a change of any of these changes every run of every user.


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        (random.key(0), [1709128709, 1423914144]),
        (random.key(-1), [1967457908, 547122525]),
        (random.key(2**63), [1126985858, 220906633]),
        (random.split(KEY), [[1015903356, 73189832], [3356235880, 2741903342]]),
        (random.fold_in(KEY, 2**32 - 1), [155683712, 1773469843]),
        (random.bits(4, KEY), [1932386853, 2011349696, 112143468, 2503538985]),
        (random.bits((2, 2), random.key(1)), [[2563664286, 1116672976], [1794747764, 1494758368]]),
        (random.randint(-5, 5, 8, KEY), [-1, -1, -5, 0, -5, 2, -5, -5]),
        (random.randint(0, 2**32, 3, KEY), [1932386853, 2011349697, 112143468]),
        (random.permutation(8, KEY), [2, 7, 6, 4, 0, 1, 3, 5]),
        (random.choice(10, 5, random.key(7)), [8, 5, 8, 3, 8]),
        (random.uniform(3, KEY) * 2**24, [1932386853 >> 8, 2011349696 >> 8, 112143468 >> 8]),
    ],
)
def test_known_answers(drawn, expected):
    assert drawn.tolist() == expected


MASK = 2**32 - 1


def mixed(x, factor):
    return (x + (x >> 16)) * factor & MASK


def scrambled(x):
    return mixed(mixed(x ^ 0x9E3779B9, 0x21F0AAAD) ^ 0xBB67AE85, 0x735A2D97)


def documented(left, right):
    """Both words of the hash, in Python's integers."""
    x = mixed(left, 0x21F0AAAD)
    y = scrambled(mixed(x ^ right, 0x735A2D97))
    first = (x + y + (y >> 16)) & MASK
    z = scrambled(first)
    return [first, (z + (z >> 16) ^ x) & MASK]


def test_a_word_is_the_documented_hash_of_key_and_counter():
    left, right = KEY.tolist()
    assert random.bits(4, KEY)[3] == documented(left ^ 3, right)[0]


def test_a_derived_key_is_both_words_of_the_hash_of_the_complemented_key_and_number():
    left, right = KEY.tolist()
    assert random.fold_in(KEY, 3).tolist() == documented(left ^ 3, right ^ MASK)


# The same in every mode.


@pytest.mark.parametrize("name", DRAWS)
def test_rows_of_a_batch_of_keys_are_the_draws_of_each_key(name):
    keys = random.split(KEY, 6)
    axis = 1 if name == "split" else 0
    rows = torch.stack([DRAWS[name](k) for k in keys], axis)
    if name == "categorical":
        logits = torch.arange(24.0).reshape(6, 4) / 24
        rows = torch.stack([random.categorical(row, k) for row, k in zip(logits, keys, strict=True)])
    assert torch.equal(DRAWS[name](keys), rows)


@pytest.mark.parametrize("name", DRAWS)
def test_vmap_over_keys_draws_what_each_key_draws(name):
    keys = random.split(KEY, 3)
    assert torch.equal(vmap(DRAWS[name])(keys), torch.stack([DRAWS[name](k) for k in keys]))


def test_key_axes_may_be_several():
    keys = random.split(random.split(KEY, 3), 2)
    assert random.bits((4,), keys).shape == (2, 3, 4)
    assert torch.equal(random.bits((4,), keys)[1, 2], random.bits(4, keys[1, 2]))


def test_vmap_over_seeds_gives_the_keys_of_the_seeds():
    keys = vmap(random.key)(torch.tensor([0, -1, 7]))
    assert torch.equal(keys, torch.stack([random.key(0), random.key(2**64 - 1), random.key(7)]))


@pytest.mark.parametrize("name", DRAWS)
def test_a_compiled_draw_equals_the_eager_one(name):
    compiled = torch.compile(DRAWS[name], backend="aot_eager", fullgraph=True)
    assert torch.equal(compiled(KEY), DRAWS[name](KEY))


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_inductor_draws_the_same_integers():
    def draws(key):
        first, second = random.split(key)
        return random.bits(37, first), random.randint(0, 10, 37, second)

    eager, compiled = draws(KEY), torch.compile(draws, fullgraph=True)(KEY)
    assert all(torch.equal(a, b) for a, b in zip(eager, compiled, strict=True))


def test_another_process_draws_the_same_integers():
    program = "from frl import random as r; k = r.fold_in(r.key(3), 4); print(r.bits(3, k).tolist())"
    environment = os.environ | {"PYTHONHASHSEED": "77", "PYTHONPATH": os.pathsep.join(sys.path)}
    shown = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True, text=True)
    assert shown.stdout.strip() == str(random.bits(3, random.fold_in(random.key(3), 4)).tolist())


def test_drawing_changes_neither_the_key_nor_the_global_generator():
    key, before = KEY.clone(), torch.random.get_rng_state()
    for draw in DRAWS.values():
        draw(key)
    assert torch.equal(key, KEY)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_first_of_more_split_keys_are_the_same_keys():
    assert torch.equal(random.split(KEY, 5)[:2], random.split(KEY, 2))


def test_a_split_key_is_its_number_folded_in():
    assert torch.equal(random.split(KEY, 5), random.fold_in(KEY, torch.arange(5)))


def test_a_longer_draw_begins_with_the_shorter():
    assert torch.equal(random.bits(100, KEY)[:10], random.bits(10, KEY))


def test_more_precision_adds_digits_to_the_same_number():
    fine, coarse = (random.uniform(1000, KEY, dtype=dtype) for dtype in (torch.float64, torch.float32))
    assert torch.equal(torch.floor(fine * 2**24) / 2**24, coarse.double())
    fine, coarse = (random.normal(1000, KEY, dtype=dtype) for dtype in (torch.float64, torch.float32))
    assert torch.allclose(fine.float(), coarse, atol=1e-4)


def test_a_tensor_as_bound_draws_what_the_int_draws():
    assert torch.equal(random.randint(-4, torch.tensor(90), 50, KEY), random.randint(-4, 90, 50, KEY))


# Distributions, with fixed keys: each of these holds or fails for good.

N = 100_000


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("draw", "cdf"), [(random.uniform, "uniform"), (random.normal, "norm")])
def test_floats_follow_their_distribution(draw, cdf, dtype, seed):
    assert stats.kstest(draw((N,), random.key(seed), dtype=dtype).numpy(), cdf).pvalue > 0.001


def test_normals_have_the_moments_and_tails_of_a_normal():
    x = random.normal((10 * N,), random.key(1), dtype=torch.float64)
    assert abs(x.mean()) < 0.004
    assert abs(x.var() - 1) < 0.006
    assert abs((x**4).mean() - 3) < 0.04
    assert 30 < int((x.abs() > 4).sum()) < 100  # 63 expected


@pytest.mark.parametrize("bit", range(32))
def test_each_bit_is_set_half_of_the_time_and_regardless_of_the_one_before(bit):
    ones = (random.bits(N, random.key(2)) >> bit & 1).double()
    assert abs(ones.mean() - 0.5) < 4 * 0.5 / N**0.5
    assert abs(((2 * ones[1:] - 1) * (2 * ones[:-1] - 1)).mean()) < 4 / N**0.5


@pytest.mark.parametrize(
    "words",
    [
        lambda n: random.bits(n, KEY),
        lambda n: random.bits((), random.split(KEY, n)),
        lambda n: random.bits((), random.key(torch.arange(n))),
        lambda n: random.split(KEY, n)[:, 1],
    ],
    ids=["one key", "split keys", "seeds", "second words"],
)
def test_words_repeat_as_often_as_random_words(words):
    drawn = words(2**20)
    repeats = len(drawn) - len(drawn.unique())
    assert (
        128 - 4 * 11.3 < repeats < 128 + 4 * 11.3
    )  # a permutation of the counter would give 0, two hashes in a row 256


@pytest.mark.parametrize(("low", "high"), [(0, 2), (-3, 7), (0, 1000), (-(2**31), 2**31)])
def test_integers_are_uniform_between_their_bounds(low, high):
    x = random.randint(low, high, (N,), random.key(4))
    assert low <= x.min() <= x.max() < high
    cells = min(high - low, 100)
    counts = torch.bincount((x - low) * cells // (high - low), minlength=cells)
    assert stats.chisquare(counts.numpy()).pvalue > 0.001


def test_a_span_of_three_quarters_of_the_words_has_no_bias():
    span = 3 * 2**30
    halves = (random.randint(0, span, (N,), random.key(5)) >= span // 2).double()
    thirds = (random.randint(0, span, (N,), random.key(5)) % 3).double()
    assert abs(halves.mean() - 0.5) < 4 * 0.5 / N**0.5
    assert abs(thirds.mean() - 1) < 4 * 0.82 / N**0.5


def test_permutations_are_equally_likely():
    orders = random.permutation(4, random.split(random.key(6), 24_000))
    counts = torch.unique(orders @ torch.tensor([64, 16, 4, 1]), return_counts=True)[1]
    assert len(counts) == 24
    assert stats.chisquare(counts.numpy()).pvalue > 0.001


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_categories_come_with_their_probabilities_and_never_at_probability_zero(dtype):
    p = torch.tensor([0.1, 0.0, 0.6, 0.29, 0.0, 0.01])
    logits = (p.log() + 3).to(dtype)
    counts = torch.bincount(random.categorical(logits.expand(N, 6), random.key(7)), minlength=6)
    assert counts[1] == counts[4] == 0
    expected = N * torch.softmax(logits.double(), -1)[p > 0]
    assert stats.chisquare(counts[p > 0].numpy(), expected.numpy()).pvalue > 0.001


def test_rare_categories_come_as_often_as_they_should():
    logits = torch.tensor([0.0, np.log(1e-4)]).expand(20 * N, 2)
    assert 140 < int(random.categorical(logits, random.key(8)).sum()) < 260  # 200 expected


def test_the_only_possible_category_is_drawn():
    logits = torch.full((N, 3), -torch.inf).index_fill(1, torch.tensor([1]), -50.0)
    assert bool((random.categorical(logits, KEY) == 1).all())


def test_coins_land_with_their_probability_and_surely_at_zero_and_one():
    p = torch.tensor([0.0, 0.25, 1.0]).expand(N, 3)
    rate = random.bernoulli(p, random.key(9)).double().mean(0)
    assert rate[0] == 0
    assert rate[2] == 1
    assert abs(rate[1] - 0.25) < 4 * 0.433 / N**0.5


def test_normals_are_finite_at_the_ends_of_the_words(monkeypatch):
    ends = torch.tensor([0, 1, 2**32 - 1])
    monkeypatch.setattr(random, "_pair", lambda *_: (ends[:, None].expand(3, 3), ends.expand(3, 3)))
    for dtype in (torch.float32, torch.float64):
        x = random.normal((3, 3), KEY, dtype=dtype)
        assert bool(x.isfinite().all())
        assert 6.66 < x.max() < 6.67


def test_categories_are_possible_ones_at_the_ends_of_the_words(monkeypatch):
    monkeypatch.setattr(random, "bits", lambda shape, key: torch.tensor([2**32 - 1, 0, 2**32 - 1]))
    logits = torch.tensor([-torch.inf, -torch.inf, 0.0])
    assert random.categorical(logits, KEY) == 2


# Independence of streams.


def correlations(streams):
    """Off-diagonal Pearson correlations of rows, in standard deviations."""
    n = streams.shape[1]
    r = np.corrcoef(streams.numpy())[np.triu_indices(len(streams), 1)]
    return np.abs(r) * n**0.5


@pytest.mark.parametrize(
    "keys",
    [
        random.split(KEY, 64),
        random.fold_in(KEY, torch.arange(1000, 1064)),
        random.key(torch.arange(64)),
        random.key(torch.arange(64) << 32),
        random.split(random.split(KEY, 8), 8).reshape(64, 2),
        torch.stack((torch.full((64,), 5), torch.arange(64)), -1),
        torch.stack((KEY[0].expand(32), KEY[1] ^ (1 << torch.arange(32))), -1),
    ],
    ids=["split", "fold_in", "seeds", "high seeds", "split twice", "raw words", "one bit apart"],
)
def test_streams_of_related_keys_are_uncorrelated(keys):
    assert correlations(random.uniform((20_000,), keys, dtype=torch.float64)).max() < 4.8


def test_a_stream_is_uncorrelated_with_its_own_later_part():
    u = random.uniform((40_064,), random.key(10), dtype=torch.float64).numpy() - 0.5
    lags = [12 * np.mean(u[:40_000] * u[lag : lag + 40_000]) * 200 for lag in range(1, 65)]
    assert np.abs(lags).max() < 4


def test_the_first_words_of_successive_keys_are_uniform():
    for keys in (random.split(KEY, N), random.key(torch.arange(N)), random.fold_in(random.split(KEY, N), 0)):
        first = random.uniform((), keys)
        assert stats.kstest(first.numpy(), "uniform").pvalue > 0.001
        assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 4 / N**0.5


def test_a_million_derived_keys_differ():
    for keys in (random.split(KEY, 2**20), random.key(torch.arange(-(2**19), 2**19))):
        assert len((keys[:, 0] << 31 ^ keys[:, 1]).unique()) == 2**20


# Errors.


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: random.uniform((3,)), TypeError, "'key'"),
        (
            lambda: random.uniform((3,), None),
            TypeError,
            r"uniform: key= .* got None; make one with frl.random.key\(0\)",
        ),
        (lambda: random.split(0), TypeError, r"split: key= .* got 0; make one"),
        (lambda: random.bits(3, torch.Generator()), TypeError, r"bits: key= .*Generator.* make one"),
        (lambda: random.normal(3, torch.zeros(2)), TypeError, r"normal: key= .* got torch.float32; make one"),
        (lambda: random.fold_in(torch.tensor([1, 2, 3]), 0), ValueError, r"fold_in: key= .* got \[3\]; make one"),
        (lambda: random.bits(3, torch.tensor(3)), ValueError, r"bits: key= .* got \[\]; make one"),
        (lambda: random.key(0.5), TypeError, "key: seed must be an int"),
        (lambda: random.key(2**64), ValueError, r"key: seed must lie in \[-2\*\*63, 2\*\*64\), but got"),
        (lambda: random.key(torch.tensor(0.5)), TypeError, "key: seed must be .* torch.float32"),
        (lambda: random.split(KEY, -1), ValueError, "split: num must be at least 0, but got -1"),
        (lambda: random.fold_in(KEY, -1), ValueError, r"fold_in: data must lie in \[0, 2\*\*32\), but got -1"),
        (lambda: random.fold_in(KEY, 1.5), TypeError, "fold_in: data must be an int"),
        (lambda: random.bits((2**17, 2**16), KEY), ValueError, "more than 2\\*\\*32 elements"),
        (lambda: random.uniform(3, KEY, dtype=torch.int64), TypeError, "uniform: dtype must be one of"),
        (lambda: random.normal(3, KEY, dtype=torch.bool), TypeError, "normal: dtype must be one of"),
        (lambda: random.randint(3, 3, 1, KEY), ValueError, r"randint: .* got \[3, 3\)"),
        (lambda: random.randint(0, 2**32 + 1, 1, KEY), ValueError, "randint: .* 1 to 2\\*\\*32 integers"),
        (lambda: random.randint(0, 2.5, 1, KEY), TypeError, "randint: high must be an int"),
        (lambda: random.choice(0, 1, KEY), ValueError, "choice: n is 0 but must be from 1"),
        (lambda: random.rows(random.split(KEY), (3, 2)), ValueError, r"rows: shape \[3, 2\] must begin with .* \[2\]"),
        (lambda: random.bernoulli(torch.ones(3), random.split(KEY, 2)), ValueError, r"bernoulli: shape \[3\] .* \[2\]"),
        (lambda: random.categorical(torch.ones(3, 4), random.split(KEY)), ValueError, r"categorical: .* of key="),
        (lambda: random.categorical(torch.ones(3, dtype=torch.int64), KEY), TypeError, "logits must be floating"),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_rows_have_keys_of_their_own_and_a_row_the_same_from_its_own_key():
    whole = random.rows(KEY, (3, 2), 4)
    assert len({tuple(k) for each in whole for k in each.reshape(-1, 2).tolist()}) == 24
    keys = random.split(KEY, 3)
    assert all(
        bool((x[1] == y).all())
        for x, y in zip(random.rows(keys, (3, 2), 4), random.rows(keys[1], (2,), 4), strict=True)
    )
