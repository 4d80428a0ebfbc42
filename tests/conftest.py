"""Every test runs with one thread and must leave the global random number generator as it found it."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from frl import compilation


@pytest.fixture(autouse=True)
def _global_generator_untouched() -> Iterator[None]:
    torch.set_num_threads(1)
    before = torch.random.get_rng_state()
    yield
    assert torch.equal(before, torch.random.get_rng_state()), "the test advanced torch's global generator"


@pytest.fixture
def traced_graphs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Makes `frl.compile` run what it traced as it is, without the C++ compiler, and lists the graphs."""
    graphs: list[Any] = []

    def run_graph(graph: Any) -> Any:
        graphs.append(graph)
        module = graph.module()
        return lambda tensors: list(module(*tensors))

    monkeypatch.setattr(compilation, "_program", run_graph)
    monkeypatch.setattr(compilation, "compiler_available", lambda: True)
    return graphs
