"""The bundle of functions, and the labels that a sample gets."""

import pytest
import torch

from frl import TensorDict
from frl.replay.base import labelled
from tests.replay.registry import BUFFERS, filled


@pytest.mark.parametrize("buffer", BUFFERS.values(), ids=BUFFERS.keys())
def test_the_bundle_says_how_many_rows_it_keeps_and_how_many_a_sample_has(buffer):
    state = filled(buffer, 5)
    assert state["data"].batch_size == (buffer.capacity,)
    assert state["size"] == buffer.capacity
    assert buffer.batch_size == 5


def test_a_label_is_repeated_over_the_steps_of_a_sequence():
    td = TensorDict({"a": torch.zeros(2, 3, 1)}, [2, 3])
    assert labelled(td, {"index": torch.tensor([5, 7])})["index"].tolist() == [[5, 5, 5], [7, 7, 7]]
    assert labelled(td, {"index": torch.zeros(2, 3)})["index"].shape == (2, 3)
