import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from frl import random
from frl.functional import Moments, init_moments, merge_moments, normalize, update_moments


def data(n, shape=(2,), seed=0):
    return 100 + random.normal((n, *shape), random.key(seed), dtype=torch.float64)


def of(x, shape=(2,)):
    return update_moments(init_moments(shape, x.dtype), x)


def test_two_values_by_hand():
    moments = of(torch.tensor([1.0, 3.0]), ())
    assert (moments.mean.item(), moments.var.item(), moments.num_values.item()) == (2.0, 1.0, 2)


def test_before_any_value_normalize_changes_nothing():
    assert normalize(torch.tensor([[1.0, 2.0]]), init_moments([2])).tolist() == [[1.0, 2.0]]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_however_the_stream_is_cut_its_moments_are_those_of_all_values(sizes):
    x = data(sum(sizes))
    moments = init_moments([2], torch.float64)
    for part in x.split(sizes):
        moments = update_moments(moments, part)
    assert_close(moments.mean, x.mean(0), rtol=1e-13, atol=0)
    assert_close(moments.var, x.var(0, correction=0), rtol=1e-9, atol=1e-12)
    assert moments.num_values.item() == len(x)


def test_merging_is_commutative_and_associative():
    a, b, c = (of(data(n, seed=n)) for n in (3, 5, 40))
    assert_close(merge_moments(a, b), merge_moments(b, a))
    assert_close(merge_moments(merge_moments(a, b), c), merge_moments(a, merge_moments(b, c)))


def test_no_values_are_the_neutral_element():
    a, none = of(data(5)), init_moments([2], torch.float64)
    assert_close(merge_moments(a, none), a, rtol=0, atol=0)
    assert_close(merge_moments(none, a), a, rtol=0, atol=0)
    assert_close(merge_moments(none, none), none, rtol=0, atol=0)


def test_float32_stays_exact_enough_far_from_zero_and_after_many_values():
    moments = init_moments([], torch.float32)
    moments = moments._replace(mean=torch.tensor(1e4), num_values=torch.tensor(10**9))
    x = 1e4 + random.normal((1000,), random.key(0))
    assert update_moments(moments, x).var.item() == pytest.approx(1.0, rel=1e-5)


def test_leading_axes_are_all_batch():
    x = data(12)
    assert_close(of(x.reshape(3, 4, 2)), of(x), rtol=1e-12, atol=1e-12)


def test_normalized_data_have_mean_zero_and_variance_one():
    x = data(50)
    y = normalize(x, of(x))
    assert_close(y.mean(0), torch.zeros(2, dtype=torch.float64), rtol=0, atol=1e-9)
    assert_close(y.var(0, correction=0), torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-6)


def test_members_of_a_population_keep_their_own_moments():
    x = data(6).reshape(3, 2, 2)
    moments = torch.vmap(of)(x)
    assert isinstance(moments, Moments)
    assert_close(moments.mean, x.mean(1))


def test_a_trailing_shape_that_differs_is_named():
    with pytest.raises(ValueError, match=r"update_moments: x has shape \[5, 3\] but must be \[\*B, \*\[2\]\]"):
        update_moments(init_moments([2]), torch.ones(5, 3))


def test_an_empty_batch_is_refused():
    with pytest.raises(ValueError, match="number of values in x: num_values is 0"):
        update_moments(init_moments([2]), torch.ones(0, 2))


def test_a_dtype_that_differs_is_named():
    with pytest.raises(TypeError, match=r"normalize: x is torch.float64 but moments is torch.float32"):
        normalize(torch.ones(2).double(), init_moments([2]))
