"""A loop over time whose gradient, in a compiled program, is a second loop, backwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch._C._functorch as _functorch
from torch import Tensor

from . import control, tree

Body = Callable[[Any, Any, Any], tuple[Any, Any]]


def scan(body: Body, params: Any, carry: Any, xs: Any, *, reverse: bool = False) -> tuple[Any, Any]:
    """`control.scan` of `body(params, carry, x) -> (carry, y)`, to be differentiated in compiled programs.

    There, `torch.func.grad` of `control.scan` unrolls the loop, and the time to compile grows with the number of steps.
    Here the gradient is a loop as well: it keeps the carry before each step, and computes the step again; what goes
    into `params` and `xs` is computed for all steps at once. So it is for gradients of any order, and under `vmap`. In
    eager mode the two functions are one.

    Args: params: all that `body` reads and that gradients shall reach: it must not close over such tensors. carry, xs,
        reverse: as in `control.scan`. The leaves of params, of the carry and of y are floating point; those of `xs` may
        be flags and integers.

    >>> weight, xs = torch.tensor(2.0), torch.tensor([1.0, 3.0])
    >>> total = lambda weight: scan(lambda w, c, x: (c + w * x, ()), weight, torch.tensor(0.0), xs)[0]
    >>> torch.func.grad(total)(weight)
    tensor(4.)
    """
    if not control.being_traced() or not _by_reverse_mode_alone():
        return control.scan(lambda c, x: body(params, c, x), carry, xs, reverse=reverse)
    groups = tuple(tree.flatten(part) for part in (params, carry, xs))
    loop = _Loop(body, tuple(structure for _, structure in groups), tuple(len(leaves) for leaves, _ in groups), reverse)
    outputs = _Differentiable.apply(loop, *[x for leaves, _ in groups for x in leaves])
    n = len(groups[1][0])
    ys = outputs[n : len(outputs) - n]
    return tree.unflatten(loop.structures[1], outputs[:n]), tree.unflatten(loop.y_structure(), ys)


def _by_reverse_mode_alone() -> bool:
    """Whether a gradient is taken around this, and nothing but gradients and vmaps."""
    kinds = {interpreter.key() for interpreter in _functorch.get_interpreter_stack() or ()}
    gradient, vmap = _functorch.TransformType.Grad, _functorch.TransformType.Vmap
    return gradient in kinds and kinds <= {gradient, vmap}


class _Loop:
    """A loop over leaves: those of params, of the carry and of the inputs, one after another."""

    def __init__(self, body: Body, structures: tuple[Any, ...], counts: tuple[int, ...], reverse: bool):
        self.body, self.structures, self.counts, self.reverse = body, structures, counts, reverse
        self._y_structure: list[Any] = []

    def y_structure(self) -> Any:
        return self._y_structure[0]

    def split(self, leaves: Sequence[Tensor]) -> tuple[Sequence[Tensor], Sequence[Tensor], Sequence[Tensor]]:
        """The leaves of params, of the carry and of the inputs."""
        p, c, _ = self.counts
        return leaves[:p], leaves[p : p + c], leaves[p + c :]

    def step(self, params: Any, carry: Any, x: Any) -> tuple[list[Tensor], list[Tensor]]:
        """One step over leaves: the carry after it, and what is kept of it: y, and the carry before it."""
        parts = zip(self.structures, (params, carry, x), strict=True)
        after, y = self.body(*[tree.unflatten(structure, list(leaves)) for structure, leaves in parts])
        ys, structure = tree.flatten(y)
        self._y_structure[:] = [structure]
        return tree.leaves(after), [*ys, *carry]

    def run(self, leaves: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The last carry, the ys, and the carries before each step."""
        params, carry, xs = self.split(leaves)
        last, kept = scan(lambda p, c, x: self.step(p, c, x), list(params), list(carry), list(xs), reverse=self.reverse)
        return (*last, *kept)

    def pull_back(self, leaves: Sequence[Tensor], kept: Sequence[Tensor], grads: Sequence[Tensor]) -> list[Any]:
        """The gradients of all leaves, None for those that are no numbers, from those of the outputs."""
        params, first, xs = (list(part) for part in self.split(leaves))
        n = len(first)
        steps = _Step(list(kept[len(kept) - n :]), xs, list(grads[n:]))

        def back(params: list[Tensor], of_after: list[Tensor], now: _Step) -> tuple[list[Tensor], list[Tensor]]:
            pull = torch.func.vjp(lambda before: self.step(params, before, now.x), now.before)[1]
            return pull((of_after, now.of_kept))[0], of_after

        of_first, of_after = scan(back, params, list(grads[:n]), steps, reverse=not self.reverse)

        # Only the gradient of the carry is a loop; what goes into params and xs, all steps give at once.
        floating = [x.is_floating_point() for x in xs]

        def every(params: list[Tensor], numbers: list[Tensor]) -> Any:
            given = iter(numbers)
            values = [next(given) if number else x for number, x in zip(floating, xs, strict=True)]
            return torch.vmap(lambda before, x: self.step(params, before, x))(steps.before, values)

        numbers = [x for x, number in zip(xs, floating, strict=True) if number]
        pull = torch.func.vjp(every, params, numbers)[1]
        of_params, of_numbers = pull((of_after, steps.of_kept))
        given = iter(of_numbers)
        return [*of_params, *of_first, *[next(given) if number else None for number in floating]]


class _Step(NamedTuple):
    """What the gradient reads of a step: the carry before it, its input, and the gradients of what was kept of it."""

    before: Any
    x: Any
    of_kept: Any


class _Differentiable(torch.autograd.Function):
    """The loop as one operation of the automatic differentiation, which so runs it below the gradients around it."""

    generate_vmap_rule = True

    @staticmethod
    def forward(loop: _Loop, *leaves: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        return loop.run(leaves)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.loop, *leaves = inputs
        ctx.num_leaves = len(leaves)
        ctx.save_for_backward(*leaves, *output[ctx.loop.counts[1] :])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:  # type: ignore[override]
        leaves, kept = ctx.saved_tensors[: ctx.num_leaves], ctx.saved_tensors[ctx.num_leaves :]
        return (None, *ctx.loop.pull_back(leaves, kept, grads))
