"""`frl.control`: one loop and one branch in eager, compiled, vmapped and differentiated programs."""

import pytest
import torch
from torch import Tensor

from frl import tree
from frl.compilation import compile, compiler_available
from frl.control import cond, scan
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


def branch(x: Tensor, w: Tensor):
    """Each side closes over the weights; one runs a loop; of what both return as it is nothing is computed."""

    def long(td):
        total, ys = scan(lambda c, y: (torch.tanh(c @ w) + y, c.sum()), td["x"], torch.ones(3, 2))
        return {"x": total, "kept": td["kept"]}, ys

    def short(td):
        return {"x": td["x"] + w[0], "kept": td["kept"]}, torch.zeros(3)

    return cond(x.sum() > 0, long, short, {"x": x, "kept": w})


SIDES = {"true": torch.tensor([1.0, 2.0]), "false": torch.tensor([-1.0, -2.0])}


@pytest.mark.parametrize("side", SIDES)
def test_only_the_side_that_is_chosen_runs(side):
    ran = []
    cond(SIDES[side].sum() > 0, lambda: ran.append("true"), lambda: ran.append("false"))
    assert ran == [side]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("compiler", [traced, dynamo])
def test_a_compiled_branch_is_the_chosen_side(side, compiler):
    x, w = SIDES[side], torch.tensor([[0.5, 0.0], [0.25, 1.0]])
    assert_close(compiler(branch)(x, w), branch(x, w))


@pytest.mark.skipif(not compiler_available(), reason="no C++ compiler")
def test_one_program_takes_either_side_of_branches_within_loops_and_around_them():
    w = torch.tensor([[0.5, 0.0], [0.25, 1.0]])

    def f(x):
        return scan(lambda c, i: (cond(i % 2 == 0, lambda c: c - 1, lambda c: 2 * c, c), c), x, length=3), branch(x, w)

    compiled = compile(f)
    for x in SIDES.values():
        assert_close(compiled(x), f(x))


@pytest.mark.skipif(not compiler_available(), reason="no C++ compiler")
def test_the_sides_of_a_program_may_return_a_value_twice_and_parts_of_it():
    def f(x):
        return cond(x.sum() > 0, lambda x: (2 * x, 2 * x, x[:1]), lambda x: (x, x, x[1:]), x)

    compiled = compile(f)
    for x in SIDES.values():
        assert_close(compiled(x), f(x))


def test_a_vmapped_branch_is_the_branch_of_each_member():
    x, w = torch.stack(list(SIDES.values())), torch.eye(2)
    for f in (torch.vmap(branch, (0, None)), traced(torch.vmap(branch, (0, None)))):
        together = f(x, w)
        for i in range(2):
            assert_close(tree.map(lambda x, i=i: x[i], together), branch(x[i], w))


@pytest.mark.parametrize("side", SIDES)
def test_the_gradient_of_a_branch_is_that_of_the_chosen_side(side):
    gradient = torch.func.grad(lambda x: cond(x.sum() > 0, lambda x: (x**2).sum(), lambda x: (3 * x).sum(), x))
    expected = {"true": [2.0, 4.0], "false": [3.0, 3.0]}[side]
    assert gradient(SIDES[side]).tolist() == traced(gradient)(SIDES[side]).tolist() == expected


def test_compiled_it_is_one_operator_that_returns_what_changes():
    graph = trace(lambda *x: tree.leaves(branch(*x)), (SIDES["true"], torch.eye(2)))
    (node,) = [node for node in graph.fx.nodes if node.target is torch.ops.higher_order.cond]
    assert [tuple(x.shape) for x in node.meta["val"]] == [(2,), (3,)]
    assert graph.outputs[1] is graph.inputs[1]


@pytest.mark.parametrize("compiler", [torch.vmap, traced])
def test_sides_that_differ_are_named(compiler):
    def differing(other):
        return lambda x: cond(x.sum() > 0, lambda x: {"a": x}, other, x)

    x = torch.ones(1, 2)
    with pytest.raises(ValueError, match=r"leaf 'a' is float32 \[.*\] of true but float64"):
        compiler(differing(lambda x: {"a": x.double()}))(x)
    with pytest.raises(ValueError, match=r"the leaves \['a'\] but false \['b'\]"):
        compiler(differing(lambda x: {"b": x}))(x)


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
