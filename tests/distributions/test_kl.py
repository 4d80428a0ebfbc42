import pytest
import torch

from frl.distributions import Categorical, Normal, OneHotCategorical, TanhNormal, kl_divergence


def test_two_normals_by_hand():
    p, q = Normal(torch.tensor([1.0]), torch.tensor([1.0])), Normal(torch.tensor([0.0]), torch.tensor([2.0]))
    assert kl_divergence(p, q).item() == pytest.approx(0.6931472 + 2 / 8 - 0.5)


def test_two_categoricals_by_hand():
    p, q = (Categorical(torch.log(torch.tensor(x))) for x in ([0.5, 0.5], [0.25, 0.75]))
    assert kl_divergence(p, q).item() == pytest.approx(0.5 * (0.6931472 - 0.4054651))


def test_squashing_changes_nothing_but_sums_the_actions():
    p, q = (torch.full((3, 2), m) for m in (0.5, 0.0))
    one = torch.ones(3, 2)
    plain, squashed = (
        kl_divergence(Normal(p, one), Normal(q, one)),
        kl_divergence(TanhNormal(p, one), TanhNormal(q, one)),
    )
    assert torch.allclose(squashed, plain.sum(-1))


def test_shapes_that_differ_are_named():
    with pytest.raises(ValueError, match=r"kl_divergence: q.logits has shape \[3, 2\] but p.logits has \[2\]"):
        kl_divergence(Categorical(torch.zeros(2)), Categorical(torch.zeros(3, 2)))


def test_an_index_and_a_one_hot_vector_are_two_kinds():
    with pytest.raises(TypeError, match="no closed form for p Categorical and q OneHotCategorical"):
        kl_divergence(Categorical(torch.zeros(2)), OneHotCategorical(torch.zeros(2)))
