"""`frl.inductor`: settings that hold while compiling only, and decompositions that compute what they replace."""

import math

import torch
from torch._inductor import config
from torch._inductor.dtype_propagation import DtypePropagationOpsHandler

from frl import inductor
from frl.tracing import trace


def operators(f, *args):
    module = trace(lambda *x: [f(*x)], args, inductor.decompositions()).module()
    return lambda *x: module(*x)[0], [node.target for node in module.graph.nodes]


def test_settings_hold_inside_and_not_after():
    before, fill = config.cpp_wrapper, DtypePropagationOpsHandler.__init__
    with inductor.settings():
        assert config.cpp_wrapper
        assert DtypePropagationOpsHandler.__init__ is not fill
    assert config.cpp_wrapper is before
    assert DtypePropagationOpsHandler.__init__ is fill


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
