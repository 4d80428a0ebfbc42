"""Indexing, and writing at an index."""

import numpy as np
import pytest
import torch

from frl import TensorDict


@pytest.fixture
def td():
    return TensorDict({"a": torch.arange(24).reshape(4, 3, 2), "n": {"b": torch.arange(12).reshape(4, 3)}}, [4, 3])


INDICES = {
    "integer": 1,
    "negative integer": -1,
    "slice": slice(1, None, 2),
    "none": None,
    "ellipsis": ...,
    "tuple": (1, 2),
    "slice, integer": (slice(None), 0),
    "ellipsis, integer": (..., 0),
    "none, ellipsis, integer": (None, ..., 0),
    "boolean mask": torch.tensor([True, False, True, True]),
    "mask of two axes": torch.arange(12).reshape(4, 3) % 2 == 0,
    "indices": torch.tensor([3, 0, 0]),
    "indices of two axes": torch.tensor([[3, 0], [1, 1]]),
    "two index tensors": (torch.tensor([3, 0]), torch.tensor([1, 2])),
    "index tensor behind a slice": (slice(None), torch.tensor([2, 0])),
    "0-d tensor": torch.tensor(2),
    "two 0-d tensors": (torch.tensor(2), torch.tensor(1)),
    "0-d tensor behind a slice": (slice(None), torch.tensor(-1)),
    "0-d tensors around a new axis": (torch.tensor(2), None, torch.tensor(1)),
    "0-d tensor behind an integer": (1, torch.tensor(2)),
    "0-d tensor before a slice of one": (None, torch.tensor(1), slice(0, 1)),
    "int32 tensor": torch.tensor([1, 2], dtype=torch.int32),
    "list": [0, 2],
    "boolean list": [True, False, False, True],
    "empty list": [],
    "range": range(2),
    "array": np.array([1, 3]),
    "NumPy integer": np.int64(2),
}


@pytest.mark.parametrize("name", INDICES)
def test_indexing_agrees_with_that_of_a_tensor_of_the_batch(td, name):
    index = INDICES[name]
    rows = torch.arange(12).reshape(4, 3)[index]
    assert td[index].batch_size == rows.shape
    assert td[index]["n", "b"].equal(rows)
    assert td[index]["a"].equal(torch.stack([2 * rows, 2 * rows + 1], -1))


def test_indexing_leaves_event_axes_in_place():
    td = TensorDict({"key 1": torch.zeros(5, 3), "key 2": torch.zeros(5, 5, 6)}, [5])[2]
    assert (td["key 1"].shape, td["key 2"].shape) == (torch.Size([3]), torch.Size([5, 6]))


def test_an_empty_root_is_indexed_by_its_batch_size():
    assert TensorDict({}, [4, 3])[1].batch_size == torch.Size([3])
    assert TensorDict({}, [4, 3])[:, :2].batch_size == torch.Size([4, 2])


@pytest.mark.parametrize("name", INDICES)
def test_what_is_set_at_an_index_is_read_there_and_the_rest_stays(td, name):
    index = INDICES[name]
    new = td.at[index].set(-1)
    expected = torch.arange(12).reshape(4, 3).clone()
    expected[index] = -1
    assert new["n", "b"].equal(expected)
    assert (td.at[index].set(td[index]) == td).all()
    assert td["n", "b"].equal(torch.arange(12).reshape(4, 3))


def test_the_first_write_allocates_keys_with_zeros_elsewhere():
    tds = TensorDict({}, [100])
    for i in range(3):
        step = TensorDict({"a": torch.full((2,), i + 1.0), "next": {"b": torch.tensor(i)}}, device="cpu")
        tds = tds.at[i].set(step)
    assert tds.batch_size == tds["next"].batch_size == torch.Size([100])
    assert tds["a"][:4].tolist() == [[1, 1], [2, 2], [3, 3], [0, 0]]
    assert tds["next", "b"].dtype == torch.int64
    assert (tds.device, tds["next"].device) == (None, torch.device("cpu"))


def test_keys_that_the_value_lacks_stay_as_they_are(td):
    new = td.at[0].set({"n": {"b": torch.tensor([7, 8, 9])}})
    assert new["n", "b"][0].tolist() == [7, 8, 9]
    assert new["a"].equal(td["a"])


def test_a_tensor_is_written_into_every_entry_along_the_batch(td):
    new = td.at[0].set(torch.tensor([7, 8, 9]))
    assert new["a"][0].tolist() == [[7, 7], [8, 8], [9, 9]]


def test_a_smaller_batch_is_broadcast_over_the_index(td):
    new = td.at[1:3].set(td[0])
    assert new["a"][1].equal(td["a"][0])
    assert new["a"][2].equal(td["a"][0])


def test_add_counts_an_element_twice_that_is_named_twice():
    td = TensorDict({"count": torch.zeros(3)}, [3])
    assert td.at[torch.tensor([0, 0, 2])].add(1.0)["count"].tolist() == [2.0, 0.0, 1.0]


def test_at_is_differentiable_in_both_values():
    def f(td, value):
        return td.at[1].set(value)["a"].square().sum()

    td, value = TensorDict({"a": torch.ones(3)}, [3]), TensorDict({"a": torch.tensor(2.0)})
    grads = torch.func.grad(f, (0, 1))(td, value)
    assert grads[0]["a"].tolist() == [2.0, 0.0, 2.0]
    assert grads[1]["a"].item() == 4.0


def test_indexing_works_inside_vmap_with_an_index_of_its_own_for_each_row():
    td = TensorDict({"a": torch.arange(6).reshape(2, 3)}, [2])
    assert torch.func.vmap(lambda x, i: x.with_batch_size(3)[i])(td, torch.tensor([0, 2]))["a"].tolist() == [0, 5]


def test_at_works_inside_vmap_with_an_index_of_its_own_for_each_row():
    td = TensorDict({"a": torch.zeros(2, 3)}, [2])
    new = torch.func.vmap(lambda x, i: x.with_batch_size(3).at[i].set(1.0))(td, torch.tensor([0, 2]))
    assert new["a"].tolist() == [[1, 0, 0], [0, 0, 1]]


def test_gather_takes_elements_along_a_batch_axis(td):
    index = torch.tensor([[2], [0], [1], [0]])
    picked = td.gather(1, index)
    assert picked["n", "b"].tolist() == [[2], [3], [7], [9]]
    assert picked["a"].shape == torch.Size([4, 1, 2])


def test_masked_select_is_indexing_by_a_mask(td):
    assert td.masked_select(torch.tensor([True, False, False, True]))["n", "b"][:, 0].tolist() == [0, 9]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda td: td[0.5], TypeError, "the index is 0.5"),
        (lambda td: td[torch.zeros(4)], TypeError, "torch.float32"),
        (lambda td: td[{}], TypeError, "the index is {}"),
        (lambda td: td[True], TypeError, "the index is True"),
        (lambda td: td[0, 0, 0], IndexError, "too many indices: 3 for 2"),
        (lambda td: td[0, 0][0], IndexError, "too many indices: 1 for 0"),
        (lambda td: td[9], IndexError, "9"),
        (lambda td: td.at[:2].set(td), ValueError, "a batch of size [2, 3] out of [4, 3]"),
        (lambda td: td.at[0].set({"a": torch.zeros(3, 5)}), ValueError, "entry 'a' has elements of shape [2]"),
        (lambda td: td.at[0].set({"n": torch.zeros(3)}), ValueError, "entries 'n'"),
        (lambda td: td.gather(2, torch.zeros(4, 3, dtype=torch.int64)), IndexError, "batch axis 2"),
        (lambda td: td.gather(0, torch.zeros(4, dtype=torch.int64)), ValueError, "must have 2 axes"),
        (lambda td: td.masked_select(torch.zeros(4)), TypeError, "must be torch.bool"),
    ],
)
def test_errors_say_what_was_given_and_what_is_expected(td, call, error, words):
    with pytest.raises(error) as caught:
        call(td)
    assert words in str(caught.value)
