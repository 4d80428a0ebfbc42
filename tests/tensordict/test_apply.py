"""Functions of the user, applied to every leaf."""

import pytest
import torch

from frl import TensorDict


@pytest.fixture
def td():
    return TensorDict({"a": torch.ones(2, 3), "n": TensorDict({"b": torch.ones(2, 4)}, [2, 4])}, [2])


def test_apply_reaches_nested_leaves_and_keeps_batch_sizes(td):
    new = td.apply(lambda x: x + 1)
    assert new["n", "b"][0].tolist() == [2.0] * 4
    assert (new.batch_size, new["n"].batch_size) == (td.batch_size, td["n"].batch_size)


def test_apply_may_change_event_shapes(td):
    assert td.select("a").apply(lambda x: x.sum(-1))[0]["a"].shape == torch.Size([])


def test_apply_takes_the_leaves_of_several_tensordicts(td):
    assert td.apply(torch.add, td)["a"][0].tolist() == [2.0, 2.0, 2.0]


def test_apply_with_a_batch_size_gives_that_batch(td):
    new = td.apply(lambda x: x[0], batch_size=[])
    assert new.batch_size == new["n"].batch_size == torch.Size([])


def test_named_apply_gives_the_path_of_nested_leaves(td):
    found = []
    td.named_apply(lambda key, x: found.append(key) or x)
    assert found == ["a", ("n", "b")]


def test_named_apply_takes_the_leaves_of_several_tensordicts(td):
    assert td.named_apply(lambda key, x, y: x + y if key == "a" else x, td)["a"][0, 0] == 2.0


def test_a_result_that_lost_the_batch_names_its_key(td):
    with pytest.raises(ValueError, match="entry 'a' has shape"):
        td.select("a").apply(lambda x: x[0])


def test_another_tensordict_without_a_key_is_refused(td):
    with pytest.raises(ValueError, match="entry 'n' is missing"):
        td.apply(torch.add, td.select("a"))
