"""`frl.control`: one loop in eager, compiled, vmapped and differentiated programs."""

import pytest
import torch
from torch import Tensor

from frl import tree
from frl.control import scan
from frl.tracing import trace
from tests.traced import traced


def recurrent(w: Tensor, xs: Tensor, h: Tensor):
    def body(carry, x):
        h = torch.tanh(carry["h"] @ w + x["a"])
        return {"h": h}, (2 * h, x["a"].sum())

    return scan(body, {"h": h}, {"a": xs})


def loss(w: Tensor, xs: Tensor, h: Tensor) -> Tensor:
    carry, (doubled, _) = recurrent(w, xs, h)
    return (carry["h"] ** 2).sum() + doubled.sum()


def arguments() -> tuple[Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    return torch.randn(3, 3, generator=g), torch.randn(5, 2, 3, generator=g), torch.randn(2, 3, generator=g)


def assert_close(x, y):
    for a, b in zip(tree.leaves(x), tree.leaves(y), strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-5)


def stack(n: int):
    w, xs, h = arguments()
    return torch.stack([w * (i + 1) / n for i in range(n)]), xs, torch.stack([h + i for i in range(n)])


def dynamo(f):
    return torch.compile(f, backend="aot_eager", fullgraph=True, dynamic=False)


def test_it_folds_and_stacks():
    total, sums = scan(lambda c, x: (c + x, c + x), torch.tensor(0), torch.tensor([1, 2, 3]))
    assert (total.item(), sums.tolist()) == (6, [1, 3, 6])


def test_reverse_folds_from_the_end_and_keeps_the_order_of_xs():
    total, sums = scan(lambda c, x: (c + x, c + x), torch.tensor(0), torch.tensor([1, 2, 3]), reverse=True)
    assert (total.item(), sums.tolist()) == (6, [6, 5, 3])


def test_without_xs_it_counts():
    total, ys = scan(lambda c, i: (c + i, ()), torch.tensor(0), length=4)
    assert (total.item(), ys) == (6, ())


TRANSFORMED = {
    "plain": (recurrent, arguments()),
    "vmap over closed-over weights, carry not batched": (
        torch.vmap(recurrent, (0, None, None)),
        (stack(4)[0], *arguments()[1:]),
    ),
    "vmap over the carry alone": (torch.vmap(recurrent, (None, None, 0)), (arguments()[0], *stack(4)[1:])),
    "vmap of vmap": (torch.vmap(torch.vmap(recurrent, (None, None, 0)), (0, None, None)), stack(4)),
}
DIFFERENTIATED = {
    "grad": (torch.func.grad(loss), arguments()),
    "grad in all": (torch.func.grad(loss, (0, 1, 2)), arguments()),
    "vmap of grad": (torch.vmap(torch.func.grad(loss), (0, None, 0)), stack(4)),
}


@pytest.mark.parametrize("case", TRANSFORMED)
@pytest.mark.parametrize("compiler", [traced, dynamo])
def test_compiled_it_is_the_python_loop(case, compiler):
    f, args = TRANSFORMED[case]
    assert_close(compiler(f)(*args), f(*args))


@pytest.mark.parametrize("case", DIFFERENTIATED)
def test_traced_gradients_are_those_of_the_python_loop(case):
    f, args = DIFFERENTIATED[case]
    assert_close(traced(f)(*args), f(*args))


def test_a_vmapped_loop_is_the_loop_of_each_member():
    w, xs, h = stack(3)
    together = torch.vmap(recurrent, (0, None, 0))(w, xs, h)
    for i in range(3):
        assert_close(tree.map(lambda x, i=i: x[i], together), recurrent(w[i], xs, h[i]))


def test_compiled_it_is_one_operator_and_not_unrolled():
    graph = trace(lambda *x: tree.leaves(recurrent(*x)), arguments())
    assert [node.target for node in graph.fx.nodes].count(torch.ops.higher_order.scan) == 1
    assert len(graph.fx.nodes) < 15


def test_strategy_loop_unrolls_the_compiled_program():
    def f(c, xs):
        return scan(lambda c, x: (c + x, c * x), c, xs, strategy="loop")

    graph = trace(f, (torch.zeros(2), torch.ones(3, 2)))
    assert torch.ops.higher_order.scan not in [node.target for node in graph.fx.nodes]


ONES = torch.ones(3, 2)
WRONG = {
    "shape": (lambda c, x: ({"a": {"b": c["a"]["b"][None]}}, x), ValueError, r"'a\.b' is float32 \[2\].*\[1, 2\]"),
    "dtype": (lambda c, x: ({"a": {"b": c["a"]["b"].double()}}, x), ValueError, r"'a\.b'.*float64"),
    "number": (lambda c, x: ({"a": {"b": 1.0}}, x), ValueError, r"'a\.b'.*returned 1\.0"),
    "structure": (lambda c, x: ({"a": c["a"]["b"]}, x), ValueError, r"leaves \['a\.b'\] but body returned \['a'\]"),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("compiler", [lambda f: f, traced])
def test_a_changed_carry_names_the_leaf(case, compiler):
    body, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        compiler(lambda c, xs: scan(body, {"a": {"b": c}}, xs))(torch.zeros(2), ONES)


def test_bad_arguments_are_named():
    def body(c, x):
        return c, x

    c = torch.zeros(2)
    with pytest.raises(ValueError, match="neither xs nor length"):
        scan(body, c)
    with pytest.raises(ValueError, match="there is no step"):
        scan(body, c, ONES[:0])
    with pytest.raises(ValueError, match="leading axes of xs differ"):
        scan(body, c, {"a": ONES, "b": ONES[:2]})
    with pytest.raises(ValueError, match="leading axes of xs differ"):
        scan(body, c, ONES, length=2)
    with pytest.raises(ValueError, match=r"xs leaf 'b' has shape \[\]"):
        scan(body, c, {"a": ONES, "b": torch.tensor(1.0)})
    with pytest.raises(TypeError, match=r"carry leaf 'lr' is float 0\.1"):
        scan(body, {"lr": 0.1}, ONES)
    with pytest.raises(ValueError, match="strategy is 'fast'"):
        scan(body, c, ONES, strategy="fast")  # type: ignore[arg-type]
