import pytest
import torch
from torch.testing import assert_close

from frl import random
from frl.functional import affine_recurrence


def test_two_steps_by_hand():
    x = affine_recurrence(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]), torch.tensor(5.0))
    assert x.tolist() == [1 + 3 * 22, 2 + 4 * 5]


def test_a_zero_cuts_the_recursion():
    x = affine_recurrence(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 0.0, 1.0]), torch.tensor(100.0))
    assert x.tolist() == [3.0, 2.0, 103.0]


@pytest.mark.parametrize("T", [*range(1, 34), 127, 128, 1000])
def test_every_length_equals_the_loop(T):
    a, b = (random.normal((T, 3), random.key(seed), dtype=torch.float64) for seed in (0, 1))
    b = torch.where(b < -1, 0.0, b.clamp(-1, 1))
    expected, following = [], a[0] + 7
    last = following
    for t in reversed(range(T)):
        following = a[t] + b[t] * following
        expected.insert(0, following)
    assert_close(affine_recurrence(a, b, last), torch.stack(expected), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("a", "b", "last", "message"),
    [
        ([4, 2], [4, 1], [2], r"affine_recurrence: b has shape \[4, 1\] but a has \[4, 2\]; pass both as \[T, \*B\]"),
        ([4, 2], [4, 2], [1], r"last has shape \[1\] but must have \[2\]"),
        ([0, 2], [0, 2], [2], "time axis of a: T is 0 but must be at least 1"),
        ([], [], [], "number of axes of a: ndim is 0 but must be at least 1"),
    ],
)
def test_shapes_that_do_not_fit_are_named(a, b, last, message):
    with pytest.raises(ValueError, match=message):
        affine_recurrence(torch.ones(a), torch.ones(b), torch.ones(last))


def test_dtypes_that_differ_are_named():
    with pytest.raises(TypeError, match=r"b is torch.float64 but a is torch.float32"):
        affine_recurrence(torch.ones(2), torch.ones(2).double(), torch.ones(()))
