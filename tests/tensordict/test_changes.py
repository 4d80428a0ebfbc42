"""Changes of keys and entries."""

import pytest
import torch

from frl import TensorDict


@pytest.fixture
def td():
    return TensorDict({"a": torch.zeros(2, 3), "n": {"b": torch.zeros(2), "c": torch.ones(2)}}, [2])


def leaves(td):
    return list(td.keys(include_nested=True, leaves_only=True))


def test_set_returns_a_new_tensordict_and_leaves_the_old_one(td):
    new = td.set("z", torch.ones(2))
    assert "z" not in td
    assert new["z"].tolist() == [1.0, 1.0]
    assert new["a"] is td["a"]


def test_set_replaces_an_entry_by_one_of_another_event_shape(td):
    assert td.set("a", torch.zeros(2, 7, 7)).batch_size == torch.Size([2])
    assert td.set("a", torch.zeros(2, 7, 7))[0]["a"].shape == torch.Size([7, 7])


def test_set_keeps_the_keys_sorted(td):
    assert list(td.set("m", torch.zeros(2))) == ["a", "m", "n"]


def test_set_reaches_nested_entries_and_makes_those_that_are_missing(td):
    new = td.set(("n", "d"), torch.zeros(2)).set(("p", "q", "r"), torch.zeros(2))
    assert leaves(new) == ["a", ("n", "b"), ("n", "c"), ("n", "d"), ("p", "q", "r")]
    assert new["p", "q"].batch_size == torch.Size([2])


def test_set_on_an_empty_root_uses_its_batch_size():
    assert TensorDict({}, [4]).set("a", torch.zeros(4, 2)).batch_size == torch.Size([4])


def test_set_moves_the_value_to_the_device():
    td = TensorDict({"a": torch.zeros(2, device="meta")}, [2], device="meta")
    assert td.set("a", torch.zeros(2))["a"].device.type == "meta"


def test_update_merges_nested_entries(td):
    new = td.update({"a": torch.ones(2), "n": {"b": torch.ones(2)}, "z": 3 * torch.ones(2)})
    assert leaves(new) == ["a", ("n", "b"), ("n", "c"), "z"]
    assert new["n", "b"].tolist() == [1.0, 1.0]
    assert td["n", "b"].tolist() == [0.0, 0.0]


def test_update_takes_a_tensordict_whose_batch_is_longer(td):
    other = TensorDict({"z": torch.zeros(2, 5)}, [2, 5])
    assert td.update(other).batch_size == torch.Size([2])


def test_update_replaces_a_tensor_by_a_nested_entry_and_back(td):
    assert leaves(td.update({"a": {"x": torch.zeros(2)}, "n": torch.zeros(2)})) == [("a", "x"), "n"]


def test_replace_is_update_of_keys_that_exist(td):
    assert td.replace({"n": {"b": torch.ones(2)}})["n", "b"].tolist() == [1.0, 1.0]
    with pytest.raises(KeyError, match="no entry 'nn'"):
        td.replace({"nn": torch.ones(2)})
    with pytest.raises(KeyError, match="no entry 'd'"):
        td.replace({"n": {"d": torch.ones(2)}})


def test_select_takes_nested_keys(td):
    assert leaves(td.select("a", ("n", "c"))) == ["a", ("n", "c")]
    assert leaves(td.select("n")) == [("n", "b"), ("n", "c")]
    assert leaves(td.select("n", ("n", "c"))) == [("n", "b"), ("n", "c")]


def test_select_of_nothing_keeps_the_batch_size(td):
    assert td.select().batch_size == torch.Size([2])


def test_exclude_takes_nested_keys_and_is_patient_with_absent_ones(td):
    assert leaves(td.exclude(("n", "b"), "z", ("a", "x"))) == ["a", ("n", "c")]


def test_exclude_of_all_leaves_of_a_nested_entry_leaves_it_empty(td):
    new = td.exclude(("n", "b"), ("n", "c"))
    assert new["n"].is_empty()
    assert new["n"].batch_size == torch.Size([2])
    assert new.exclude("a").batch_size == torch.Size([2])


def test_rename_moves_an_entry(td):
    assert leaves(td.rename("a", "z").rename(("n", "b"), ("n", "y"))) == [("n", "c"), ("n", "y"), "z"]
    assert td.rename("a", "a") is td


def test_flatten_and_unflatten_keys_are_inverse(td):
    flat = td.flatten_keys()
    assert list(flat) == ["a", "n.b", "n.c"]
    assert leaves(flat.unflatten_keys()) == leaves(td)
    assert list(td.flatten_keys("/")) == ["a", "n/b", "n/c"]


def test_with_batch_size_lengthens_and_shortens(td):
    wide = TensorDict({"a": torch.zeros(5, 2, 3), "n": {"b": torch.zeros(5, 2)}}, [5])
    assert wide.with_batch_size([5, 2])["n"].batch_size == torch.Size([5, 2])
    assert wide.with_batch_size([]).batch_size == torch.Size([])
    assert wide.with_batch_size([5, 2])[:, 0]["a"].shape == torch.Size([5, 3])


def test_auto_batch_size_is_the_longest_common_shape():
    td = TensorDict({"a": torch.zeros(5, 2, 3), "b": torch.zeros(5, 2, 4)})
    assert td.auto_batch_size().batch_size == torch.Size([5, 2])
    assert td.auto_batch_size(1).batch_size == torch.Size([5])
    assert TensorDict({}, [3]).auto_batch_size().batch_size == torch.Size([3])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda td: td.set("z", torch.zeros(3)), ValueError, "entry 'z' has shape [3]"),
        (lambda td: td.set("z", object()), TypeError, "entry 'z' is a object"),
        (lambda td: td.set(0, torch.zeros(2)), TypeError, "0 is no key"),
        (lambda td: td.set((), torch.zeros(2)), TypeError, "() is no key"),
        (lambda td: td.set(("a", "x"), torch.zeros(2)), KeyError, "the entry 'a' is a tensor"),
        (lambda td: td.update([1]), TypeError, "expected a TensorDict or a dict"),
        (lambda td: td.update({0: torch.zeros(2)}), TypeError, "key 0 is a int"),
        (lambda td: td.update(td[:1]), ValueError, "batch size [2] but the other has [1]"),
        (lambda td: td.select("x"), KeyError, "no entry 'x'"),
        (lambda td: td.select(("a", "x")), KeyError, "the entry 'a' is a tensor"),
        (lambda td: td.rename("x", "y"), KeyError, "no entry 'x'"),
        (lambda td: td.rename("a", "n"), ValueError, "an entry 'n' already"),
        (lambda td: td.set("n.b", torch.zeros(2)).flatten_keys(), ValueError, "'n.b'"),
        (lambda td: td.flatten_keys().set("n.b.x", torch.zeros(2)).unflatten_keys(), KeyError, "is a tensor"),
        (lambda td: td.with_batch_size([3]), ValueError, "begin with the batch size [3]"),
    ],
)
def test_errors_name_the_key_and_the_remedy(td, call, error, words):
    with pytest.raises(error) as caught:
        call(td)
    assert words in str(caught.value)
