"""`frl.compile(f, shards=n)`: the parts of the leading axis at the same time, and the same results."""

import threading

import pytest
import torch

from frl import random, tree
from frl.compilation import compile, compiler_available
from frl.sharding import Sharded

needs_compiler = pytest.mark.skipif(not compiler_available(), reason="no C++ compiler")


def doubled(state, x):
    return {"x": state["x"] + x, "key": torch.vmap(lambda k: random.split(k)[0])(state["key"])}, (state["x"] * x).sum(1)


def arguments(members: int = 6):
    return {"x": torch.arange(3.0 * members).view(members, 3), "key": random.key(torch.arange(members))}, torch.ones(
        members, 3
    )


def assert_equal(x, y):
    for a, b in zip(tree.leaves(x), tree.leaves(y), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("shards", [1, 2, 3, 6])
def test_the_results_of_the_parts_lie_end_to_end(shards):
    assert_equal(Sharded(doubled, shards)(*arguments()), doubled(*arguments()))


@needs_compiler
@pytest.mark.parametrize("donate", [False, True])
def test_compiled_it_is_the_function(donate):
    f = compile(doubled, shards=2, donate=donate)
    state, x = arguments()
    expected, _ = arguments()
    for _ in range(3):
        state, sums = f(state, x)
        expected, expected_sums = doubled(expected, x)
        assert_equal((state, sums), (expected, expected_sums))


@needs_compiler
def test_a_donated_state_is_written_over_and_not_copied():
    state, x = arguments()
    after, _ = compile(doubled, shards=2, donate=True)(state, x)
    assert after["x"] is state["x"]
    assert_equal(after["x"], torch.arange(18.0).view(6, 3) + 1)


def test_a_result_that_is_the_argument_is_not_copied_and_a_part_of_it_is():
    x = torch.arange(8.0).view(4, 2)
    same, part = Sharded(lambda x: (x, x[:, :1]), 2)(x)
    assert same is x
    assert part.tolist() == [[0.0], [2.0], [4.0], [6.0]]


def test_each_part_has_a_thread_of_one_core_and_the_caller_keeps_its_own():
    before, meet, found = torch.get_num_threads(), threading.Barrier(2, timeout=30), []

    def f(x):
        if len(found) >= 2:  # before, the first part went alone, to compile
            meet.wait()
        found.append(torch.get_num_threads())
        return x

    torch.set_num_threads(2)
    try:
        sharded = Sharded(f, 2)
        for _ in range(2):
            sharded(torch.ones(4))
        assert found == [1, 1, 1, 1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_an_error_of_a_part_is_the_callers():
    def f(x):
        raise ArithmeticError(f"{len(x)} rows")

    with pytest.raises(ArithmeticError, match="2 rows"):
        Sharded(f, 2)(torch.ones(4))


def test_within_another_compiled_function_it_is_the_function(traced_graphs):
    inner = compile(lambda x: x * x.mean(), shards=2)
    assert compile(lambda x: inner(x))(torch.tensor([1.0, 3.0])).tolist() == [2.0, 6.0]
    assert len(traced_graphs) == 1
