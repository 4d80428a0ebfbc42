"""`frl.tracing`: the operators that a function runs, what it closes over, and the same numbers when run again."""

import pytest
import torch

from frl.control import scan
from frl.tracing import AsksForValue, current, replay, trace

aten = torch.ops.aten


def targets(graph):
    return [node.target for node in graph.fx.nodes if node.op == "call_function"]


def test_operators_are_written_down_below_all_transforms():
    graph = trace(lambda x: [torch.func.grad(lambda x: (x**3).sum())(x)], [torch.ones(2)])
    assert aten.pow.Tensor_Scalar in targets(graph)
    assert graph.module()(torch.tensor([1.0, 2.0]))[0].tolist() == [3.0, 12.0]


def test_one_tensor_given_twice_is_two_inputs():
    x = torch.ones(1)
    module = trace(lambda a, b: [a - b], [x, x]).module()
    assert module(torch.tensor([3.0]), torch.tensor([1.0]))[0].item() == 2.0


def test_results_may_be_inputs_and_may_repeat():
    a, b = torch.tensor([1.0]), torch.tensor([2.0])
    module = trace(lambda a, b: [b, a, a], [a, b]).module()
    assert [x.item() for x in module(a, b)] == [2.0, 1.0, 1.0]


def test_a_closed_over_tensor_is_one_more_input_however_often_it_is_read():
    weight = torch.tensor([2.0])
    graph = trace(lambda x: [x * weight + weight], [torch.ones(1)])
    assert len(graph.inputs) == 2
    assert graph.closed_over[0] is weight
    assert graph.module()(torch.tensor([3.0]), torch.tensor([5.0]))[0].item() == 20.0


def test_a_parameter_may_be_closed_over():
    weight = torch.nn.Parameter(torch.tensor([2.0]))
    graph = trace(lambda x: [x * weight], [torch.ones(1)])
    assert graph.module()(torch.ones(1), *graph.closed_over)[0].item() == 2.0


def test_a_scalar_made_inside_is_a_number_and_a_longer_constant_is_closed_over():
    assert trace(lambda x: [x + torch.tensor(0.5)], [torch.ones(1)]).closed_over == []
    graph = trace(lambda x: [x + torch.tensor([0.5, 1.5])], [torch.ones(2)])
    assert [x.tolist() for x in graph.closed_over] == [[0.5, 1.5]]
    assert graph.module()(torch.ones(2), *graph.closed_over)[0].tolist() == [1.5, 2.5]


def test_what_a_step_closes_over_comes_in_through_the_outer_graph():
    weight = torch.tensor([2.0])

    def f(x):
        inside = x.sum(0)
        return [scan(lambda c, x: (c + inside + weight, x), x[0], x)[0]]

    graph = trace(f, [torch.ones(3, 1)])
    (body,) = graph.bodies.values()
    assert len(body.closed_over) == 2
    assert graph.closed_over == [weight]
    assert graph.module()(torch.ones(3, 1), weight)[0].item() == 16.0


def test_operators_of_several_results_are_taken_apart():
    x = torch.tensor([[1.0, 3.0, 2.0]])
    module = trace(lambda x: [*torch.topk(x, 2), *x.unbind(1)], [x]).module()
    assert [y.tolist() for y in module(x)] == [[[3.0, 2.0]], [[1, 2]], [1.0], [3.0], [2.0]]


def test_an_operator_that_is_a_composition_is_written_as_its_parts():
    graph = trace(lambda x: [torch.nn.functional.linear(x, x)], [torch.ones(2, 2)])
    assert not {aten.linear.default, aten.matmul.default} & set(targets(graph))


def test_replayed_with_decompositions_each_operator_is_replaced_inside_loops_too():
    x = torch.linspace(-1, 1, 6).reshape(3, 2)
    graph = trace(lambda x: [torch.tanh(scan(lambda c, x: (torch.tanh(c + x), ()), x[0], x)[0])], [x])
    table = {aten.tanh.default: lambda x: x.sin()}
    again = trace(lambda x: replay(graph, [x]), [x], table)
    (body,) = again.bodies.values()
    assert aten.tanh.default not in {*targets(again), *targets(body)}
    expected = x[0]
    for row in x:
        expected = (expected + row).sin()
    torch.testing.assert_close(again.module()(x)[0], expected.sin())


def test_a_result_that_nothing_reads_leaves_no_operator_in_the_module():
    def f(x):
        x.exp()
        return [x + 1]

    module = trace(f, [torch.ones(1)]).module()
    assert aten.exp.default not in [node.target for node in module.graph.nodes]


@pytest.mark.parametrize(
    "f", [lambda x: [x if x.sum() > 0 else -x], lambda x: [x * x.max().item()], lambda x: [x.nonzero()]]
)
def test_a_question_for_a_value_is_an_error(f):
    with pytest.raises(AsksForValue):
        trace(f, [torch.ones(3)])


def test_only_what_runs_within_is_traced():
    seen = []

    def f(x):
        seen.append(current())
        return [x]

    assert current() is None
    trace(f, [torch.ones(1)])
    assert seen[0] is not None
    assert current() is None


def test_a_loop_closes_over_no_two_views_of_one_tensor():
    """As over parameters that one flat vector holds: torch's scan refuses them."""

    def f(x):
        a, b = (2 * x).split(2)
        return [scan(lambda carry, y: (a * carry + b * y, ()), torch.ones(2), torch.ones(3, 2))[0]]

    x = torch.tensor([0.5, 1.0, 1.5, 2.0])
    graph = trace(f, [x])
    (loop,) = (node for node in graph.fx.nodes if "scan" in str(node.target))
    storages = [node.meta["val"].untyped_storage()._cdata for node in loop.args[3]]
    assert len(set(storages)) == len(storages) == 2
    torch.testing.assert_close(graph.module()(x, *graph.closed_over), f(x))
