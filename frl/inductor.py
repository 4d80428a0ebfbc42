"""Inductor, as `frl.compile` uses it: settings, shortcuts and decompositions, which hold only while it compiles.

The sole importer of torch's compiler. Each entry was measured by `bench/compile_step.py`; the figures stand in
`bench/results/`.
"""

import contextlib
import warnings
from collections.abc import Callable, Generator, Sequence
from typing import Any

import torch
from torch import Tensor, fx


def lower(graph: fx.GraphModule, inputs: list[Tensor], functional: bool) -> Callable[[list[Tensor]], Sequence[Tensor]]:
    """The machine-code program of a graph; one that is not `functional` goes through AOTAutograd, which makes it so."""
    from torch._inductor.compile_fx import compile_fx, compile_fx_inner

    if functional:
        inner: Any = compile_fx_inner(graph, inputs, cpp_wrapper=True, is_inference=True)
        return inner
    outer: Any = compile_fx(graph, inputs)
    return lambda tensors: outer(*tensors)


@contextlib.contextmanager
def settings() -> Generator[None]:
    """What holds while compiling, and only then: settings by `config.patch`, and `_shortcuts`."""
    from torch._inductor import config as inductor_config

    config: Any = inductor_config
    cacheable = {f"torch.ops.higher_order.{loop}": torch.__version__ for loop in ("scan", "while_loop")}
    wanted = {
        "cpp_wrapper": True,  # the loop runs in C++: 20 µs for a rollout step against 32
        "realize_opcount_threshold": 40,  # hashes inlined into every consumer made up half of the compilation
        "cpp.use_decompose_tanh": True,  # by exp: 140k steps/s against 93k, exact to 1e-7 absolutely
        "cpp.vec_isa_ok": True,  # trust the processor's flags: each check is a C++ compilation of its own
        "aot_inductor.enable_line_tables": False,
        "aot_inductor.enable_frame_pointer": False,
        "unsafe_marked_cacheable_functions": config.unsafe_marked_cacheable_functions | cacheable,
    }
    with (
        warnings.catch_warnings(),
        config.patch({name: value for name, value in wanted.items() if name in config._config}),
        torch._dynamo.config.patch(capture_scalar_outputs=True),  # the loop operator reads its counter
        _shortcuts(),
    ):
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's own, at the import of its compiler
        yield


@contextlib.contextmanager
def _shortcuts() -> Generator[None]:
    """Cuts four costs of Inductor and mends one fault, for as long as it lasts.

    The costs: a singleton that is filled anew at each operator and intersections of equal ranges of values, together a
    third of the code generator's time; and `-O3`, which takes the C++ compiler twice the time of `-O1` and gains
    nothing where vectorisation is explicit; and new handles for every tensor of a loop in every step (`_enter`). The
    fault: an output that a loop writes in place was offered as memory to a later result, and allocated a second time.
    """
    from torch._inductor import cpp_builder
    from torch._inductor.codegen.cpp_wrapper_cpu import CppWrapperCpu
    from torch._inductor.dtype_propagation import DtypePropagationOpsHandler as Handler
    from torch._inductor.ir import MutationOutput
    from torch._inductor.virtualized import V
    from torch.utils._sympy.value_ranges import ValueRanges

    fill, intersect, begin = Handler.__init__, ValueRanges.tighten, MutationOutput.__init__
    optimization: Any = cpp_builder._get_optimization_cflags
    enter = CppWrapperCpu.codegen_subgraph_prefix

    def fill_once(self: Any) -> None:
        if not vars(self):
            fill(self)

    def tighten(self: Any, other: Any) -> Any:
        same = other.lower is self.lower and other.upper is self.upper
        return self if same else intersect(self, other)

    def begin_kept(self: Any, layout: Any, mutated_node: Any, mutating_node: Any) -> None:
        begin(self, layout, mutated_node, mutating_node)
        V.graph.never_reuse_buffers.add(self.get_name())

    def modest(cpp_compiler: str, min_optimize: bool = False) -> Any:
        flags, *rest = optimization(cpp_compiler, min_optimize)
        return (["O1" if flag == "O3" else flag for flag in flags], *rest)

    Handler.__init__, ValueRanges.tighten, MutationOutput.__init__ = fill_once, tighten, begin_kept
    cpp_builder._get_optimization_cflags, CppWrapperCpu.codegen_subgraph_prefix = modest, _enter  # type: ignore[assignment]
    try:
        yield
    finally:
        Handler.__init__, ValueRanges.tighten, MutationOutput.__init__ = fill, intersect, begin
        cpp_builder._get_optimization_cflags, CppWrapperCpu.codegen_subgraph_prefix = optimization, enter


def _enter(wrapper: Any, subgraph: Any, outer_inputs: Sequence[str], outer_outputs: Sequence[str]) -> None:
    """Names the inputs of a loop's step in the C++ program: what the step replaces moves in, the rest is shared.

    Inductor's own makes a new handle for each, those that the step does not read included.
    """
    from torch._inductor.ir import TensorBox

    placeholders = subgraph.graph.module.graph.find_nodes(op="placeholder")
    inner_inputs = subgraph.graph.graph_inputs.items()
    for (inner, value), outer, node in zip(inner_inputs, outer_inputs, placeholders, strict=True):
        if not isinstance(value, TensorBox) or not node.users:
            continue
        if outer in outer_outputs:
            wrapper.writeline(f"RAIIAtenTensorHandle {inner}(std::move({outer}));")
            continue
        wrapper.writeline(f"AtenTensorHandle {inner}_handle;")
        wrapper.writeline(f"AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_assign_tensors_out({outer}, &{inner}_handle));")
        wrapper.writeline(f"RAIIAtenTensorHandle {inner}({inner}_handle);")


def decompositions() -> dict[Any, Callable[..., Any]]:
    """Inductor's, and one of our own: products of a few rows become sums, without the cost of a call to BLAS."""
    from torch._inductor.decomposition import select_decomp_table

    aten, table = torch.ops.aten, dict(select_decomp_table())

    def mm(x: Tensor, y: Tensor) -> Any:
        if not _few_rows(x, y):
            return theirs[aten.mm.default](x, y)
        return (x[:, :, None] * y).sum(1)

    def addmm(bias: Tensor, x: Tensor, y: Tensor, beta: float = 1, alpha: float = 1) -> Any:
        if not _few_rows(x, y) or (beta, alpha) != (1, 1):
            return theirs[aten.addmm.default](bias, x, y, beta=beta, alpha=alpha)
        return (x[:, :, None] * y).sum(1) + bias

    ours = {aten.mm.default: mm, aten.addmm.default: addmm}
    theirs = {op: table.get(op, lambda *_, **__: NotImplemented) for op in ours}
    return table | ours


def _few_rows(x: Tensor, y: Tensor) -> bool:
    return x.device.type == "cpu" and x.shape[0] <= 16 and y.numel() <= 2**14 and x.dtype == y.dtype
