"""Reshaping of the batch axes."""

import pytest
import torch

from frl import TensorDict


@pytest.fixture
def td():
    return TensorDict({"a": torch.arange(12).reshape(2, 3, 2), "n": {"b": torch.arange(6).reshape(2, 3)}}, [2, 3])


LAWS = {
    "reshape": lambda x: x.reshape(3, 2),
    "reshape, -1": lambda x: x.reshape(-1),
    "reshape, list": lambda x: x.reshape([6, 1]),
    "view": lambda x: x.view(-1, 2),
    "flatten": lambda x: x.flatten(),
    "flatten, range": lambda x: x.flatten(0, 1),
    "unflatten": lambda x: x.unflatten(1, (3, 1)),
    "unsqueeze": lambda x: x.unsqueeze(1),
    "unsqueeze at the end": lambda x: x.unsqueeze(-1),
    "squeeze": lambda x: x[:1].squeeze(),
    "squeeze, axis": lambda x: x[:, :1].squeeze(1),
    "squeeze, axis of another size": lambda x: x.squeeze(0),
    "expand": lambda x: x.expand(4, 2, 3),
    "expand, -1": lambda x: x[:1].expand(5, -1),
    "permute": lambda x: x.permute(1, 0),
    "permute, negative": lambda x: x.permute(-1, 0),
    "transpose": lambda x: x.transpose(0, -1),
    "movedim": lambda x: x.movedim(0, 1),
    "repeat": lambda x: x.repeat(2, 1),
    "repeat, new axis": lambda x: x.repeat(2, 1, 3),
    "repeat_interleave": lambda x: x.repeat_interleave(2, 1),
    "flip": lambda x: x.flip(1),
    "roll": lambda x: x.roll(1, 1),
    "unbind": lambda x: x.unbind(1)[2],
    "split": lambda x: x.split(2, 1)[1],
    "split, sizes": lambda x: x.split([1, 2], -1)[1],
    "chunk": lambda x: x.chunk(2, 1)[0],
}


@pytest.mark.parametrize("name", LAWS)
def test_an_operation_is_that_of_a_tensor_of_the_batch_with_event_axes_in_place(td, name):
    f = LAWS[name]
    rows = f(torch.arange(6).reshape(2, 3))
    assert f(td).batch_size == rows.shape
    assert f(td)["n", "b"].equal(rows)
    assert f(td)["a"].equal(torch.stack([2 * rows, 2 * rows + 1], -1))


@pytest.mark.parametrize("name", LAWS)
def test_an_operation_gives_an_empty_root_the_same_batch_size(name):
    f = LAWS[name]
    assert f(TensorDict({}, [2, 3])).batch_size == f(torch.zeros(2, 3)).shape


def test_flatten_without_batch_axes_makes_one():
    assert TensorDict({"a": torch.zeros(3)}).flatten()["a"].shape == torch.Size([1, 3])


def test_view_does_not_copy(td):
    assert td.view(-1)["a"].data_ptr() == td["a"].data_ptr()
    with pytest.raises(RuntimeError):
        td.permute(1, 0).view(-1)


def test_a_nested_batch_that_is_longer_keeps_its_own_axes():
    td = TensorDict({"n": TensorDict({"b": torch.zeros(4, 2, 1)}, [4, 2])}, [4])
    assert td.reshape(2, 2)["n"].batch_size == torch.Size([2, 2, 2])
    assert td.unbind(0)[0]["n"].batch_size == torch.Size([2])


def test_parts_keep_empty_nested_entries(td):
    first = td.set("e", {}).split(1)[0]
    assert first["e"].batch_size == torch.Size([1, 3])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda td: td.reshape(4), ValueError, "a batch of size [2, 3] has no shape [4]"),
        (lambda td: td.reshape(-1, 4), ValueError, "has no shape [-1, 4]"),
        (lambda td: td.unsqueeze(3), IndexError, "batch axis 3 is out of range for 3"),
        (lambda td: td.flatten(0, 2), IndexError, "batch axis 2 is out of range for 2"),
        (lambda td: td.permute(0), ValueError, "does not name each of the 2 batch axes once"),
        (lambda td: td.permute(0, 0), ValueError, "does not name each of the 2 batch axes once"),
        (lambda td: td.repeat(2), ValueError, "fewer numbers than the 2 batch axes"),
        (lambda td: td.unbind(2), IndexError, "batch axis 2"),
    ],
)
def test_errors_count_batch_axes_only(td, call, error, words):
    with pytest.raises(error) as caught:
        call(td)
    assert words in str(caught.value)
