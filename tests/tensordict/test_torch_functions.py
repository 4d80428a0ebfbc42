"""torch's own functions on TensorDicts."""

import pytest
import torch

from frl import TensorDict


@pytest.fixture
def td():
    return TensorDict({"a": torch.arange(6.0).reshape(2, 3), "n": {"b": torch.arange(2)}, "e": {}}, [2])


def test_stack_adds_a_batch_axis():
    zeros = TensorDict({"key 1": torch.zeros(5, 1)}, [5])
    both = torch.stack([zeros, zeros + 1], 0)
    assert both.batch_size == torch.Size([2, 5])
    assert both["key 1"][:, 0, 0].tolist() == [0.0, 1.0]


def test_stack_at_the_last_place_stays_before_the_event_axes(td):
    assert torch.stack([td, td], -1)["a"].shape == torch.Size([2, 2, 3])
    assert torch.stack((td, td), dim=1)["n", "b"].shape == torch.Size([2, 2])


def test_stack_keeps_empty_entries_and_the_device_where_all_agree(td):
    assert torch.stack([td, td])["e"].batch_size == torch.Size([2, 2])
    assert torch.stack([td.cpu(), td.cpu()]).device == torch.device("cpu")
    assert torch.stack([td.cpu(), td]).device is None


def test_empty_roots_are_joined_by_their_batch_sizes():
    td = TensorDict({}, [3])
    assert torch.stack([td, td]).batch_size == torch.Size([2, 3])
    assert torch.cat([td, td]).batch_size == torch.Size([6])


def test_cat_lengthens_a_batch_axis(td):
    assert torch.cat([td, td[:1]])["n", "b"].tolist() == [0, 1, 0]
    assert torch.concatenate([td, td], dim=-1).batch_size == torch.Size([4])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: torch.reshape(x, (1, 2)),
        lambda x: torch.unsqueeze(x, 0),
        lambda x: torch.squeeze(x[:1]),
        lambda x: torch.permute(x, (0,)),
        lambda x: torch.flatten(x),
        lambda x: torch.transpose(x, 0, 0),
        lambda x: torch.flip(x, (0,)),
        lambda x: torch.roll(x, 1),
        lambda x: torch.unbind(x)[1],
        lambda x: torch.split(x, 1)[0],
        lambda x: torch.chunk(x, 2)[1],
        lambda x: torch.clone(x),
        lambda x: torch.sum(x, 0),
        lambda x: torch.zeros_like(x),
        lambda x: torch.ones_like(x),
        lambda x: torch.full_like(x, 7),
        lambda x: torch.where(torch.tensor([True, False]), x, x + 1),
        lambda x: torch.add(x, 1),
    ],
)
def test_a_function_acts_on_batch_axes(td, f):
    rows = torch.arange(2)
    assert f(td)["n", "b"].equal(f(rows))
    assert f(td).batch_size == f(rows).shape


def test_zeros_like_takes_a_dtype(td):
    assert torch.zeros_like(td, dtype=torch.int32)["a"].dtype == torch.int32


def test_gather_picks_along_the_batch(td):
    assert torch.gather(td, 0, torch.tensor([1, 1, 0]))["n", "b"].tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda td: torch.rand_like(td), TypeError, "frl.random"),
        (lambda td: torch.randn_like(td), TypeError, "frl.random"),
        (lambda td: torch.nn.functional.dropout(td), TypeError, "frl.random"),
        (lambda td: torch.cumsum(td, 0), TypeError, "td.apply(torch.cumsum)"),
        (lambda td: torch.stack([td, td[:1]]), ValueError, "item 0 has batch size [2] but item 1 has [1]"),
        (lambda td: torch.stack([td, td.exclude("a")]), ValueError, "only one of items 0 and 1 has the entries ['a']"),
        (lambda td: torch.stack([td, td.exclude(("n", "b"))]), ValueError, "entries 'n' have different keys"),
        (lambda td: torch.stack([td, td.set("a", torch.zeros(2, 4))]), ValueError, "entries 'a' do not fit together"),
        (lambda td: torch.stack([td, torch.zeros(2)]), TypeError, "item 1 is a Tensor"),
        (lambda td: torch.stack([torch.zeros(2), td]), TypeError, "item 0 is a Tensor"),
        (lambda td: torch.stack([td, td], 2), IndexError, "dim is 2 but the result has 2 batch axes"),
        (lambda td: torch.cat([td, td], 1), IndexError, "dim is 1 but there are 1 batch axes"),
        (lambda td: torch.cat([td, td.unsqueeze(1)]), ValueError, "item 1 has [2, 1]"),
    ],
)
def test_errors_name_the_key_and_the_remedy(td, call, error, words):
    with pytest.raises(error) as caught:
        call(td)
    assert words in str(caught.value)
