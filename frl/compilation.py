"""`compile`: one pure function of tensors becomes one machine-code program.

frl's functions are pure, so there is nothing for a bytecode analysis to find out: `compile` traces the function once
over fake tensors, as `jax.jit` does, and gives the graph to Inductor. All settings hold during that call alone.
"""

import contextlib
import gc
import os
import shutil
import sys
from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from . import check, compilation_cache, inductor, tracing, tree
from .compilation_cache import Program
from .sharding import Sharded

F = TypeVar("F", bound=Callable[..., Any])


def compile(f: F, *, donate: bool = False, shards: int = 1) -> F:
    """The function `f`, compiled whole on the first call for each structure, shape and dtype of its arguments.

    `f` must be pure: a function of its arguments' tensors that mutates none of them. As with `jax.jit`, Python values
    (numbers, strings, what `f` closes over) are read once, when it is traced; what changes must be a tensor in an
    argument. Values never recompile; Python numbers and strings among the arguments do, once for each value. Gradients
    are taken inside `f`, by `torch.func`, and transforms too: `compile(vmap(f))`, never `vmap(compile(f))`. Called by a
    function that is being compiled itself, it becomes part of that function's program.

    Numbers nearer to 0 than the smallest normal one (1.2e-38 in float32) count as 0 in the program of an x86 processor,
    as in XLA's: Adam's averages come to consist of them where a gradient stays 0, and each takes a hundred times as
    long as another number.

    On a CPU the program is kept on disk, under `$TORCHINDUCTOR_CACHE_DIR`; the next process traces `f` and loads it.

    Where there is no C++ compiler, `f` itself is returned, and one line on stderr says so.

    Args: donate: the new state takes the memory of the old one. `f(state, ...)` then returns a state of the same
        structure, alone or first in a tuple, and the `state` passed in must not be used again: it *is* the new one.
        shards: into how many parts the leading axis of all leaves is cut, each of which is computed on a core of its
        own at the same time as the others. `f` must do apart what stands apart on that axis, as a population's step
        does, and give results with the same axis. That is faster than all cores for all, which would wait for each
        other at the end of each small operation.
    Returns: a function of the same signature.
    Raises: TypeError if `f` cannot be called; ValueError if `shards` is below 1. When the result is called: ValueError
        for a tensor that requires grad, with `donate`, for a state that changes its structure or, with `shards`, for a
        leaf without an axis that they divide; RuntimeError where `f` branches on the value of a tensor.

    >>> double = compile(lambda x: {"y": 2 * x}) if compiler_available() else lambda x: {"y": 2 * x}
    >>> double(torch.ones(2))["y"].tolist()
    [2.0, 2.0]
    """
    check.callables("compile", {"f": f}, "pass the function to be compiled")
    check.at_least("compile", {"shards": shards}, 1)
    if not compiler_available():
        print("frl: no C++ compiler found, so this runs in eager mode; install g++ to compile.", file=sys.stderr)
        return f
    compiled = _Compiled(f, donate)
    return cast(F, compiled if shards == 1 else Sharded(compiled, shards))


def compiler_available() -> bool:
    """Whether a C++ compiler is on the path: `$CXX`, or else g++ (clang++ on macOS)."""
    return shutil.which(os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")) is not None


class _Compiled:
    """A function with its programs, one for each signature of its arguments."""

    def __init__(self, f: Callable[..., Any], donate: bool) -> None:
        self._f, self._donate = f, donate
        self._programs: dict[Any, tuple[Program, tree.TreeSpec]] = {}
        self.__name__ = getattr(f, "__name__", type(f).__name__)
        self.__doc__ = f.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if tracing.current() is not None:
            return self._f(*args, **kwargs)
        leaves, structure = tree.flatten((args, kwargs))
        tensors = [x.contiguous() for x in leaves if isinstance(x, Tensor)]
        if self._donate:
            tensors = _apart(tensors)
        signature = structure, torch.get_num_threads(), tuple(_signature(x) for x in leaves)
        if signature not in self._programs:
            _require_no_grad(args)
            self._programs[signature] = self._build(structure, leaves, tensors)
        program, out_structure = self._programs[signature]
        return tree.unflatten(out_structure, program(tensors))

    def _build(self, structure: Any, leaves: list[Any], tensors: list[Tensor]) -> tuple[Program, tree.TreeSpec]:
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

        with _no_garbage_collection():
            graph = _trace(flat, tensors, self.__name__)
            program = _program(graph)
        assert out_structure is not None
        closed_over = graph.closed_over
        return lambda tensors: program([*tensors, *closed_over]), out_structure


@contextlib.contextmanager
def _no_garbage_collection() -> Generator[None]:
    """A compiler keeps most of what it makes: to look for what it does not took a tenth of its time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _trace(f: Callable[..., list[Tensor]], tensors: list[Tensor], name: str) -> tracing.Graph:
    try:
        return tracing.trace(f, tensors)
    except tracing.AsksForValue as error:
        raise RuntimeError(
            f"compile: {name} asks for the value of a tensor, by `if`, `while` or the like (see the error above); "
            "use torch.where, or frl.control.scan for a loop."
        ) from error


def _program(graph: tracing.Graph) -> Program:
    """The machine code of a traced graph, from an earlier process or made now."""
    name = compilation_cache.key(graph)
    program = compilation_cache.load(name) if name else None
    return program or _compile(graph, name)


def _compile(graph: tracing.Graph, name: str | None) -> Program:
    before = set(sys.modules)
    program, is_library = inductor.lower(graph)
    library = compilation_cache.library_loaded_since(before) if is_library else None
    if name and library:
        compilation_cache.save(name, library)
    return program


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


def _apart(tensors: list[Tensor]) -> list[Tensor]:
    """The tensors, each in memory of its own: what is written over one must not show in another."""
    seen: set[int] = set()
    apart = []
    for x in tensors:
        apart.append(x.clone() if _storage(x) in seen else x)
        seen.add(_storage(x))
    return apart


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
