"""Reductions over batch axes."""

import pytest
import torch

from frl import TensorDict

X = torch.arange(24.0).reshape(2, 3, 4)


@pytest.fixture
def td():
    return TensorDict({"a": X, "n": {"b": X[..., 0]}}, [2, 3])


@pytest.mark.parametrize("name", ["sum", "mean", "std", "var"])
@pytest.mark.parametrize("dim", [0, -1, (0, 1)])
@pytest.mark.parametrize("keepdim", [False, True])
def test_moments_are_those_of_every_entry_over_the_batch_axes(td, name, dim, keepdim):
    axes = (1,) if dim == -1 else dim
    result = getattr(td, name)(dim, keepdim)
    assert result["a"].equal(getattr(X, name)(axes, keepdim=keepdim))
    assert result["n", "b"].equal(getattr(X[..., 0], name)(axes, keepdim=keepdim))
    assert result.batch_size == X[..., 0].sum(axes, keepdim=keepdim).shape


def test_without_a_dimension_the_whole_batch_is_reduced_and_the_event_stays(td):
    assert td.sum()["a"].equal(X.sum((0, 1)))
    assert td.mean()["n", "b"].item() == 10.0
    assert td.sum().batch_size == torch.Size([])


def test_without_batch_axes_nothing_is_reduced():
    td = TensorDict({"a": torch.arange(3)})
    assert td.sum()["a"].tolist() == [0, 1, 2]


def test_extrema(td):
    assert td.max(1)["n", "b"].tolist() == [8.0, 20.0]
    assert td.min()["a"].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert torch.amax(td, 1)["n", "b"].tolist() == [8.0, 20.0]


def test_correction_is_that_of_the_degrees_of_freedom(td):
    assert td.var(correction=0)["a"].equal(X.var((0, 1), correction=0))


def test_all_and_any_without_a_dimension_are_one_python_bool(td):
    assert (td == td).all() is True
    assert (td == 0).all() is False
    assert (td == 0).any() is True
    assert (td == -1).any() is False
    assert torch.all(td == td) is True


def test_all_and_any_along_an_axis_are_tensordicts(td):
    assert (td >= 4).all(1)["n", "b"].tolist() == [False, True]
    assert (td == 4).any(0)["n", "b"].tolist() == [False, True, False]


def test_an_event_axis_is_out_of_reach(td):
    with pytest.raises(IndexError, match="batch axis 2 is out of range for 2"):
        td.sum(2)
