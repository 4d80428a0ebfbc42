"""Torch's constructors of layers draw from its global generator: here they draw the same in every test."""

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _same_layers() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
