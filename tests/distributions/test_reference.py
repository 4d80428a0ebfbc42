"""Agreement with torch.distributions, with integrals, and of samples with the distribution function."""

import itertools

import numpy as np
import pytest
import scipy.stats
import torch
import torch.distributions as td
from torch.testing import assert_close

from frl import distributions as D
from frl import random
from tests.distributions.registry import CASES, make

key = random.key(11)
referenced = pytest.mark.parametrize("case", [c for c in CASES if c.reference], ids=lambda case: case.name)


def reference(case, seed=0, batch=(3,)):
    return case.reference(**case.parameters(random.key(seed), batch, torch.float64))


@referenced
def test_log_prob_is_that_of_torch(case):
    distribution = make(case, batch=(50,))
    x = distribution.sample(key)
    assert_close(distribution.log_prob(x), reference(case, batch=(50,)).log_prob(x), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("case", "name"),
    [(c, n) for c in CASES if c.reference for n in ("entropy", "mean", "stddev", "probs") if n in c.methods],
    ids=lambda x: x if isinstance(x, str) else x.name,
)
def test_entropy_and_moments_are_those_of_torch(case, name):
    mine, theirs = getattr(make(case), name), getattr(reference(case), name)
    mine, theirs = (x() if callable(x) else x for x in (mine, theirs))
    assert_close(mine, theirs.to(mine.dtype), rtol=1e-12, atol=1e-12)


@referenced
def test_the_divergence_is_that_of_torch(case):
    p, q = make(case, 0), make(case, 1)
    if case.name == "CompositeDistribution":
        p_parts, q_parts = reference(case, 0), reference(case, 1)
        expected = sum(td.kl_divergence(getattr(p_parts, x), getattr(q_parts, x)) for x in ("gear", "torque"))
    elif isinstance(p, (D.MultiCategorical, D.MultiOneHotCategorical)):
        parts = zip(reference(case, 0).parts, reference(case, 1).parts, strict=True)
        expected = sum(td.kl_divergence(*pair) for pair in parts)
    elif case.name == "TanhNormal":
        expected = td.kl_divergence(td.Normal(p.loc, p.scale), td.Normal(q.loc, q.scale)).sum(-1)
    else:
        expected = td.kl_divergence(reference(case, 0), reference(case, 1))
    assert_close(D.kl_divergence(p, q), expected, rtol=1e-12, atol=1e-12)


def test_the_divergence_of_squashed_normals_is_the_mean_log_ratio():
    p, q = (D.TanhNormal(torch.full([1], m).double(), torch.full([1], 0.7).double()) for m in (0.2, -0.3))
    x = torch.vmap(p.sample)(random.split(key, 20_000))
    ratio = torch.vmap(p.log_prob)(x) - torch.vmap(q.log_prob)(x)
    assert D.kl_divergence(p, q).item() == pytest.approx(ratio.mean().item(), rel=0.03)


def test_distributions_of_two_kinds_have_no_divergence():
    with pytest.raises(TypeError, match="no closed form for p Delta and q Normal; pass two"):
        D.kl_divergence(D.Delta(torch.zeros(1)), D.Normal(torch.zeros(1), torch.ones(1)))


@pytest.mark.parametrize("loc", [-3.0, 0.0, 0.5])
@pytest.mark.parametrize("scale", [0.1, 1.0])
def test_the_density_of_a_normal_integrates_to_one(loc, scale):
    x = torch.linspace(-20, 20, 40_001, dtype=torch.float64)
    p = D.Normal(torch.full_like(x, loc), torch.full_like(x, scale)).log_prob(x).exp()
    assert torch.trapezoid(p, x).item() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.0, 10.0)])
@pytest.mark.parametrize("loc", [-1.0, 0.0, 0.5])
@pytest.mark.parametrize("scale", [0.1, 0.7])
def test_the_density_of_a_squashed_normal_integrates_to_one(loc, scale, low, high):
    x = torch.linspace(low, high, 100_001, dtype=torch.float64).unsqueeze(-1)
    p = D.TanhNormal(torch.full_like(x, loc), torch.full_like(x, scale), low, high).log_prob(x).exp()
    assert torch.trapezoid(p, x.squeeze(-1)).item() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("cls", [D.Categorical, D.OneHotCategorical])
def test_the_probabilities_of_all_choices_add_to_one(cls):
    logits = random.normal((7,), key, dtype=torch.float64)
    choices = torch.arange(7) if cls is D.Categorical else torch.eye(7)
    assert torch.vmap(cls(logits).log_prob)(choices).exp().sum().item() == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(3))
def test_samples_of_a_normal_follow_its_distribution_function(seed):
    x = D.Normal(torch.full([20_000], 2.0), torch.full([20_000], 3.0)).sample(random.key(seed))
    assert scipy.stats.kstest(x.numpy(), scipy.stats.norm(2, 3).cdf).pvalue > 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_samples_of_a_squashed_normal_follow_its_distribution_function(seed):
    shape = (20_000, 1)
    x = D.TanhNormal(torch.full(shape, 0.5).double(), torch.full(shape, 0.8).double(), low=0.0, high=4.0)
    y = x.sample(random.key(seed)).squeeze(-1).numpy()
    assert scipy.stats.kstest(y, lambda v: scipy.stats.norm(0.5, 0.8).cdf(np.arctanh(v / 2 - 1))).pvalue > 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_masked_choices_are_drawn_in_proportion_to_the_probabilities_that_are_left(seed):
    logits = torch.tensor([9.0, 0.0, 1.0, -2.0, 0.5]).expand(20_000, 5)
    mask = torch.tensor([False, True, True, True, True]).expand(20_000, 5)
    counts = D.MaskedCategorical(logits, mask).sample(random.key(seed)).bincount(minlength=5)
    assert counts[0] == 0
    expected = 20_000 * logits[0, 1:].double().softmax(-1)
    assert scipy.stats.chisquare(counts[1:].numpy(), expected.numpy()).pvalue > 1e-3


def test_parts_of_a_composite_are_drawn_independently():
    shape = (20_000,)
    ones, zeros = torch.ones(shape), torch.zeros(shape)
    policy = D.CompositeDistribution.of({name: D.Normal(zeros, ones) for name in "ab"})
    x = policy.sample(key)
    assert scipy.stats.pearsonr(x["a"].numpy(), x["b"].numpy()).pvalue > 1e-3


@pytest.mark.parametrize(("cls", "seed"), list(itertools.product([D.Categorical, D.OneHotCategorical], range(3))))
def test_choices_are_drawn_in_proportion_to_their_probabilities(cls, seed):
    logits = torch.tensor([0.0, 1.0, -2.0, 0.5]).expand(20_000, 4)
    x = cls(logits).sample(random.key(seed))
    counts = x.sum(0) if cls is D.OneHotCategorical else x.bincount(minlength=4)
    expected = 20_000 * logits[0].double().softmax(-1)
    assert scipy.stats.chisquare(counts.numpy(), expected.numpy()).pvalue > 1e-3
