"""`frl.decompositions`: they compute what they replace, in another form."""

import math

import pytest
import torch

from frl.decompositions import decompositions
from frl.tracing import trace


def operators(f, *args):
    module = trace(lambda *x: [f(*x)], args, decompositions()).module()
    return lambda *x: module(*x)[0], [node.target for node in module.graph.nodes]


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
    graph, targets = operators(torch.nn.functional.linear, x, w, b)
    assert torch.ops.aten.mm.default in targets
    torch.testing.assert_close(graph(x, w, b), torch.nn.functional.linear(x, w, b))


@pytest.mark.parametrize(("rows", "copied"), [(256, True), (257, False)])
def test_the_transpose_of_a_small_matrix_is_copied_for_blas(rows, copied):
    x, w = ramp(64, 256), ramp(rows, 256)
    graph, targets = operators(lambda x, w: x @ w.T, x, w)
    assert (torch.ops.prims.inductor_force_stride_order.default in targets) is copied
    torch.testing.assert_close(graph(x, w), x @ w.T)


def test_the_transposes_of_several_small_matrices_are_copied_for_blas():
    x, w = ramp(3, 64, 8), ramp(3, 5, 8)
    graph, targets = operators(lambda x, w: x @ w.mT, x, w)
    assert torch.ops.prims.inductor_force_stride_order.default in targets
    torch.testing.assert_close(graph(x, w), x @ w.mT)


def test_a_matrix_that_lies_as_it_is_read_is_not_copied():
    _, targets = operators(torch.mm, ramp(64, 8), ramp(8, 3))
    assert torch.ops.prims.inductor_force_stride_order.default not in targets
