"""`frl.invariants`: what is the same in each step of a loop is computed before it, once."""

import torch

from frl import tree
from frl.control import scan
from frl.tracing import trace

MANY, FEW = torch.arange(256.0), torch.arange(8.0)
aten = torch.ops.aten


def operators(graph):
    return [str(node.target) for node in graph.module().graph.nodes if node.op == "call_function"]


def traced(step, closed_over):
    """The operators before a loop over a vector, those in its step, and that the loop computes what it did."""

    def f(x, closed_over):
        return tree.leaves(scan(lambda c, x: step(c, x, closed_over), x[0], x))

    x = torch.ones(3, *closed_over.shape)
    graph = trace(f, [x, closed_over])
    for found, expected in zip(graph.module()(x, closed_over), f(x, closed_over), strict=True):
        torch.testing.assert_close(found, expected)
    return operators(graph), operators(next(iter(graph.bodies.values())))


def test_what_depends_on_nothing_but_the_closed_over_moves_out():
    before, inside = traced(lambda c, x, w: (c + (w * 2).exp().neg() * x, ()), MANY / 256)
    assert {"aten.mul.Tensor", "aten.exp.default", "aten.neg.default"} <= set(before)
    assert inside == ["aten.mul.Tensor", "aten.add.Tensor", "aten.clone.default"]


def test_a_view_of_it_stays_where_it_is_free():
    before, inside = traced(lambda c, x, w: (c + w.flip(0).view(16, 16).T.reshape(-1), ()), MANY)
    assert "aten.flip.default" in before
    assert "aten.flip.default" not in inside


def test_what_is_small_stays_since_handing_it_in_costs_more():
    assert "aten.exp.default" in traced(lambda c, x, w: (c + w.exp(), ()), FEW / 8)[1]


def test_what_depends_on_the_carry_or_the_step_stays():
    inside = traced(lambda c, x, w: ((c + w).exp() * 0, (x * w).sin()), MANY / 256)[1]
    assert {"aten.exp.default", "aten.sin.default"} <= set(inside)


def test_what_a_step_writes_into_stays_in_it():
    inside = traced(lambda c, x, w: (w.neg().view(16, 16).add_(1).view(-1) + c, ()), MANY)[1]
    assert "aten.neg.default" in inside


def test_what_is_drawn_anew_in_each_step_stays_in_it():
    x = torch.ones(3, 256)
    graph = trace(lambda x, w: tree.leaves(scan(lambda c, x: (c + torch.rand_like(w), ()), x[0], x)), [x, MANY])
    assert "aten.rand_like.default" in operators(next(iter(graph.bodies.values())))


def test_a_result_of_each_step_stays_in_it():
    assert "aten.clone.default" in traced(lambda c, x, w: (c + x, w), MANY)[1]


def test_it_moves_out_of_several_loops_one_within_another():
    def step(c, x, w):
        return c + scan(lambda d, y: (d + (w * w) * y, ()), x, torch.stack([x, x]))[0], ()

    before, inside = traced(step, MANY)
    assert "aten.mul.Tensor" in before
    assert "aten.mul.Tensor" not in inside
