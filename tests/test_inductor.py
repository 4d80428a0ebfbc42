"""`frl.inductor`: settings that hold while compiling only, and decompositions that compute what they replace."""

import contextlib
import gc
import math

import pytest
import torch
from torch._inductor import config
from torch._inductor.dtype_propagation import DtypePropagationOpsHandler
from torch.fx.experimental.proxy_tensor import make_fx

from frl import inductor


def operators(f, *args):
    graph = make_fx(f, inductor.decompositions(), tracing_mode="fake")(*args)
    return graph, [node.target for node in graph.graph.nodes]


def test_settings_hold_inside_and_not_after():
    before, fill = config.cpp_wrapper, DtypePropagationOpsHandler.__init__
    with inductor.settings():
        assert config.cpp_wrapper
        assert DtypePropagationOpsHandler.__init__ is not fill
    assert config.cpp_wrapper is before
    assert DtypePropagationOpsHandler.__init__ is fill


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_afterwards_as_it_was_even_if_the_compilation_fails(enabled):
    was = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        with contextlib.suppress(RuntimeError), inductor.settings():
            assert not gc.isenabled()
            raise RuntimeError("no compiler")
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()


def test_tanh_is_exact_to_the_last_digits_from_end_to_end():
    x = torch.tensor([-torch.inf, -100.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 100.0, torch.inf])
    graph, targets = operators(torch.tanh, x)
    assert torch.ops.aten.tanh.default not in targets
    torch.testing.assert_close(graph(x), torch.tanh(x), rtol=0, atol=2e-7)


def ramp(*shape):
    return torch.linspace(-1, 1, math.prod(shape)).reshape(shape)


def test_a_few_rows_are_summed_and_not_sent_to_blas():
    x, w, b = ramp(4, 8), ramp(3, 8), ramp(3)
    graph, targets = operators(torch.nn.functional.linear, x, w, b)
    assert torch.ops.aten.addmm.default not in targets
    torch.testing.assert_close(graph(x, w, b), torch.nn.functional.linear(x, w, b))


def test_many_rows_are_sent_to_blas():
    x, w, b = ramp(64, 8), ramp(3, 8), ramp(3)
    _, targets = operators(torch.nn.functional.linear, x, w, b)
    assert torch.ops.aten.addmm.default in targets
