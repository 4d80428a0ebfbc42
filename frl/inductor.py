"""Inductor, as `frl.compile` uses it: settings and shortcuts, which hold only while it compiles.

With `decompositions`, the sole importer of torch's compiler. Each entry was measured by `bench/compile_step.py` or
`bench/dqn_throughput.py`; the figures stand in `bench/results/`.
"""

import contextlib
import contextvars
import hashlib
import platform
import warnings
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx
from torch._subclasses.fake_tensor import FakeTensorMode

from . import hoisting
from .decompositions import decompositions
from .functionalization import functionalize, mutates
from .tracing import Graph, replay, trace

Program = Callable[[list[Tensor]], Sequence[Tensor]]

_FORMS = tuple(getattr(torch.ops.aten, name).default for name in ("unsqueeze", "squeeze", "view", "reshape", "permute"))
_SPREAD = 16  # elements that would each compute again what is spread over them
_FLUSH = (  # to the end of the scope, in one thread
    "struct Flush { unsigned before = _mm_getcsr(); Flush() { _mm_setcsr(before | 0x8040); } "
    "~Flush() { _mm_setcsr(before); } } flush;"
)

_PARTS = ("decompositions", "functionalization", "hoisting", "inductor", "invariants", "tracing")
_SOURCES = [Path(__file__).with_name(f"{name}.py") for name in _PARTS]
_SOURCE = hashlib.sha256(b"".join(path.read_bytes() for path in _SOURCES)).hexdigest()


def identity() -> str:
    """Tells apart what would compile a graph otherwise: Inductor's settings, and what this package does to it."""
    from torch._inductor import config

    settings: Any = config
    return f"{settings.get_hash().hex()} {_SOURCE}"


def lower(graph: Graph) -> tuple[Program, bool]:
    """The machine-code program of a traced graph, and whether that is one shared library.

    The program takes a list of the graph's inputs. It is more than a library where writes are left in the graph:
    AOTAutograd makes it functional then.
    """
    from torch.fx.experimental.symbolic_shapes import ShapeEnv

    mode = FakeTensorMode(shape_env=ShapeEnv(), static_shapes=True)
    with settings():
        decomposed = trace(lambda *x: replay(graph, x), [x.meta["val"] for x in graph.inputs], decompositions(), mode)
        module = decomposed.module()
        for part in module.modules():
            if isinstance(part, fx.GraphModule):
                functionalize(part)
        return _lower(module, [x.meta["val"] for x in decomposed.inputs], mode)


def _lower(module: fx.GraphModule, inputs: list[Tensor], mode: FakeTensorMode) -> tuple[Program, bool]:
    from torch._guards import TracingContext, tracing
    from torch._inductor.compile_fx import compile_fx, compile_fx_inner

    with torch.no_grad(), tracing(TracingContext(mode)), mode:
        if not mutates(module):
            inner: Any = compile_fx_inner(module, inputs, cpp_wrapper=True, is_inference=True)
            return inner, True
        outer: Any = compile_fx(module, inputs)
        return lambda tensors: outer(*tensors), False


def cache_directory() -> Path:
    """Where torch's compiler keeps its results: `$TORCHINDUCTOR_CACHE_DIR`, or else among the temporary files."""
    from torch._inductor.runtime.cache_dir_utils import cache_dir

    return Path(cache_dir())


@contextlib.contextmanager
def settings() -> Generator[None]:
    """What holds while compiling, and only then: settings by `config.patch`, and `_shortcuts`."""
    from torch._inductor import config as inductor_config

    config: Any = inductor_config
    # the cached program of another torch, or of other shortcuts, is not the program that would be made now
    version = f"{torch.__version__} {_SOURCE}"
    cacheable = {f"torch.ops.higher_order.{loop}": version for loop in ("scan", "while_loop")}
    wanted = {
        "cpp_wrapper": True,  # the loop runs in C++: 20 µs for a rollout step against 32
        "realize_opcount_threshold": 40,  # hashes inlined into every consumer made up half of the compilation
        "cpp.vec_isa_ok": True,  # trust the processor's flags: each check is a C++ compilation of its own
        "aot_inductor.enable_line_tables": False,
        "aot_inductor.enable_frame_pointer": False,
        "unsafe_marked_cacheable_functions": config.unsafe_marked_cacheable_functions | cacheable,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's own, at the import of its compiler
        with (
            config.patch({name: value for name, value in wanted.items() if name in config._config}),
            torch._dynamo.config.patch(capture_scalar_outputs=True),  # the loop operator reads its counter
            _shortcuts(),
        ):
            beside = ThreadPoolExecutor(1)
            beside.submit(contextvars.copy_context().run, _precompile_headers)  # with these settings
            beside.shutdown(wait=False)
            yield


def _precompile_headers() -> None:
    """Has the C++ compiler read torch's headers while Python traces, not afterwards; Inductor then finds the result."""
    from torch._inductor.codecache import CppWrapperCodeCache

    CppWrapperCodeCache.load_async("", needs_vec_isa=True)


@contextlib.contextmanager
def _shortcuts() -> Generator[None]:
    """Cuts seven costs of Inductor and mends three faults, for as long as it lasts.

    The costs: a singleton that is filled anew at each operator and intersections of equal ranges of values,
    together a third of the code generator's time; `-O3`, which takes the C++ compiler twice the time of `-O1` and
    gains nothing where vectorisation is explicit; in every step of a loop new handles for all its inputs (`_enter`)
    and new memory for all intermediate results (`hoist`); a scalar that is computed anew for each element that it
    meets (`_compute_once`); and numbers nearer to 0 than the smallest normal one, of which Adam's averages are full
    where a gradient stays 0, and which take a processor a hundred times as long as others (`_FLUSH`). The faults:
    an output that a loop writes in place was offered as memory to a later result, and allocated a second time
    (`_keep`); where the next step of a loop takes a value and its copy or a part of it, the first was handed on and
    then used again, and the program crashed (`_apart`); where a loop's result is part of a larger tensor, what read
    it counted twice where the part begins (`_begin_at_zero`).
    """
    from torch._inductor import cpp_builder
    from torch._inductor.codegen.cpp import WorkSharing
    from torch._inductor.codegen.cpp_wrapper_cpu import CppWrapperCpu
    from torch._inductor.dtype_propagation import DtypePropagationOpsHandler
    from torch._inductor.fx_passes import post_grad
    from torch._inductor.graph import GraphLowering
    from torch._inductor.ir import Conditional, MutationOutput, WhileLoop
    from torch.utils._sympy.value_ranges import ValueRanges

    with (
        _around(DtypePropagationOpsHandler, "__init__", _fill_once),
        _around(ValueRanges, "tighten", _tighten),
        _around(MutationOutput, "__init__", _keep),
        _around(WhileLoop, "create", _begin_at_zero),
        _around(Conditional, "create", _begin_at_zero),
        _around(post_grad, "remove_noop_ops", _apart),
        _around(GraphLowering, "run_node", _compute_once),
        _around(cpp_builder, "_get_optimization_cflags", _modest),
        _around(CppWrapperCpu, "codegen_subgraph_prefix", _enter),
        _around(CppWrapperCpu, "generate_end", _end),
        _around(WorkSharing, "parallel", _parallel),
    ):
        yield


@contextlib.contextmanager
def _around(owner: Any, name: str, ours: Callable[..., Any]) -> Generator[None]:
    """Replaces a function of `owner` by `ours`, which takes the replaced one first."""
    theirs = getattr(owner, name)
    setattr(owner, name, lambda *args, **kwargs: ours(theirs, *args, **kwargs))
    try:
        yield
    finally:
        setattr(owner, name, theirs)


def _fill_once(theirs: Any, handler: Any) -> None:
    if not vars(handler):
        theirs(handler)


def _tighten(theirs: Any, values: Any, other: Any) -> Any:
    same = other.lower is values.lower and other.upper is values.upper
    return values if same else theirs(values, other)


def _keep(theirs: Any, output: Any, layout: Any, mutated_node: Any, mutating_node: Any) -> None:
    """Takes an output that a loop writes in place out of what later results may be written over."""
    from torch._inductor.virtualized import V

    theirs(output, layout, mutated_node, mutating_node)
    V.graph.never_reuse_buffers.add(output.get_name())


def _begin_at_zero(theirs: Any, *args: Any) -> Any:
    """Gives the results of a loop offset 0: each is a handle of its own, whose pointer is to the part already."""
    from torch._inductor.ir import MultiOutput

    results = theirs(*args)
    for result in results:
        if isinstance(result, MultiOutput):
            result.layout.offset = 0
    return results


def _apart(theirs: Any, graph: fx.Graph) -> None:
    """Leaves each carry of a loop memory of its own: a step may return a value twice, or a value and a part of it.

    So may each side of a branch, whose results must also begin where their memory begins. It is asked for a graph after
    these parts of it, and before they are lowered.
    """
    theirs(graph)
    for node in graph.nodes:
        arguments: Any = node.args
        if str(node.target) == "scan":
            step, carry, *_ = arguments
            _separate(getattr(graph.owning_module, step.target), len(carry), whole=False)
        elif str(node.target) == "cond":
            for side in arguments[1:3]:
                _separate(getattr(graph.owning_module, side.target), len(node.meta["val"]), whole=True)


def _separate(part: Any, count: int, whole: bool) -> None:
    """Copies each of the first `count` results that lies in memory of an earlier one, or, to be `whole`, in a part."""
    output: Any = part.graph.output_node()
    results: list[Any] = list(output.args[0])
    for i, node in enumerate(results[:count]):
        value = node.meta["val"]
        if (whole and value.storage_offset() > 0) or any(_overlap(value, other.meta["val"]) for other in results[:i]):
            with part.graph.inserting_before(output):
                results[i] = part.graph.call_function(torch.ops.aten.clone.default, (node,))
            results[i].meta = {**node.meta, "val": value.clone()}
    output.args = (tuple(results),)
    part.recompile()


def _overlap(x: Tensor, y: Tensor) -> bool:
    """Whether two carries, which are contiguous, have memory in common."""
    if x.untyped_storage()._cdata != y.untyped_storage()._cdata:
        return False
    first, second = ((z.storage_offset() * z.itemsize, z.numel() * z.itemsize) for z in (x, y))
    return first[0] < sum(second) and second[0] < sum(first)


def _compute_once(theirs: Any, lowering: Any, node: fx.Node) -> Any:
    """Computes what is spread over a larger tensor before the loop over that, not again for each element."""
    from torch._inductor.ir import Pointwise, StorageBox, TensorBox

    result = theirs(lowering, node)
    if (
        isinstance(result, TensorBox)
        and isinstance(result.data, StorageBox)
        and isinstance(result.data.data, Pointwise)
        and result.data.data.inner_fn_opcount().num_ops > 3
        and any(_size(user) >= _SPREAD * _size(node) for user in _readers(node))
    ):
        result.realize()
    return result


def _readers(node: fx.Node) -> Generator[fx.Node]:
    """What computes with the value of a node, in this form or another."""
    for user in node.users:
        if user.target in _FORMS:
            yield from _readers(user)
        else:
            yield user


def _size(node: fx.Node) -> int:
    value = node.meta.get("val")
    return value.numel() if isinstance(value, Tensor) else 0


def _modest(theirs: Any, cpp_compiler: str, min_optimize: bool = False) -> Any:
    flags, *rest = theirs(cpp_compiler, min_optimize)
    return (["O1" if flag == "O3" else flag for flag in flags], *rest)


def _end(theirs: Any, wrapper: Any, program: Any) -> None:
    lines = program.getvalue().split("\n")
    program.clear()
    for line in hoisting.hoist(lines):
        program.writeline(line)
        if "gil_scoped_release" in line and _flushes():  # where the program begins
            program.writeline(_FLUSH)
    theirs(wrapper, program)


def _parallel(theirs: Any, work: Any, threads: int) -> None:
    opens = not work.in_parallel or threads != work.num_threads
    theirs(work, threads)
    if opens and _flushes():
        work.code.writeline(_FLUSH)


def _flushes() -> bool:
    return platform.machine() in ("x86_64", "AMD64")


def _enter(theirs: Any, wrapper: Any, subgraph: Any, outer_inputs: Sequence[str], outer_outputs: Sequence[str]) -> None:
    """Names the inputs of a loop's step in the C++ program: what the step replaces moves in, the rest is shared.

    Inductor's own makes a new handle for each, those that the step does not read included.
    """
    del theirs
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
