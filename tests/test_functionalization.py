"""`frl.functionalization`: writes into fresh results become new results; the others stay, and are seen."""

import torch

from frl.functionalization import functionalize, mutates
from frl.tracing import trace


def functional(f, x):
    module = trace(f, [x]).module()
    functionalize(module)
    module.recompile()
    return module


def test_a_write_into_a_fresh_result_becomes_a_new_result():
    def f(x):
        y = x + 1
        y.mul_(2)
        return [y + y]

    module = functional(f, torch.ones(2))
    assert not mutates(module)
    assert module(torch.ones(2))[0].tolist() == [8.0, 8.0]


def test_derivatives_leave_no_write_in_the_graph():
    f = torch.func.grad(lambda x: (torch.minimum(x, 1 - x).clamp(-0.5, 0.5) ** 2).sum())
    x = torch.linspace(-1, 1, 5)
    module = functional(lambda x: [f(x)], x)
    assert not mutates(module)
    torch.testing.assert_close(module(x)[0], f(x))


def test_a_product_with_a_vector_leaves_no_write_in_the_graph():
    x = torch.tensor([1.0, 10.0])
    module = functional(lambda x: [x @ (x[:, None] * x)], x)
    assert not mutates(module)
    assert module(x)[0].tolist() == [101.0, 1010.0]


def test_a_write_through_a_view_stays_and_is_seen():
    def f(x):
        y = x.clone()
        y[0].zero_()
        return [y]

    module = functional(f, torch.ones(2))
    assert mutates(module)
    assert module(torch.ones(2))[0].tolist() == [0.0, 1.0]


def test_a_donation_at_the_end_is_no_write_to_be_removed():
    module = functional(lambda x: [x.copy_(x + 1)], torch.ones(1))
    assert not mutates(module)


def test_a_linear_layer_over_steps_that_lie_otherwise_in_memory_leaves_no_write_in_the_graph():
    weight, bias, xs = torch.ones(2, 3), torch.tensor([1.0, 10.0]), torch.arange(12.0).reshape(2, 2, 3)
    module = functional(lambda x: [torch.nn.functional.linear(x.movedim(1, 0), weight, bias)], xs)
    assert not mutates(module)
    torch.testing.assert_close(module(xs, weight, bias)[0], torch.nn.functional.linear(xs.movedim(1, 0), weight, bias))


def test_a_write_through_the_only_view_of_an_argument_stays():
    module = functional(lambda x: [x.view(2, 1).add_(1)], torch.ones(2))
    assert mutates(module)
