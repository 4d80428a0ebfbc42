"""Loops and branches, in eager mode Python's own and in a compiled program operators: `scan` and `cond`.

One registration at import: a vmap rule for torch's scan that keeps the batch axis in front (torch's own moves it to the
end, and fails on carries without it).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import torch
import torch._C._functorch as _functorch
from torch import Tensor
from torch._functorch.pyfunctorch import coerce_cinterpreter
from torch._functorch.vmap import restore_vmap, unwrap_batched, wrap_batched
from torch._higher_order_ops.scan import scan as _scan
from torch._higher_order_ops.scan import scan_op

from . import check, tracing, tree

Body = Callable[[Any, Any], tuple[Any, Any]]
_Step = Callable[..., tuple[Tensor, ...]]
_Leaves = Sequence[Tensor]
_Operator = Callable[[_Step, _Leaves, _Leaves, _Leaves], _Leaves]


def scan(
    body: Body,
    carry: Any,
    xs: Any = None,
    *,
    length: int | None = None,
    reverse: bool = False,
    strategy: Literal["auto", "loop"] = "auto",
) -> tuple[Any, Any]:
    """Folds `body(carry, x) -> (carry, y)` over the leading axis of `xs`, and stacks the `y`.

    In eager mode it is the Python loop below. In a compiled program (`frl.compile`, `torch.compile`) it is one loop
    operator, so that the time to compile does not grow with the number of steps (`strategy="loop"` unrolls it there
    too). It can be vmapped and differentiated in either.

        ys = []
        for x in xs:
            carry, y = body(carry, x)
            ys.append(y)
        return carry, stack(ys)

    Args: carry: any pytree of tensors; `body` returns the same structure, shapes and dtypes. xs: a pytree whose leaves
        are [T, ...] with T ≥ 1, or None for `length` steps whose x is the index, an int64 scalar. reverse: from the
        last step to the first; `ys` keeps the order of `xs`. y: any pytree of tensors, `()` where there is none.
    Returns: the last carry, and `ys` whose leaves are [T, ...].
    Raises: ValueError if there is no step, if lengths differ, or if `body` changes the carry (the leaf is named);
        TypeError if a leaf is no tensor.

    >>> total, sums = scan(lambda c, x: (c + x, c + x), torch.tensor(0), torch.tensor([1, 2, 3]))
    >>> total.item(), sums.tolist()
    (6, [1, 3, 6])
    """
    if strategy not in ("auto", "loop"):
        raise ValueError(f'scan: strategy is {strategy!r}; pass "auto" or "loop".')
    if xs is None:
        if length is None:
            raise ValueError("scan: neither xs nor length is given; pass xs=, or length= for a number of steps.")
        xs = torch.arange(length)
    _require_tensors("scan", "carry", carry)
    _require_tensors("scan", "xs", xs)
    steps = _length(xs, length)
    if strategy == "auto" and torch.compiler.is_dynamo_compiling():
        return _dynamo(body, carry, xs, reverse)
    operator = _loop if strategy == "loop" or tracing.current() is None or steps == 1 else _traced
    return _flat(operator, body, carry, xs, reverse)


def _flat(operator: _Operator, body: Body, carry: Any, xs: Any, reverse: bool) -> tuple[Any, Any]:
    """Runs `body` over leaves only: `operator(step, carry, xs, closed over)` -> last carry and stacked ys."""
    init, structure = tree.flatten(carry)
    inputs, xs_structure = tree.flatten(xs)
    ys_structure: tree.TreeSpec | None = None

    def step(*leaves: Tensor) -> tuple[Tensor, ...]:
        nonlocal ys_structure
        before = tree.unflatten(structure, leaves[: len(init)])
        after, y = _pair(body(before, tree.unflatten(xs_structure, leaves[len(init) :])))
        _require_same(before, after)
        y_leaves, ys_structure = tree.flatten(y)
        return (*tree.leaves(after), *y_leaves)

    if reverse:
        inputs = [x.flip(0) for x in inputs]
    outputs = operator(step, init, inputs, ())
    assert ys_structure is not None
    ys = [y.flip(0) if reverse else y for y in outputs[len(init) :]]
    return tree.unflatten(structure, outputs[: len(init)]), tree.unflatten(ys_structure, ys)


def _loop(step: _Step, init: _Leaves, xs: _Leaves, closed_over: _Leaves = ()) -> _Leaves:
    carry, n = list(init), len(init)
    ys: list[Sequence[Tensor]] = []
    for x in zip(*(x.unbind(0) for x in xs), strict=True):
        outputs = step(*carry, *x, *closed_over)
        carry = list(outputs[:n])
        ys.append(outputs[n:])
    return carry + [torch.stack(y) for y in zip(*ys, strict=True)]


def _dynamo(body: Body, carry: Any, xs: Any, reverse: bool) -> tuple[Any, Any]:
    """Torch's scan as Dynamo captures it: over leaves that alias no input and keep their strides."""
    init, structure = tree.flatten(carry)
    inputs, xs_structure = tree.flatten(xs)
    # Dynamo lets nothing but tensors out of the loop: the structure of y comes from one more step, not used otherwise
    ys_structure = tree.flatten(_pair(body(carry, tree.map(lambda x: x[0], xs)))[1])[1]

    def step(before: list[Tensor], x: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        state = tree.unflatten(structure, before)
        after, y = _pair(body(state, tree.unflatten(xs_structure, x)))
        _require_same(state, after)
        return [tracing.fresh(leaf) for leaf in tree.leaves(after)], [tracing.fresh(leaf) for leaf in tree.leaves(y)]

    last, ys = _scan(step, [tracing.fresh(x) for x in init], inputs, reverse=reverse)
    return tree.unflatten(structure, last), tree.unflatten(ys_structure, ys)


def _traced(step: _Step, init: _Leaves, xs: _Leaves, closed_over: _Leaves = ()) -> _Leaves:
    """Records the loop operator in the graph being traced, peeling the transforms around it from the inside out."""
    transform: Any = _functorch.peek_interpreter_stack()
    if transform is None:
        tracer = tracing.current()
        assert tracer is not None
        return tracer.loop(step, init, xs, closed_over)
    interpreter: Any = coerce_cinterpreter(transform)
    if interpreter.key() == _functorch.TransformType.Vmap:
        return _batch(_traced, interpreter, step, init, xs, closed_over)
    return _loop(step, init, xs, closed_over)


def _batch(
    operator: _Operator, interpreter: Any, step: _Step, init: _Leaves, xs: _Leaves, closed_over: _Leaves
) -> _Leaves:
    """The vmapped loop: carries and closed-over tensors have the batch at axis 0, stacked ones at axis 1."""
    level, size = interpreter.level(), interpreter.batch_size()
    arguments = tuple(init), tuple(xs), tuple(closed_over)
    (init, xs, closed_over), (init_dims, xs_dims, closed_dims) = unwrap_batched(arguments, level)
    init = [_batched(x, dim, size) for x, dim in zip(init, init_dims, strict=True)]
    xs = [x if dim is None else x.movedim(dim, 1) for x, dim in zip(xs, xs_dims, strict=True)]
    closed_over = [x if dim is None else x.movedim(dim, 0) for x, dim in zip(closed_over, closed_dims, strict=True)]
    in_dims = (0,) * len(init) + tuple(None if dim is None else 0 for dim in (*xs_dims, *closed_dims))
    with interpreter.lower():

        def batched_step(*leaves: Tensor) -> tuple[Tensor, ...]:
            outputs, dims = restore_vmap(step, in_dims, size, interpreter.randomness())(*leaves)
            return tuple(_batched(x, dim, size) for x, dim in zip(outputs, dims, strict=True))

        outputs = operator(batched_step, init, xs, tuple(closed_over))
    out_dims = (0,) * len(init) + (1,) * (len(outputs) - len(init))
    return wrap_batched(tuple(outputs), out_dims, level)


def _batched(x: Tensor, dim: int | None, size: int) -> Tensor:
    return tracing.fresh(x.expand(size, *x.shape) if dim is None else x.movedim(dim, 0))


def _require_tensors(function: str, argument: str, value: Any) -> None:
    if all(isinstance(x, Tensor) for x in tree.leaves(value)):
        return
    name, x = next((name, x) for name, x in tree.named_leaves(value) if not isinstance(x, Tensor))
    raise TypeError(f"{function}: {argument} leaf {name!r} is {type(x).__name__} {x!r}; every leaf must be a tensor.")


def _pair(result: Any) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(
            f"scan: body returned a {type(result).__name__} but must return (carry, y); return (carry, ()) for no y."
        )
    return result


def _length(xs: Any, length: int | None) -> int:
    leaves = tree.leaves(xs)
    if any(x.ndim == 0 for x in leaves):
        name = next(name for name, x in tree.named_leaves(xs) if x.ndim == 0)
        raise ValueError(f"scan: xs leaf {name!r} has shape []; its leading axis must be time, [T, ...].")
    lengths = {x.shape[0] for x in leaves} | (set() if length is None else {length})
    if len(lengths) > 1:
        shapes = {name: list(x.shape) for name, x in tree.named_leaves(xs)}
        raise ValueError(f"scan: the leading axes of xs differ: {shapes}, length={length}; all must be one T.")
    if not lengths or 0 in lengths:
        raise ValueError(
            "scan: there is no step; xs needs at least one leaf [T, ...] with T >= 1, or pass length= >= 1."
        )
    return lengths.pop()


def _require_same(before: Any, after: Any) -> None:
    old, structure = tree.flatten(before)
    new, new_structure = tree.flatten(after)
    if structure != new_structure:
        names = [name for name, _ in tree.named_leaves(before)], [name for name, _ in tree.named_leaves(after)]
        raise ValueError(f"scan: the carry has leaves {names[0]} but body returned {names[1]}; return one structure.")
    for i, (x, y) in enumerate(zip(old, new, strict=True)):
        if not isinstance(y, Tensor) or x.shape != y.shape or x.dtype != y.dtype:
            name = tree.named_leaves(before)[i][0]
            raise ValueError(
                f"scan: carry leaf {name!r} is {_describe(x)} but body returned {_describe(y)}; "
                "return it with the shape and dtype of the initial carry."
            )


def _describe(x: Any) -> str:
    return f"{str(x.dtype).removeprefix('torch.')} {list(x.shape)}" if isinstance(x, Tensor) else repr(x)


scan_op.functorch_table[_functorch.TransformType.Vmap] = partial(_batch, scan_op)


def cond(condition: Tensor, true: Callable[..., Any], false: Callable[..., Any], *operands: Any) -> Any:
    """`true(*operands)` if `condition` holds, `false(*operands)` if not; only that one is computed.

    Both must return the same structure, shapes and dtypes. Under `torch.func` transforms (`vmap`, `grad`) and
    `torch.compile`, both are computed, and the result is chosen leaf by leaf.

    Args: condition: a boolean scalar. operands: pytrees of tensors. Tensors that the functions close over are allowed.
    Raises: TypeError if the condition is no tensor or a leaf is none; ValueError if it is no boolean scalar, or, where
        both functions are called, if their results differ (the leaf is named).

    >>> cond(torch.tensor(False), lambda x: x + 1, lambda x: -x, torch.tensor(3.0))
    tensor(-3.)
    """
    check.callables("cond", {"true": true, "false": false}, "pass two functions of the operands")
    if not isinstance(condition, Tensor):
        raise TypeError(f"cond: condition is {type(condition).__name__} {condition!r}; pass a boolean scalar tensor.")
    if condition.ndim > 0 or condition.dtype != torch.bool:
        raise ValueError(f"cond: condition is {_describe(condition)}; it must be bool []; torch.vmap over several.")
    transform: Any = _functorch.peek_interpreter_stack()
    transformed = torch.compiler.is_dynamo_compiling() or transform is not None
    tracer = None if transformed else tracing.current()
    if transformed:
        chosen, other = true(*operands), false(*operands)
        _require_alike(chosen, other)
        return tree.map(lambda x, y: torch.where(condition, x, y), chosen, other)
    if tracer is None:
        return (true if condition else false)(*operands)
    leaves, structure = tree.flatten(operands)
    _require_tensors("cond", "operands", operands)
    results: list[Any] = []

    def flat(f: Callable[..., Any]) -> Callable[..., _Leaves]:
        def of_leaves(*x: Tensor) -> _Leaves:
            results.append(f(*tree.unflatten(structure, x)))
            _require_alike(results[0], results[-1])
            return tree.leaves(results[-1])

        return of_leaves

    outputs = tracer.branch(condition, flat(true), flat(false), leaves)
    return tree.unflatten(tree.flatten(results[0])[1], outputs)


def _require_alike(true: Any, false: Any) -> None:
    (xs, structure), (ys, other) = tree.flatten(true), tree.flatten(false)
    if structure != other:
        names = [name for name, _ in tree.named_leaves(true)], [name for name, _ in tree.named_leaves(false)]
        raise ValueError(f"cond: true returned the leaves {names[0]} but false {names[1]}; return one structure.")
    for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
        if not isinstance(x, Tensor) or not isinstance(y, Tensor) or x.shape != y.shape or x.dtype != y.dtype:
            name = tree.named_leaves(true)[i][0]
            raise ValueError(
                f"cond: leaf {name!r} is {_describe(x)} of true but {_describe(y)} of false; return the same from both."
            )


def being_traced() -> bool:
    """Whether `frl.compile` is tracing here; `torch.compile`, which treats loops by itself, does not count.

    >>> being_traced()
    False
    """
    return not torch.compiler.is_dynamo_compiling() and tracing.current() is not None


def members(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` for every member of a population, along the leading axis of every leaf of its arguments and results.

    Compiled, it is `torch.vmap(f)`. In eager mode members take turns, so that each one's result is bitwise what `f`
    gives for that member alone. Raises: TypeError if `f` cannot be called; ValueError, when called, without a member.

    >>> members(lambda x: x @ x)(torch.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [5.0, 25.0]
    """
    check.callables("members", {"f": f}, "pass the function that one member calls")

    def every(*arguments: Any) -> Any:
        if torch.compiler.is_dynamo_compiling() or tracing.current() is not None:
            return torch.vmap(f)(*arguments)
        count = len(tree.leaves(arguments)[0]) if tree.leaves(arguments) else 0
        if count == 0:
            raise ValueError("members: the arguments have no member; each leaf must begin with an axis of at least 1.")
        return tree.stack([f(*tree.map(lambda x: x[i], arguments)) for i in range(count)])  # noqa: B023

    return every
