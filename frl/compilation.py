"""`compile`: one pure function of tensors becomes one machine-code program.

frl's functions are pure, so there is nothing for a bytecode analysis to find out: `compile` traces the function once
over fake tensors, as `jax.jit` does, and gives the graph to Inductor. All settings hold during that call alone.
"""

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, fx
from torch.fx.experimental.proxy_tensor import make_fx

from . import control, inductor, tree

F = TypeVar("F", bound=Callable[..., Any])
_Program = Callable[[list[Tensor]], Sequence[Tensor]]


def compile(f: F, *, donate: bool = False) -> F:
    """The function `f`, compiled whole on the first call for each structure, shape and dtype of its arguments.

    `f` must be pure: a function of its arguments' tensors that mutates none of them. As with `jax.jit`, Python values
    (numbers, strings, what `f` closes over) are read once, when it is traced; what changes must be a tensor in an
    argument. Values never recompile; Python numbers and strings among the arguments do, once for each value. Gradients
    are taken inside `f`, by `torch.func`, and transforms too: `compile(vmap(f))`, never `vmap(compile(f))`.

    Where there is no C++ compiler, `f` itself is returned, and one line on stderr says so.

    Args: donate: the new state takes the memory of the old one. `f(state, ...)` then returns a state of the same
        structure, alone or first in a tuple, and the `state` passed in must not be used again: it *is* the new one.
    Returns: a function of the same signature. Raises, when called: ValueError for a tensor that requires grad or, with
        `donate`, for a state that changes its structure; RuntimeError where `f` branches on the value of a tensor.

    >>> double = compile(lambda x: {"y": 2 * x}) if compiler_available() else lambda x: {"y": 2 * x}
    >>> double(torch.ones(2))["y"].tolist()
    [2.0, 2.0]
    """
    if not compiler_available():
        print("frl: no C++ compiler found, so this runs in eager mode; install g++ to compile.", file=sys.stderr)
        return f
    return cast(F, _Compiled(f, donate))


def compiler_available() -> bool:
    """Whether a C++ compiler is on the path: `$CXX`, or else g++ (clang++ on macOS)."""
    return shutil.which(os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")) is not None


class _Compiled:
    """A function with its programs, one for each signature of its arguments."""

    def __init__(self, f: Callable[..., Any], donate: bool) -> None:
        self._f, self._donate = f, donate
        self._programs: dict[Any, tuple[_Program, tree.TreeSpec]] = {}
        self.__name__ = getattr(f, "__name__", type(f).__name__)
        self.__doc__ = f.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, structure = tree.flatten((args, kwargs))
        tensors = [x if x.is_contiguous() else x.contiguous() for x in leaves if isinstance(x, Tensor)]
        signature = structure, torch.get_num_threads(), tuple(_signature(x) for x in leaves)
        if signature not in self._programs:
            _require_no_grad(args)
            self._programs[signature] = self._build(structure, leaves, tensors)
        program, out_structure = self._programs[signature]
        return tree.unflatten(out_structure, program(tensors))

    def _build(self, structure: Any, leaves: list[Any], tensors: list[Tensor]) -> tuple[_Program, tree.TreeSpec]:
        out_structure: tree.TreeSpec | None = None
        of_tensors = [isinstance(x, Tensor) for x in leaves]

        def flat(*tensors: Tensor) -> list[Tensor]:
            nonlocal out_structure
            given = iter(tensors)
            arguments = [next(given) if is_tensor else x for x, is_tensor in zip(leaves, of_tensors, strict=True)]
            args, kwargs = tree.unflatten(structure, arguments)
            result = self._f(*args, **kwargs)
            outputs, out_structure = tree.flatten(result)
            _require_tensors(self.__name__, result)
            return _donated(args, result, outputs, tensors) if self._donate else outputs

        with torch.no_grad(), inductor.settings():
            program = _lower(*_trace(flat, tensors, self.__name__))
        assert out_structure is not None
        return program, out_structure


def _trace(f: Callable[..., list[Tensor]], tensors: list[Tensor], name: str) -> tuple[fx.GraphModule, list[Tensor]]:
    """The graph of `f` over Inductor's primitives, and the tensors that `f` closes over: further inputs, at the end."""
    from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException
    from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

    tracer = make_fx(f, inductor.decompositions(), tracing_mode="fake", _allow_non_fake_inputs=True)
    try:
        graph = tracer(*(x.detach() for x in tensors))
    except (DataDependentOutputException, DynamicOutputShapeException, GuardOnDataDependentSymNode) as error:
        raise RuntimeError(
            f"compile: {name} asks for the value of a tensor, by `if`, `while` or the like (see the error above); "
            "use torch.where, or frl.control.scan for a loop."
        ) from error
    closed_over = control.lift_constants(graph)
    for module in graph.modules():
        if isinstance(module, fx.GraphModule):
            _functionalize(module)
    return graph, closed_over


def _functionalize(graph: fx.GraphModule) -> None:
    """Replaces writes into fresh intermediate results by new results: torch's own derivatives contain some."""
    for node in graph.graph.nodes:
        if not _is_mutation(node) or not isinstance(node.args[0], fx.Node):
            continue
        old = node.args[0]
        new = _pure_form(node)
        if new is None or old.op == "placeholder" or any(_views(user) for user in (old, *old.users)):
            continue
        node.replace_all_uses_with(new)
        old.replace_all_uses_with(new, delete_user_cb=lambda user, node=node: user > node)
        graph.graph.erase_node(node)
    graph.recompile()


def _pure_form(node: fx.Node) -> fx.Node | None:
    """The value that `node` writes: what it copies, or a new node with the operator of its name without underscore."""
    old: Any = node.args[0]
    if node.target is torch.ops.aten.copy_.default:
        new: Any = node.args[1]
        x, y = old.meta["val"], new.meta["val"]
        return new if (x.shape, x.dtype) == (y.shape, y.dtype) else None
    target: Any = node.target
    packet = getattr(torch.ops.aten, target.overloadpacket.__name__.removesuffix("_"), None)
    pure = getattr(packet, target._overloadname, None)
    if pure is None or pure._schema.is_mutable or node.meta["val"].dtype != old.meta["val"].dtype:
        return None
    with node.graph.inserting_before(node):
        new = node.graph.call_function(pure, node.args, dict(node.kwargs))
    new.meta.update(node.meta)
    return new


def _is_mutation(node: fx.Node) -> bool:
    return isinstance(node.target, torch._ops.OpOverload) and node.target._schema.is_mutable


def _views(node: fx.Node) -> bool:
    """Whether a node may return a view of its argument."""
    if not isinstance(node.target, torch._ops.OpOverload):
        return True
    schema = node.target._schema
    return not schema.is_mutable and any(r.alias_info is not None for r in schema.returns)


def _lower(graph: fx.GraphModule, closed_over: list[Tensor]) -> _Program:
    from torch._guards import TracingContext, tracing

    fake_mode = _fake_mode(graph)
    inputs = [node.meta["val"] for node in graph.graph.find_nodes(op="placeholder")]
    with tracing(TracingContext(fake_mode)), fake_mode:
        program = inductor.lower(graph, inputs, functional=not _mutates(graph))
    return lambda tensors: program([*tensors, *closed_over])


def _fake_mode(graph: fx.GraphModule) -> Any:
    """The mode that all example values of the graph belong to; those of closed-over tensors are made to."""
    from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

    nodes = [node for m in graph.modules() if isinstance(m, fx.GraphModule) for node in m.graph.nodes]
    values = [node.meta.get("val") for node in nodes]
    mode = next((x.fake_mode for x in values if isinstance(x, FakeTensor)), None) or FakeTensorMode()
    for node, value in zip(nodes, values, strict=True):
        if isinstance(value, Tensor) and not isinstance(value, FakeTensor):
            node.meta["val"] = mode.from_tensor(value)
    return mode


def _mutates(graph: fx.GraphModule) -> bool:
    """Whether an in-place operation is left in the graph or in a loop's body, other than the donation at its end."""
    nodes = (node for m in graph.modules() if isinstance(m, fx.GraphModule) for node in m.graph.nodes)
    return any(
        _is_mutation(node) and not (node.target is torch.ops.aten.copy_.default and node.args[0].op == "placeholder")
        for node in nodes
    )


def _donated(args: Any, result: Any, outputs: list[Tensor], inputs: Sequence[Tensor]) -> list[Tensor]:
    """Ends the program by writing the new state over the old one."""
    old, structure = tree.flatten(args[0])
    state = result[0] if isinstance(result, tuple) and tree.flatten(result)[1] != structure else result
    new, new_structure = tree.flatten(state)
    if structure != new_structure or any(
        x.shape != y.shape or x.dtype != y.dtype for x, y in zip(old, new, strict=True)
    ):
        raise ValueError(
            "compile: donate=True, but the function does not return its first argument's structure, shapes and dtypes, "
            "alone or first in a tuple; return the new state so, or pass donate=False."
        )
    kept = {_storage(x) for x in outputs} & {_storage(x) for x in inputs}  # returned as they are: never written over
    state_outputs = [
        y if _storage(x) in kept or _storage(y) in kept else x.copy_(y) for x, y in zip(old, outputs, strict=False)
    ]
    return state_outputs + outputs[len(old) :]


def _storage(x: Tensor) -> int:
    return x.untyped_storage()._cdata


def _signature(x: Any) -> Any:
    return (x.shape, x.dtype, x.device) if isinstance(x, Tensor) else (type(x), x)


def _require_no_grad(args: Any) -> None:
    for name, x in tree.named_leaves(args):
        if isinstance(x, Tensor) and x.requires_grad and torch.is_grad_enabled():
            raise ValueError(
                f"compile: argument leaf {name!r} requires grad, but no gradient flows out of a compiled program; take "
                "it inside, by torch.func.grad, and pass x.detach()."
            )


def _require_tensors(function: str, result: Any) -> None:
    for name, x in tree.named_leaves(result):
        if not isinstance(x, Tensor):
            raise TypeError(f"compile: {function} returns {name!r} = {x!r}, which is no tensor; return tensors alone.")
