"""Every test runs with one thread and must leave the global random number generator as it found it."""

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _global_generator_untouched() -> Iterator[None]:
    torch.set_num_threads(1)
    before = torch.random.get_rng_state()
    yield
    assert torch.equal(before, torch.random.get_rng_state()), "the test advanced torch's global generator"
