"""Storages against a list: where items are written, what is read, and what is refused."""

import pytest
import torch

from frl import TensorDict, random
from frl.replay import LazyMemmapStorage, LazyTensorStorage, ListStorage, TensorStorage

MAKE = {"list": ListStorage, "tensor": LazyTensorStorage, "memory map": LazyMemmapStorage}
every_storage = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE.keys())


def items(first: int, count: int) -> TensorDict:
    number = torch.arange(first, first + count)
    return TensorDict({"n": number, "next": {"minus": -number.float().unsqueeze(-1)}}, [count])


def numbers(storage, rows) -> list[int]:
    found = storage.get(torch.tensor(rows, dtype=torch.int64))
    found = torch.stack(found) if isinstance(found, list) else found
    assert torch.equal(found["next", "minus"].squeeze(-1), -found["n"].float())
    return found["n"].tolist()


@every_storage
def test_a_ring_of_items_is_the_list_that_forgets_its_oldest(make):
    storage, model, cursor, n = make(7), [], 0, 0
    for i, count in enumerate(random.randint(1, 10, 30, random.key(0)).tolist()):
        if i % 3 == 0:
            assert storage.add(items(n, 1)[0]) == cursor
            count = 1
        else:
            rows = storage.extend(items(n, count))
            assert rows.tolist() == [(cursor + j) % 7 for j in range(count)][-7:]
        for x in range(n, n + count):
            model[cursor : cursor + 1] = [x]
            cursor = (cursor + 1) % 7
        n += count
        assert len(storage) == len(model)
        assert storage.cursor == cursor
        assert numbers(storage, range(len(model))) == model


@every_storage
def test_a_loaded_state_holds_the_same_rows_and_goes_on_at_the_same_place(make, tmp_path):
    for count in (1, 3, 9):
        storage, again = make(7), make(7)
        storage.extend(items(0, count))
        TensorDict(storage.state()).save(tmp_path / "state")
        again.load_state(TensorDict.load(tmp_path / "state"))
        for s in (storage, again):
            s.extend(items(100, 2))
        assert numbers(again, range(len(again))) == numbers(storage, range(len(storage)))
        assert again.cursor == storage.cursor


@every_storage
def test_the_state_of_another_capacity_is_refused(make):
    state = TensorDict(make(7).state())
    with pytest.raises(ValueError, match="a storage of 7 rows but this one has 8; make it with max_size=7"):
        make(8).load_state(state)


@every_storage
def test_cleared_it_is_empty_and_begins_at_row_zero(make):
    storage = make(7)
    storage.extend(items(0, 5))
    storage.clear()
    assert len(storage) == 0
    assert storage.extend(items(5, 2)).tolist() == [0, 1]
    assert numbers(storage, [0, 1]) == [5, 6]
    storage.clear()
    again = make(7)
    again.load_state(TensorDict(storage.state()))
    assert len(again) == 0


def test_any_objects_go_into_a_list_and_those_of_json_come_back_from_a_file():
    storage, again = ListStorage(5), ListStorage(5)
    storage.extend([1, "two", {"three": [3.0, None]}])
    again.load_state(TensorDict(storage.state()))
    assert again.get(torch.tensor([0, 2, 1])) == [1, {"three": [3.0, None]}, "two"]
    storage.add(object())
    with pytest.raises(TypeError, match="items of dict, int, object, str cannot be saved"):
        storage.state()
    again.add((1, 2))  # JSON would make a list of it
    with pytest.raises(TypeError, match="cannot be saved"):
        again.state()


def test_rows_may_be_any_trees_of_tensors():
    storage = LazyTensorStorage(4)
    storage.extend((torch.arange(3), {"x": torch.ones(3, 2)}))
    storage.add((torch.tensor(3), {"x": torch.zeros(2)}))
    n, rest = storage.get(torch.tensor([[3, 0], [1, 1]]))
    assert n.tolist() == [[3, 0], [1, 1]]
    assert rest["x"].shape == (2, 2, 2)
    again = LazyTensorStorage(4)
    with pytest.raises(ValueError, match="extend it with one such item before loading"):
        again.load_state(TensorDict(storage.state()))
    again.add((torch.tensor(0), {"x": torch.zeros(2)}))
    again.load_state(TensorDict(storage.state()))
    assert again.get(torch.arange(4))[0].tolist() == [0, 1, 2, 3]


def test_given_tensors_are_full_and_written_in_place():
    data = TensorDict({"n": torch.arange(4)}, [4])
    storage = TensorStorage(data)
    assert len(storage) == storage.max_size == 4
    storage.extend(TensorDict({"n": torch.tensor([7, 8])}, [2]))
    assert data["n"].tolist() == [7, 8, 2, 3]


def test_the_batch_axes_of_items_come_back():
    storage = LazyTensorStorage(3)
    storage.extend(TensorDict({"a": torch.zeros(2, 50, 3)}, [2, 50]))
    assert storage.get(torch.tensor([0, 1, 1, 0])).batch_size == (4, 50)


def test_a_device_of_the_items_does_not_make_them_others():
    storage = LazyTensorStorage(3)
    storage.extend(items(0, 1).to("cpu"))
    storage.extend(items(1, 1))
    storage.extend(items(2, 1).to("cpu"))
    assert numbers(storage, [0, 1, 2]) == [0, 1, 2]


def test_other_keys_shapes_and_dtypes_are_refused_by_name():
    storage = LazyTensorStorage(3)
    storage.extend(items(0, 1))
    with pytest.raises(KeyError, match=r"\['n'\] but the storage holds \['n', 'next.minus'\]"):
        storage.extend(items(0, 1).exclude("next"))
    with pytest.raises(
        ValueError, match=r"'n' of each item is torch.float32 \[\] but the storage holds torch.int64 \[\]"
    ):
        storage.extend(items(0, 1).set("n", torch.zeros(1)))
    with pytest.raises(ValueError, match=r"'next.minus' of each item is torch.float32 \[2\] but"):
        storage.extend(items(0, 1).set(("next", "minus"), torch.zeros(1, 2)))
    assert numbers(storage, [0]) == [0]


def test_a_read_is_a_copy():
    storage = LazyTensorStorage(3)
    storage.extend(items(0, 1))
    before = storage.get(torch.tensor([0]))
    storage.extend(items(5, 3))
    assert before["n"].item() == 0
