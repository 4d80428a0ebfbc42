"""What moves out of a generated loop, and what must stay."""

import pytest
import torch

from frl import compilation, control, random
from frl.hoisting import hoist


def allocate(name, sizes="int_array_1"):
    return [
        f"AtenTensorHandle {name}_handle;",
        f"AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(1, {sizes}, int_array_2, "
        f"cached_torch_dtype_float32, cached_torch_device_type_cpu, 0, &{name}_handle));",
        f"RAIIAtenTensorHandle {name}({name}_handle);",
    ]


def loop(*lines):
    return ["while (1) {", *(f"    {line}" for line in lines), "}"]


USE = "cpp_fused_add_0((float*)(a.data_ptr()));"


def test_what_a_step_allocates_uses_and_frees_is_allocated_before_the_loop_and_never_freed():
    program = ["start();", *loop(*allocate("a"), USE, "a.reset();"), "end();"]
    assert hoist(program) == ["start();", *allocate("a"), "while (1) {", f"    {USE}", "}", "end();"]


def test_sizes_move_along():
    sizes = "static constexpr int64_t int_array_1[] = {4L, };"
    assert hoist(loop(sizes, *allocate("a"), USE, "a.reset();"))[:2] == [sizes, allocate("a")[0]]


@pytest.mark.parametrize(
    "kept",
    [
        "next = std::move(a);",
        "AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_cpu_sort(a, &b_handle));",
        "auto v = wrap_with_raii_handle_if_needed(reinterpret_tensor_wrapper(a, 1, int_array_1, int_array_2, 2L*u0));",
    ],
    ids=["handed on", "read by an unknown operation", "viewed from a place that changes"],
)
def test_a_buffer_with_any_other_use_stays(kept):
    program = loop(*allocate("a"), USE, kept, "a.reset();")
    assert hoist(program) == program


def test_a_buffer_whose_size_changes_stays():
    program = loop(*allocate("a", "{u0, }"), USE, "a.reset();")
    assert hoist(program) == program


def test_a_view_and_a_successor_in_the_same_memory_move_with_their_buffer():
    view = "auto v = wrap_with_raii_handle_if_needed(reinterpret_tensor_wrapper(a, 1, int_array_1, int_array_2, 0L));"
    program = loop(*allocate("a"), f"{view}  // alias", USE, "auto b = std::move(a);  // reuse", "b.reset();")
    assert hoist(program) == [*allocate("a"), view, "auto& b = a;", "while (1) {", f"    {USE}", "}"]


def test_a_successor_that_is_handed_on_keeps_its_buffer_in_the_loop():
    program = loop(*allocate("a"), USE, "auto b = std::move(a);  // reuse", "next = std::move(b);")
    assert hoist(program) == program


def test_of_nested_loops_only_the_inner_one_gives_up_its_buffers():
    inner = loop(*allocate("a"), USE, "a.reset();")
    moved = hoist(loop(*allocate("b"), *inner, "b.reset();"))
    assert [line.strip() for line in moved[:5]] == ["while (1) {", *allocate("b"), allocate("a")[0]]


def test_a_program_without_a_loop_is_as_it_was():
    assert hoist([*allocate("a"), USE, "a.reset();"]) == [*allocate("a"), USE, "a.reset();"]


@pytest.mark.skipif(not compilation.compiler_available(), reason="needs a C++ compiler")
def test_each_step_of_a_compiled_loop_starts_from_its_own_carry():
    """Products, views, buffers taken over and a carry that is a view of an intermediate result."""
    w = random.normal((6, 6), random.key(0)) / 3
    xs = random.normal((9, 20, 6), random.key(1))

    def body(carry, x):
        hidden = torch.tanh(x @ w + carry[0])
        both = torch.cat((hidden @ w, hidden), -1)
        return (both[:, :6], both.sum(0)), both[:, 3:9] * carry[1][:6]

    def f(xs):
        return control.scan(body, (torch.zeros(20, 6), torch.ones(12)), xs)

    torch.testing.assert_close(compilation.compile(f)(xs), f(xs), rtol=1e-5, atol=1e-5)
