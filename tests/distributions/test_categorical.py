import pytest
import torch

from frl import random
from frl.distributions import Categorical, OneHotCategorical, kl_divergence

key = random.key(0)
both = pytest.mark.parametrize("cls", [Categorical, OneHotCategorical])
dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
SATURATED = [[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4], [0.0, -torch.inf, 1e4], [0.0, -torch.inf, 0.0], [0.0, 1e4, 1e4]]


def test_log_probabilities_by_hand():
    logits = torch.tensor([0.0, 0.0, 0.0, 0.0])
    assert Categorical(logits).log_prob(torch.tensor(2)).exp().item() == pytest.approx(0.25)
    assert OneHotCategorical(logits).log_prob(torch.tensor([0, 0, 1, 0])).exp().item() == pytest.approx(0.25)


def test_samples_are_one_hot_integers():
    x = OneHotCategorical(torch.zeros(1000, 3)).sample(key)
    assert x.dtype == torch.int64
    assert x.sum(-1).tolist() == [1] * 1000


def test_both_forms_draw_the_same_choice_with_the_same_probability():
    logits = random.normal((100, 5), key)
    index, one_hot = Categorical(logits), OneHotCategorical(logits)
    x, y = index.sample(key), one_hot.sample(key)
    assert torch.equal(y.argmax(-1), x)
    assert torch.allclose(index.log_prob(x), one_hot.log_prob(y))


@both
def test_what_is_masked_is_never_drawn(cls):
    logits = torch.tensor([0.0, -torch.inf, 0.0]).expand(1000, 3)
    x = cls(logits).sample(key)
    chosen = x if cls is Categorical else x.argmax(-1)
    assert (chosen != 1).all()


def test_a_boolean_mask_of_one_choice_is_a_value_too():
    policy = OneHotCategorical(torch.zeros(2))
    assert policy.log_prob(torch.tensor([True, False])).exp().item() == pytest.approx(0.5)


@both
@dtypes
def test_saturated_and_masked_logits_give_finite_values_and_gradients(cls, dtype):
    logits = torch.tensor(SATURATED, dtype=dtype)

    def total(logits):
        policy = cls(logits)
        return policy.entropy().sum() + policy.log_prob(policy.mode).sum() + kl_divergence(policy, policy).sum()

    assert total(logits).isfinite()
    assert torch.func.grad(total)(logits).isfinite().all()


def test_a_masked_choice_adds_no_entropy():
    policy = Categorical(torch.tensor([[0.0, 0.0, -torch.inf], [0.0, -torch.inf, -torch.inf]]))
    assert policy.entropy().tolist() == pytest.approx([0.6931472, 0.0])


def test_the_divergence_is_infinite_where_the_second_excludes_what_the_first_does_not():
    free, masked = Categorical(torch.zeros(2)), Categorical(torch.tensor([0.0, -torch.inf]))
    assert kl_divergence(free, masked).item() == torch.inf
    assert kl_divergence(masked, free).item() == pytest.approx(0.6931472)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bool])
def test_an_index_must_be_an_integer(dtype):
    with pytest.raises(TypeError, match=rf"Categorical.log_prob: x is {dtype} but must be an index; convert it"):
        Categorical(torch.zeros(3, 2)).log_prob(torch.zeros(3, dtype=dtype))


@both
def test_an_index_for_each_row_and_one_axis_more_is_refused(cls):
    with pytest.raises(ValueError, match=rf"{cls.__name__}.log_prob: x has shape \[3, 1\] but must have"):
        cls(torch.zeros(3, 2)).log_prob(torch.zeros(3, 1, dtype=torch.int64))


@both
@pytest.mark.parametrize(("shape", "message"), [((), "ndim is 0"), ((3, 0), "n is 0")])
def test_logits_without_choices_are_refused(cls, shape, message):
    with pytest.raises(ValueError, match=rf"{cls.__name__}: .* of logits: {message} but must be at least 1"):
        cls(torch.zeros(shape))


@both
def test_logits_must_be_floating_point(cls):
    with pytest.raises(TypeError, match=rf"{cls.__name__}: logits is torch.int64 but must be floating point"):
        cls(torch.zeros(3, dtype=torch.int64))
