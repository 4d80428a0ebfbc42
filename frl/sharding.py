"""Sharding: the parts of a leading axis at the same time, each in a thread and on a core of its own."""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import torch
from torch import Tensor

from . import tracing, tree


class Sharded:
    """`f(*args)`, called for each of `count` equal parts of the leading axis of all leaves at once.

    Results are laid end to end. Where `f` writes a result over a part of an argument, the result is that argument.
    """

    def __init__(self, f: Callable[..., Any], count: int) -> None:
        self._f, self._count = f, count
        functools.update_wrapper(self, f, updated=())
        self._threads: ThreadPoolExecutor | None = None
        self._seen: set[Any] = set()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raises: ValueError for a leaf without an axis that `count` divides; and what `f` raises."""
        if tracing.current() is not None:
            return self._f(*args, **kwargs)
        self._require_divisible(args, kwargs)
        leaves, structure = tree.flatten((args, kwargs))
        cut = [x.unflatten(0, (self._count, -1)) for x in leaves]
        parts = [tree.unflatten(structure, [x[i] for x in cut]) for i in range(self._count)]
        results = self._map(parts, (structure, *((x.shape, x.dtype) for x in leaves)))
        outputs, structures = zip(*map(tree.flatten, results), strict=True)
        whole = {x.data_ptr(): x for x in leaves if x.numel()}
        return tree.unflatten(structures[0], [_joined(pieces, whole) for pieces in zip(*outputs, strict=True)])

    def _map(self, parts: list[Any], form: Any) -> list[Any]:
        if self._threads is None:
            self._threads = _threads_of_one_core(self._count)
        submitted = []
        for args, kwargs in parts:
            submitted.append(self._threads.submit(self._f, *args, **kwargs))
            if form not in self._seen:  # the first of them compiles for all
                submitted[0].result()
        self._seen.add(form)
        return [part.result() for part in submitted]

    def _require_divisible(self, args: Any, kwargs: Any) -> None:
        for name, x in tree.named_leaves((args, kwargs)):
            if not isinstance(x, Tensor) or x.ndim == 0 or x.shape[0] % self._count:
                given = f"has shape {list(x.shape)}" if isinstance(x, Tensor) else f"is {x!r}"
                raise ValueError(
                    f"compile: shards={self._count}, but argument leaf {name!r} {given}; each leaf must begin with an "
                    f"axis that {self._count} divides, such as that of a population's members."
                )


def _joined(parts: tuple[Tensor, ...], whole: dict[int, Tensor]) -> Tensor:
    """The parts end to end: the argument of which they are the memory already, if there is one."""
    argument = whole.get(parts[0].data_ptr())
    if argument is not None:
        places = argument.unflatten(0, (len(parts), -1))
        if all(x.data_ptr() == y.data_ptr() and _form(x) == _form(y) for x, y in zip(parts, places, strict=True)):
            return argument
    return torch.cat(parts)


def _form(x: Tensor) -> Any:
    return x.dtype, x.shape, x.stride()


def _threads_of_one_core(count: int) -> ThreadPoolExecutor:
    """Threads in which torch's operators do not split their work; in others they do as before."""
    before, together = torch.get_num_threads(), Barrier(count + 1)

    def begin() -> None:
        torch.get_num_threads()  # the first time that a thread is asked, it takes the number over that all begin with
        torch.set_num_threads(1)
        together.wait()

    threads = ThreadPoolExecutor(count, "frl-shard", initializer=begin)
    for _ in range(count):
        threads.submit(lambda: None)
    together.wait()
    torch.set_num_threads(before)  # what all begin with, too
    return threads
