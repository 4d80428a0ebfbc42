"""`frl.compile`: traced once, compiled whole, and equal to the function it compiles.

Most laws concern the traced graph, and run it as it is: `traced_graphs` leaves out the C++ compiler, which takes
seconds.
"""

import contextlib
import gc
import platform

import pytest
import torch
from torch import Tensor

from frl import random, tree
from frl.compilation import compile, compiler_available
from frl.control import scan

needs_compiler = pytest.mark.skipif(not compiler_available(), reason="no C++ compiler")


def assert_close(x, y):
    for a, b in zip(tree.leaves(x), tree.leaves(y), strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-5)


def step(state, x):
    """A loop that closes over weights, draws, and a gradient inside."""

    def body(w, x):
        grad = torch.func.grad(lambda w: ((x @ w).clamp(-1, 1) ** 2).mean())(w)
        return w - torch.tensor(0.1) * grad, (x * w).sum()

    w, ys = scan(body, state["w"], x + random.normal(x.shape, state["key"]))
    return {"w": w, "key": random.split(state["key"])[0], "n": state["n"] + 1}, ys


def initial(seed: int = 0):
    return {"w": torch.ones(3), "key": random.key(seed), "n": torch.tensor(0)}


@needs_compiler
@pytest.mark.parametrize("donate", [False, True])
def test_compiled_it_is_the_function(donate):
    compiled = compile(step, donate=donate)
    x = torch.ones(4, 3)
    state, expected = initial(), initial()
    for _ in range(3):
        state, ys = compiled(state, x)
        expected, expected_ys = step(expected, x)
        assert_close((state, ys), (expected, expected_ys))


@needs_compiler
def test_a_compiled_population_is_the_vmapped_function():
    states = tree.stack([initial(0), initial(1)])
    f = torch.vmap(step, (0, None))
    assert_close(compile(f)(states, torch.ones(4, 3)), f(states, torch.ones(4, 3)))


@needs_compiler
def test_the_next_step_may_take_a_value_and_its_copy():
    """As a state that is also the observation; Inductor removes the copy, and one tensor was handed on twice."""

    def sums(x, xs):
        def body(carry, x):
            total = carry[0] + x
            return (total, total.clone()), carry[1]

        return scan(body, (x, 2 * x), xs)

    x, xs = torch.ones(4), torch.ones(3, 4)
    assert_close(compile(sums)(x, xs), sums(x, xs))


@needs_compiler
def test_the_next_step_may_take_a_value_and_a_part_of_it():
    """As a state of which a part is observed; the part was cut out of a value that had been handed on already."""

    def sums(x, xs):
        def body(carry, x):
            total = carry["state"] + x + carry["rows"].flatten()
            return {"state": total, "seen": total[1:3], "rows": total.view(2, 2)}, carry["seen"]

        last, ys = scan(body, {"state": x, "seen": x[:2], "rows": x.view(2, 2)}, xs)
        return tree.map(lambda x: x + 1, last), ys

    x, xs = torch.ones(4), torch.arange(12.0).view(3, 4)
    assert_close(compile(sums)(x, xs), sums(x, xs))


@needs_compiler
def test_the_next_step_may_take_parameters_and_the_vector_that_holds_them():
    """Where the product of a vector is taken: a write in it takes the graph another way through the compiler."""

    def descend(flat, xs):
        def body(carry, x):
            flat = carry["flat"]
            flat = flat - 0.1 * torch.func.grad(lambda f: ((x @ f[:6].view(2, 3) + f[6:]) ** 2).sum())(flat)
            return {"flat": flat, "weight": flat[:6].view(2, 3)}, carry["weight"]

        return scan(body, {"flat": flat, "weight": torch.zeros(2, 3)}, xs)

    flat, xs = torch.linspace(-1, 1, 9), torch.arange(6.0).view(3, 2) / 6
    assert_close(compile(descend)(flat, xs), descend(flat, xs))


@needs_compiler
def test_what_reads_a_part_of_a_loops_result_reads_that_part():
    """As parameters that one flat vector holds; Inductor counted twice where the part begins."""

    def split(x, xs):
        def body(x, y):
            flat = torch.cat([x["a"], x["b"].flatten()]) + y
            return {"a": flat[:2], "b": flat[2:].view(2, 3)}, ()

        x, _ = scan(body, x, xs)
        return {"a": -x["a"], "b": -x["b"]}

    x, xs = {"a": torch.ones(2), "b": torch.ones(2, 3)}, torch.arange(24.0).view(3, 8)
    assert_close(compile(split)(x, xs), split(x, xs))


@needs_compiler
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="other processors lose no time on them")
@pytest.mark.parametrize("size", [1, 2**18], ids=["one thread", "several"])
def test_a_number_below_the_smallest_normal_one_is_zero_inside_and_not_afterwards(size):
    x = torch.full((size,), torch.finfo(torch.float32).tiny)
    assert compile(lambda x: x / 2)(x).count_nonzero() == 0
    assert (x / 2).count_nonzero() == size


def test_values_do_not_recompile_but_shapes_and_dtypes_do(traced_graphs):
    f = compile(lambda x: 2 * x)
    for x in (torch.ones(2), torch.zeros(2), torch.ones(4).view(2, 2).t()[0]):
        assert f(x).tolist() == (2 * x).tolist()
    assert len(traced_graphs) == 1
    f(torch.ones(3))
    f(torch.ones(2, dtype=torch.float64))
    assert len(traced_graphs) == 3


def test_python_numbers_are_part_of_the_program(traced_graphs):
    f = compile(lambda x, n: x * n)
    assert [f(torch.ones(1), n).item() for n in (2, 3, 2)] == [2.0, 3.0, 2.0]
    assert len(traced_graphs) == 2


def test_a_closed_over_tensor_is_read_at_each_call(traced_graphs):
    weight = torch.ones(2)
    f = compile(lambda x: scan(lambda c, x: (c + weight, x * weight), weight, x))
    assert_close(f(torch.ones(3, 2)), (torch.full((2,), 4.0), torch.ones(3, 2)))
    weight.fill_(2)
    assert_close(f(torch.ones(3, 2)), (torch.full((2,), 8.0), torch.full((3, 2), 2.0)))


def test_a_state_of_any_structure_goes_through_without_tracing_again(traced_graphs):
    f = compile(step)
    state = initial()
    for _ in range(3):
        state, _ = f(state, torch.ones(4, 3))
    assert state["n"].item() == 3
    assert len(traced_graphs) == 1


def test_a_compiled_function_within_another_becomes_part_of_its_program(traced_graphs):
    inner = compile(lambda x: x + 1)
    assert compile(lambda x: 2 * inner(x))(torch.ones(1)).item() == 4.0
    assert len(traced_graphs) == 1


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_rests_while_tracing_and_is_afterwards_as_it_was(traced_graphs, enabled):
    def f(x):
        assert not gc.isenabled()
        return x if enabled else x.item()

    was = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        with contextlib.nullcontext() if enabled else pytest.raises(RuntimeError):
            compile(f)(torch.ones(1))
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()


def test_donation_writes_the_new_state_over_the_old(traced_graphs):
    old = initial()
    new, _ = compile(step, donate=True)(old, torch.ones(4, 3))
    assert new["w"] is old["w"]
    assert_close(new, step(initial(), torch.ones(4, 3))[0])


def test_donation_keeps_leaves_that_trade_places(traced_graphs):
    f = compile(lambda s: {"a": s["b"], "b": s["a"], "c": s["c"] + s["a"]}, donate=True)
    state = f({"a": torch.zeros(1), "b": torch.ones(1), "c": torch.ones(1)})
    assert [x.item() for x in state.values()] == [1.0, 0.0, 1.0]
    assert [x.item() for x in f(state).values()] == [0.0, 1.0, 2.0]


def test_donation_of_one_tensor_under_two_names_writes_each_apart(traced_graphs):
    x = torch.ones(1)
    state = compile(lambda s: {"a": s["a"] + 1, "b": s["b"] + 2}, donate=True)({"a": x, "b": x})
    assert [x.item() for x in state.values()] == [2.0, 3.0]


def test_donation_needs_a_state_of_one_structure(traced_graphs):
    with pytest.raises(ValueError, match="donate=True, but the function does not return its first argument's"):
        compile(lambda s: {"b": s["a"]}, donate=True)({"a": torch.ones(1)})


def branch(x: Tensor) -> Tensor:
    return x if x.sum() > 0 else -x


def test_a_branch_on_a_value_names_the_function_and_the_remedy(traced_graphs):
    with pytest.raises(RuntimeError, match=r"compile: branch asks for the value of a tensor.*torch\.where"):
        compile(branch)(torch.ones(3))


def test_a_leaf_that_requires_grad_is_refused_by_name(traced_graphs):
    with pytest.raises(ValueError, match=r"argument leaf '0\.w' requires grad"):
        compile(lambda p: p["w"] * 2)({"w": torch.ones(1, requires_grad=True)})


def test_a_result_that_is_no_tensor_is_refused_by_name(traced_graphs):
    with pytest.raises(TypeError, match=r"returns 'loss' = 1\.0, which is no tensor"):
        compile(lambda x: {"loss": 1.0, "x": x})(torch.ones(1))


def test_without_a_compiler_it_is_the_function_and_one_line_says_so(monkeypatch, capsys):
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert not compiler_available()
    assert compile(step) is step
    assert capsys.readouterr().err.count("\n") == 1
