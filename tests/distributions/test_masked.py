import pytest
import torch
from torch.testing import assert_close

from frl import random
from frl.distributions import (
    Categorical,
    MaskedCategorical,
    MaskedOneHotCategorical,
    OneHotCategorical,
    kl_divergence,
)

key = random.key(0)
both = pytest.mark.parametrize("cls", [MaskedCategorical, MaskedOneHotCategorical])
logits = random.normal((200, 5), key, dtype=torch.float64)
mask = (random.uniform((200, 5), random.key(1)) < 0.4) | torch.tensor([False, False, True, False, False])


def chosen(x):
    return x if x.ndim == 1 else x.argmax(-1)


@both
def test_what_is_not_allowed_has_probability_exactly_zero_and_is_never_drawn_nor_the_mode(cls):
    policy = cls(logits, mask)
    assert (policy.probs[~mask] == 0).all()
    assert_close(policy.probs.sum(-1), torch.ones(200, dtype=torch.float64))
    for x in (policy.mode, *(policy.sample(random.key(seed)) for seed in range(20))):
        assert mask.gather(-1, chosen(x).unsqueeze(-1)).all()


def test_the_others_keep_their_ratios():
    policy, free = MaskedCategorical(logits, mask), Categorical(logits)
    ratio = policy.probs / free.probs
    assert_close(ratio[mask], (1 / (free.probs * mask).sum(-1)).unsqueeze(-1).expand(200, 5)[mask])


@pytest.mark.parametrize(
    ("cls", "free"), [(MaskedCategorical, Categorical), (MaskedOneHotCategorical, OneHotCategorical)]
)
def test_a_mask_that_allows_all_changes_nothing(cls, free):
    policy, plain = cls(logits, torch.ones_like(mask)), free(logits)
    x = plain.sample(key)
    assert torch.equal(policy.sample(key), x)
    assert torch.equal(policy.log_prob(x), plain.log_prob(x))
    assert torch.equal(policy.entropy(), plain.entropy())


def test_the_log_probability_of_what_is_not_allowed_is_minus_infinity():
    policy = MaskedCategorical(torch.zeros(3), torch.tensor([True, False, True]))
    assert policy.log_prob(torch.tensor(1)).item() == -torch.inf
    one_hot = MaskedOneHotCategorical(torch.zeros(3), torch.tensor([True, False, True]))
    assert one_hot.log_prob(torch.tensor([0, 1, 0])).item() == -torch.inf


def test_entropy_is_that_of_the_choices_that_are_left():
    policy = MaskedCategorical(torch.zeros(2, 3), torch.tensor([[True, False, True], [False, True, False]]))
    assert policy.entropy().tolist() == pytest.approx([0.6931472, 0.0])


@both
@pytest.mark.parametrize("illegal", [0.0, 1e4, -1e4, torch.inf, torch.nan])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_are_finite_whatever_the_logits_that_are_not_allowed(cls, illegal, dtype):
    given = torch.where(mask, logits, illegal).to(dtype)

    def total(given):
        policy = cls(given, mask)
        return policy.entropy().sum() + policy.log_prob(policy.mode).sum() + kl_divergence(policy, policy).sum()

    gradient, value = torch.func.grad_and_value(total)(given)
    assert value.isfinite()
    assert gradient.isfinite().all()
    assert (gradient[~mask] == 0).all()


def test_a_divergence_is_infinite_only_where_the_second_forbids_what_the_first_allows():
    narrow = MaskedCategorical(torch.zeros(3), torch.tensor([True, True, False]))
    wide = MaskedCategorical(torch.zeros(3), torch.tensor([True, True, True]))
    assert kl_divergence(narrow, wide).item() == pytest.approx(0.4054651)
    assert kl_divergence(wide, narrow).item() == torch.inf


@both
def test_a_row_that_allows_nothing_is_refused_where_values_can_be_read(cls):
    none = torch.tensor([[True, True], [False, False]])
    with pytest.raises(ValueError, match=rf"{cls.__name__}: mask allows nothing at \[1\]; each row needs"):
        cls(torch.zeros(2, 2), none)
    probs = torch.vmap(lambda m: cls(torch.zeros(2), m).probs)(none)
    assert probs[0].tolist() == [0.5, 0.5]


@both
def test_a_mask_must_be_boolean_and_of_the_shape_of_the_logits(cls):
    with pytest.raises(TypeError, match=rf"{cls.__name__}: mask is torch.float32 but must be torch.bool"):
        cls(torch.zeros(2, 3), torch.ones(2, 3))
    with pytest.raises(ValueError, match=r"mask has shape \[3\] but logits has \[2, 3\]; expand the mask"):
        cls(torch.zeros(2, 3), torch.ones(3, dtype=torch.bool))
