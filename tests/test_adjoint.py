"""`frl.adjoint`: the gradient of a loop as a loop, of any order, equal to that of the unrolled one."""

import pytest
import torch
from torch.testing import assert_close

from frl import control, random, tree
from frl.adjoint import scan
from frl.tracing import trace
from tests.traced import traced

T, B, D = 5, 2, 3


def body(params, carry, x):
    value, skip = x
    h = torch.tanh(carry["h"] @ params["w"] + value)
    h = torch.where(skip, carry["h"], h)
    return {"h": h}, (h.sum(-1), 2 * h)


def arguments():
    k = random.split(random.key(0), 4)
    skip = random.bernoulli(torch.full((T, B, 1), 0.3), k[3])
    return (
        {"w": random.normal((D, D), k[0])},
        {"h": random.normal((B, D), k[1])},
        (random.normal((T, B, D), k[2]), skip),
    )


def loss(params, carry, xs, loop=scan, reverse=False):
    last, (sums, doubled) = loop(body, params, carry, xs, reverse=reverse)
    return last["h"].square().sum() + (sums * torch.arange(len(sums)).unsqueeze(-1)).sum() + doubled.cos().sum()


def plain(body, params, carry, xs, reverse):
    return control.scan(lambda c, x: body(params, c, x), carry, xs, reverse=reverse, strategy="loop")


def gradient(params, carry, value, skip, **options):
    return torch.func.grad(lambda p, c, v: loss(p, c, (v, skip), **options), (0, 1, 2))(params, carry, value)


@pytest.mark.parametrize("reverse", [False, True])
def test_the_gradient_is_that_of_the_unrolled_loop(reverse):
    params, carry, (value, skip) = arguments()
    expected = gradient(params, carry, value, skip, loop=plain, reverse=reverse)
    for run in (gradient, traced(lambda *args: gradient(*args, reverse=reverse))):
        options = {"reverse": reverse} if run is gradient else {}
        assert_close(tree.leaves(run(params, carry, value, skip, **options)), tree.leaves(expected))


def test_the_value_is_that_of_the_loop():
    params, carry, xs = arguments()
    both = torch.func.grad_and_value(loss)
    assert_close(traced(both)(params, carry, xs)[1], loss(params, carry, xs))


def test_the_graph_holds_two_loops_however_many_steps_there_are():
    params, carry, (value, skip) = arguments()
    sizes = []
    for n in (2, 5):
        inputs = [*tree.leaves(params), *tree.leaves(carry), value[:n], skip[:n]]
        graph = trace(lambda w, h, v, s: tree.leaves(gradient({"w": w}, {"h": h}, v, s)), inputs)
        assert len(graph.bodies) == 2
        sizes.append(len(graph.fx.nodes))
    assert sizes[0] == sizes[1]


def test_it_can_be_vmapped_over_parameters_and_inputs():
    params, carry, (value, skip) = arguments()
    many = tree.stack([tree.map(lambda x, f=f: f * x, params) for f in (1.0, 0.5)])
    values = torch.stack([value, -value])

    def every(params, values):
        return torch.vmap(gradient, (0, None, 0, None))(params, carry, values, skip)

    expected = tree.stack(
        [gradient(many_i, carry, values[i], skip, loop=plain) for i, many_i in enumerate(unstacked(many))]
    )
    assert_close(tree.leaves(traced(every)(many, values)), tree.leaves(expected))


def unstacked(many):
    return [tree.map(lambda x, i=i: x[i], many) for i in range(2)]


def test_second_derivatives_are_those_of_the_unrolled_loop():
    params, carry, (value, skip) = arguments()

    def sharpness(params, carry, value, skip, **options):
        def norm(p):
            return sum(x.square().sum() for x in tree.leaves(gradient(p, carry, value, skip, **options)))

        return torch.func.grad(norm)(params)

    expected = sharpness(params, carry, value, skip, loop=plain)
    assert_close(
        tree.leaves(traced(sharpness)(params, carry, value, skip)), tree.leaves(expected), rtol=1e-4, atol=1e-4
    )


@pytest.mark.filterwarnings("ignore:`torch.jit.script`")  # of the library that jvp imports
def test_forward_derivatives_unroll():
    params, carry, (value, skip) = arguments()

    def directional(value):
        return torch.func.jvp(lambda v: loss(params, carry, (v, skip)), (value,), (torch.ones_like(value),))[1]

    assert_close(traced(directional)(value), directional(value))
