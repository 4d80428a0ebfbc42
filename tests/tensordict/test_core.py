"""Construction, sizes and keys."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch

from frl import TensorDict


def test_batch_size_may_be_a_list_a_number_or_empty():
    source = {"a": torch.zeros(5, 3)}
    assert TensorDict(source, [5]).batch_size == TensorDict(source, 5).batch_size == torch.Size([5])
    assert TensorDict(source, []).batch_size == TensorDict(source).batch_size == torch.Size([])


def test_source_and_batch_size_may_be_given_by_name():
    assert TensorDict(source={"a": torch.zeros(5)}, batch_size=[5], device="cpu").device == torch.device("cpu")


def test_device_is_none_by_default():
    assert TensorDict({"a": torch.zeros(1)}, [1]).device is None


def test_getting_an_entry_gives_the_very_tensor_that_was_put_in():
    a = torch.zeros(5, 3)
    td = TensorDict({"key 1": a}, [5])
    assert td["key 1"] is a
    assert td.get("key 1") is a


def test_a_nested_dict_takes_the_batch_size_and_device_of_its_parent():
    td = TensorDict({"next": {"reward": torch.zeros(10, 1)}}, [10], device="cpu")
    assert td["next"].batch_size == torch.Size([10])
    assert td["next"].device == torch.device("cpu")


def test_a_nested_tensordict_may_have_a_longer_batch_size():
    td = TensorDict({"a": torch.zeros(5), "n": TensorDict({"b": torch.zeros(5, 2, 1)}, [5, 2])}, [5])
    assert td.batch_size == torch.Size([5])
    assert td["n"].batch_size == torch.Size([5, 2])


def test_an_empty_root_keeps_the_batch_size_that_it_was_given():
    td = TensorDict({}, [100])
    assert td.batch_size == torch.Size([100])
    assert td.is_empty()


def test_an_empty_nested_entry_has_the_batch_size_of_its_parent():
    td = TensorDict({"a": torch.zeros(4, 2), "e": {"f": {}}}, [4])
    assert td["e", "f"].batch_size == torch.Size([4])
    assert td[0]["e"].batch_size == torch.Size([])


def test_numbers_and_arrays_become_tensors():
    td = TensorDict({"a": 1.5, "b": np.arange(3)})
    assert td["a"].dtype == torch.float32
    assert td["b"].tolist() == [0, 1, 2]


def test_entries_are_moved_to_the_device_that_is_given():
    assert TensorDict({"a": torch.zeros(1)}, [1], device="meta")["a"].device.type == "meta"


def test_keys_are_sorted():
    assert list(TensorDict({"b": torch.zeros(1), "a": torch.zeros(1)})) == ["a", "b"]


def test_nested_keys_are_tuples():
    td = TensorDict({"a": torch.zeros(1), "b": {"c": {"d": torch.zeros(1)}}})
    assert list(td.keys(include_nested=True)) == ["a", "b", ("b", "c"), ("b", "c", "d")]
    assert list(td.keys(include_nested=True, leaves_only=True)) == ["a", ("b", "c", "d")]
    assert list(td.keys(leaves_only=True)) == ["a"]
    assert td["b", "c", "d"] is td["b"]["c"]["d"]


def test_items_and_values_follow_keys():
    td = TensorDict({"a": torch.zeros(1), "b": {"c": torch.ones(1)}})
    assert [key for key, _ in td.items()] == ["a", "b"]
    assert [key for key, _ in td.items(include_nested=True, leaves_only=True)] == ["a", ("b", "c")]
    assert [x.item() for x in td.values(include_nested=True, leaves_only=True)] == [0.0, 1.0]


def test_it_is_a_mapping():
    td = TensorDict({"a": torch.zeros(1), "b": torch.zeros(1)})
    assert isinstance(td, Mapping)
    assert set(dict(td)) == {"a", "b"}
    assert len(td) == 2


def test_membership_takes_nested_keys():
    td = TensorDict({"a": torch.zeros(1), "b": {"c": torch.zeros(1)}})
    assert "a" in td
    assert ("b", "c") in td
    assert ("b", "d") not in td
    assert ("a", "c") not in td
    assert () not in td


def test_get_gives_the_default_where_there_is_no_entry():
    td = TensorDict({"a": torch.zeros(1)})
    assert td.get("b") is None
    assert td.get(("a", "b"), 3) == 3


def test_sizes_are_those_of_the_batch():
    td = TensorDict({"a": torch.zeros(4, 5, 3)}, [4, 5])
    assert (td.shape, td.ndim, td.dim(), td.batch_dims, td.numel()) == (torch.Size([4, 5]), 2, 2, 2, 20)
    assert (td.size(), td.size(0), td.size(-1)) == (torch.Size([4, 5]), 4, 5)


def test_numel_without_batch_axes_is_one():
    assert TensorDict({"a": torch.zeros(3)}).numel() == 1


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: TensorDict({"a": torch.zeros(4)}, [5]), ValueError, "entry 'a' has shape [4]"),
        (lambda: TensorDict({"n": TensorDict({"a": torch.zeros(4)}, [4])}, [5]), ValueError, "entry 'n' has shape [4]"),
        (lambda: TensorDict({"a": torch.tensor(1.0)}, [1]), ValueError, "begin with the batch size [1]"),
        (lambda: TensorDict({"a": "text"}), TypeError, "entry 'a' is a str"),
        (lambda: TensorDict({3: torch.zeros(1)}), TypeError, "keys are strings"),
        (lambda: TensorDict({"observation": 1.0})["obsrvation"], KeyError, "Did you mean 'observation'?"),
        (lambda: TensorDict({"a": 1.0})["b"], KeyError, "it has ['a']"),
        (lambda: TensorDict({"a": 1.0})["a", "b"], KeyError, "what stands before 'b' is a tensor"),
        (lambda: bool(TensorDict({"a": 1.0})), TypeError, "td.all()"),
    ],
)
def test_errors_name_the_key_and_the_remedy(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)


def test_item_assignment_names_the_functional_call():
    td = TensorDict({"a": torch.zeros(3)}, [3])
    with pytest.raises(TypeError, match=r"td = td.set\('a', value\)"):
        td["a"] = torch.ones(3)
    with pytest.raises(TypeError, match=r"td = td.at\[index\].set\(value\)"):
        td[0] = td[1]
    with pytest.raises(TypeError, match=r"td.exclude\('a'\)"):
        del td["a"]


def test_attribute_assignment_is_refused():
    td = TensorDict({"a": torch.zeros(3)}, [3])
    with pytest.raises(TypeError, match="with_batch_size"):
        td.batch_size = [3]
    with pytest.raises(TypeError, match=r"td\.to\(device\)"):
        td.device = "cpu"
    with pytest.raises(AttributeError):
        td.name = "x"


def test_an_axis_taken_from_the_event_is_reported_with_its_key():
    td = TensorDict({"scalar": torch.zeros(3)}, [3])
    broken = td._make({"scalar": torch.tensor(0.0)}, (1,), None, None)
    with pytest.raises(ValueError, match="entry 'scalar' has shape"):
        _ = broken.batch_size


def test_the_hash_is_that_of_the_object():
    td = TensorDict({"a": torch.zeros(1)})
    assert hash(td) == hash(td)
    assert {td: 1}[td] == 1
