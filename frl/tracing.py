"""Tracing: a pure function of tensors becomes a graph of torch's operators, by being run once over fake tensors.

A mode at the bottom of torch's dispatcher writes down each operator that reaches it, below all `torch.func` transforms.
A tensor that the function did not get as an argument is one more input of the graph: it is closed over.
"""

import operator
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, fx
from torch._higher_order_ops.cond import cond_op
from torch._higher_order_ops.scan import scan_op
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensor,
    FakeTensorMode,
)
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes, _get_current_dispatch_mode_stack

from .invariants import move_out

Function = Callable[..., Sequence[Tensor]]
Decompositions = Mapping[Any, Callable[..., Any]]
AsksForValue = (DataDependentOutputException, DynamicOutputShapeException)
_aten = torch.ops.aten
_ASKS_METADATA = (_aten.size.default, _aten.stride.default, _aten.storage_offset.default, torch.ops.prim.device.default)


class Graph:
    """A traced function: its operators, the graphs of its loops' steps and branches, and the tensors it closes over.

    Its inputs are the function's arguments and then `closed_over`; its output is the list of the function's results.
    """

    def __init__(self) -> None:
        self.fx = fx.Graph()
        self.inputs: list[fx.Node] = []
        self.outputs: list[fx.Node] = []
        self.bodies: dict[str, Graph] = {}
        self.closed_over: list[Tensor] = []
        self._nodes: dict[int, tuple[Tensor, fx.Node]] = {}  # by identity, which lasts because the tensor is kept

    def know(self, x: Tensor, node: fx.Node) -> None:
        """From now on `x` is the value of `node`."""
        node.meta["val"] = x
        self._nodes[id(x)] = x, node

    def node(self, x: Tensor) -> fx.Node | None:
        """The node whose value is `x`, if there is one."""
        return self._nodes[id(x)][1] if id(x) in self._nodes else None

    def add_input(self) -> fx.Node:
        """One more input, after all others."""
        with self.fx.inserting_after(self.inputs[-1]) if self.inputs else self.fx.inserting_before():
            node = self.fx.placeholder(f"input_{len(self.inputs)}")
        self.inputs.append(node)
        return node

    def add_body(self, body: "Graph") -> fx.Node:
        """The node that stands for `body`, the step of a loop or one side of a branch."""
        name = f"body_{len(self.bodies)}"
        self.bodies[name] = body
        return self.fx.create_node("get_attr", name)

    def module(self) -> fx.GraphModule:
        """The graph as a module to call or to compile, without the operators whose results nothing reads."""
        self.fx.eliminate_dead_code()
        return fx.GraphModule({name: body.module() for name, body in self.bodies.items()}, self.fx)


def trace(
    f: Function,
    inputs: Sequence[Tensor],
    decompositions: Decompositions | None = None,
    mode: FakeTensorMode | None = None,
) -> Graph:
    """The graph of `f(*inputs)`, in which the operators of `decompositions` are replaced by what these compute.

    Of the inputs, only shapes, strides, dtypes and devices count. Raises: `AsksForValue` where `f` asks for more.

    >>> [str(node.target) for node in trace(lambda x: [x * 2], [torch.ones(3)]).fx.nodes]
    ['input_0', 'aten.mul.Tensor', 'output']
    """
    mode = mode or FakeTensorMode(static_shapes=True)
    with torch.no_grad(), mode:
        fakes = [_like(x) for x in inputs]
        with _Tracer(decompositions or {}) as tracer:
            return tracer.graph(f, fakes)


def replay(graph: Graph, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Runs a graph once more: traced with decompositions, it becomes the graph of these."""
    values: dict[fx.Node, Any] = {}
    given = iter(inputs)
    for node in graph.fx.nodes:
        if node.op == "placeholder":
            values[node] = next(given)
        elif node.op == "get_attr":
            values[node] = graph.bodies[node.target]
        elif node.op == "output":
            break
        else:
            args, kwargs = fx.map_arg((node.args, node.kwargs), values.__getitem__)
            run: Any = _REPLAYED.get(node.target, node.target)
            values[node] = run(*args, **kwargs)
    return [values[node] for node in graph.outputs]


def _replay_loop(body: Graph, init: Sequence[Tensor], xs: Sequence[Tensor], closed_over: Sequence[Tensor]) -> Any:
    tracer = current()
    assert tracer is not None
    return tracer.loop(lambda *leaves: replay(body, leaves), init, xs, closed_over)


def _replay_branch(condition: Tensor, true: Graph, false: Graph, operands: Sequence[Tensor]) -> Any:
    tracer = current()
    assert tracer is not None
    return tracer.branch(condition, lambda *x: replay(true, x), lambda *x: replay(false, x), operands)


_REPLAYED: dict[Any, Callable[..., Any]] = {scan_op: _replay_loop, cond_op: _replay_branch}


def current() -> "_Tracer | None":
    """What traces the calling code, if anything does."""
    return next((mode for mode in _get_current_dispatch_mode_stack() if isinstance(mode, _Tracer)), None)


class _Tracer(TorchDispatchMode):
    """Writes down what runs while it is on, in a fake mode; its own operators it does not, `_writing(None)`."""

    def __init__(self, decompositions: Decompositions) -> None:
        super().__init__()
        self._decompositions = decompositions
        self._graph: Graph | None = None  # what is being written, if anything is
        self._fakes: dict[int, tuple[Tensor, Tensor]] = {}

    def graph(self, f: Function, inputs: Sequence[Tensor]) -> Graph:
        """The graph of `f(*inputs)`, on its own or inside another one."""
        graph = Graph()
        with self._writing(graph):
            for x in inputs:
                graph.know(x, graph.add_input())
            graph.outputs = [self._node(x) for x in f(*inputs)]
            graph.fx.output(list(graph.outputs))
        return graph

    def loop(
        self, step: Function, init: Sequence[Tensor], xs: Sequence[Tensor], closed_over: Sequence[Tensor]
    ) -> list[Tensor]:
        """Writes a loop of `step(*carry, *x, *closed over) -> (*carry, *y)`; returns the last carry and stacked ys."""
        outer = self._graph
        assert outer is not None
        init = [x.contiguous() for x in init]
        with self._writing(None):
            shapes = [x.shape for x in init] + [x.shape[1:] for x in xs] + [x.shape for x in closed_over]
            samples = [_empty(x, shape) for x, shape in zip((*init, *xs, *closed_over), shapes, strict=True)]
        body = self.graph(lambda *leaves: [fresh(x) for x in step(*leaves)], samples)
        closed_over = [*closed_over, *body.closed_over]
        closed_over = self._apart([*closed_over, *self._move_out(body, closed_over)])
        inputs = ([self._node(x) for x in leaves] for leaves in (init, xs, closed_over))
        node = outer.fx.call_function(scan_op, (outer.add_body(body), *inputs))
        with self._writing(None):
            after = [node.meta["val"] for node in body.outputs]
            last = [_empty(x, x.shape) for x in after[: len(init)]]
            stacked = [_empty(x, (len(xs[0]), *x.shape)) for x in after[len(init) :]]
        self._know(node, [*last, *stacked])
        return [*last, *stacked]

    def _move_out(self, body: Graph, closed_over: Sequence[Tensor]) -> list[Tensor]:
        """Writes down before a loop what its step need not compute; returns what it is given as further inputs."""
        given = body.inputs[len(body.inputs) - len(closed_over) :]
        moved = move_out(body.fx, dict(zip(given, closed_over, strict=True)), body.outputs)
        for node in moved:
            node.replace_all_uses_with(replacement := body.add_input())
            replacement.meta = node.meta
        return list(moved.values())

    def _apart(self, leaves: Sequence[Tensor]) -> list[Tensor]:
        """The leaves, with a copy of each that shares memory with one before it.

        Torch refuses a loop that closes over two views of one tensor, as parameters in a flat vector are, where it
        makes the graph functional by itself.
        """
        found: list[Tensor] = []
        taken: set[int] = set()
        for x in leaves:
            storage = self._fake(x).untyped_storage()._cdata
            found.append(fresh(x) if storage in taken else x)
            taken.add(storage)
        return found

    def branch(self, condition: Tensor, true: Function, false: Function, operands: Sequence[Tensor]) -> list[Tensor]:
        """Writes down two functions of the operands, of which the program runs one; returns what that one returns.

        Where both return an operand as it is, the result is that operand: nothing of it is copied.
        """
        outer = self._graph
        assert outer is not None
        operands = [x.contiguous() for x in operands]
        with self._writing(None):
            samples = [_empty(x, x.shape) for x in operands]
        found: list[list[int | None]] = []

        def noting(f: Function) -> Function:
            def noted(*leaves: Tensor) -> list[Tensor]:
                results = f(*leaves[: len(samples)])
                found.append([next((i for i, x in enumerate(samples) if x is y), None) for y in results])
                return [fresh(x) for x in results]

            return noted

        first = self.graph(noting(true), samples)
        second = self.graph(noting(false), [*samples, *first.closed_over])
        for _ in second.closed_over:
            first.add_input()
        kept = [i if i == j else None for i, j in zip(*found, strict=True)]
        for body in (first, second):
            body.outputs = [x for x, i in zip(body.outputs, kept, strict=True) if i is None]
            body.fx.output_node().args = (list(body.outputs),)
        functions = [outer.add_body(body) for body in (first, second)]
        given = [self._node(x) for x in (*operands, *first.closed_over, *second.closed_over)]
        node = outer.fx.call_function(cond_op, (self._node(condition), *functions, given))
        with self._writing(None):
            computed = [_empty(x.meta["val"], x.meta["val"].shape) for x in first.outputs]
        self._know(node, computed)
        rest = iter(computed)
        return [next(rest) if i is None else operands[i] for i in kept]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Writes down one operator, or what it decomposes into."""
        kwargs = kwargs or {}
        if self._graph is None or func in _ASKS_METADATA:
            return func(*args, **kwargs)
        with self:
            result = self._decompositions.get(func, func.decompose)(*args, **kwargs)
        if result is not NotImplemented:
            return result
        if func is _aten.lift_fresh.default:  # what torch.tensor ends with; a copy, for it may be written into
            func, literal = _aten.lift_fresh_copy.default, _literal(args[0])
            if literal is not None:
                node = self._graph.fx.call_function(_aten.full.default, ([], literal), {"dtype": args[0].dtype})
                result = _like(args[0])
                self._graph.know(result, node)
                return result
        node = self._graph.fx.call_function(func, _each_tensor(self._node, args), _each_tensor(self._node, kwargs))
        result = func(*_each_tensor(self._fake, args), **_each_tensor(self._fake, kwargs))
        self._know(node, result)
        return result

    @contextmanager
    def _writing(self, graph: Graph | None) -> Generator[None]:
        outer, self._graph = self._graph, graph
        try:
            yield
        finally:
            self._graph = outer

    def _node(self, x: Tensor) -> fx.Node:
        graph = self._graph
        assert graph is not None
        node = graph.node(x)
        if node is None:
            node = graph.add_input()
            graph.know(x, node)
            node.meta["val"] = self._fake(x)
            graph.closed_over.append(x)
        return node

    def _fake(self, x: Tensor) -> Tensor:
        if isinstance(x, FakeTensor):
            return x
        if id(x) not in self._fakes:
            with self._writing(None):
                self._fakes[id(x)] = x, _like(x)
        return self._fakes[id(x)][1]

    def _know(self, node: fx.Node, result: Any) -> None:
        assert self._graph is not None
        if isinstance(result, Tensor):
            self._graph.know(result, node)
            return
        node.meta["val"] = result
        if isinstance(result, (list, tuple)):
            for i, x in enumerate(result):
                if isinstance(x, Tensor):
                    self._graph.know(x, self._graph.fx.call_function(operator.getitem, (node, i)))


def fresh(x: Tensor) -> Tensor:
    """A contiguous copy."""
    return x.clone(memory_format=torch.contiguous_format)


def _like(x: Tensor) -> Tensor:
    """In a fake mode, the fake tensor that stands for `x`, which may be real or of another mode."""
    return torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device=x.device)


def _empty(x: Tensor, shape: Sequence[int]) -> Tensor:
    return torch.empty(shape, dtype=x.dtype, device=x.device)


def _each_tensor(f: Callable[[Tensor], Any], x: Any) -> Any:
    if isinstance(x, Tensor):
        return f(x)
    if isinstance(x, dict):
        return {name: _each_tensor(f, value) for name, value in x.items()}
    if isinstance(x, (list, tuple)) and not isinstance(x, torch.Size):
        return type(x)(_each_tensor(f, value) for value in x)
    return x


def _literal(x: Tensor) -> int | float | bool | complex | None:
    """The number that a scalar made inside, as `torch.tensor(0.5)`, is; None for other tensors."""
    if x.ndim or type(x) is not Tensor or x.device.type != "cpu":
        return None
    with _disable_current_modes():
        return x.item()
