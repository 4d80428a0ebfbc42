"""Loop-invariant code motion: what a loop would compute anew in each step, though it is the same, moves before it."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, fx

from .functionalization import is_mutation, is_view

_WORTH = 256  # elements; to hand a result into a step costs as much as to compute so many again


def move_out(body: fx.Graph, closed_over: dict[fx.Node, Tensor], results: Sequence[fx.Node]) -> dict[fx.Node, Tensor]:
    """Computes before a loop what its step computes of that alone which it closes over.

    So a policy's weights are laid out for the products of a rollout once, not in each of its steps.

    Args: body: the graph of a step. closed_over: the inputs that are the same in each step, and what they are outside.
        results: of the step, which stay in it.
    Returns: the nodes for which the step is to get further inputs, and what these are outside.
    """
    same, moved = dict(closed_over), {}
    kept = {*results, *_written(body)}
    for node in body.nodes:
        sources = node.all_input_nodes
        if node in kept or not sources or any(x not in same for x in sources) or not _is_function(node):
            continue
        target: Any = node.target
        args, kwargs = fx.map_arg((node.args, node.kwargs), same.__getitem__)
        value = target(*args, **kwargs)
        if isinstance(value, Tensor):
            same[node] = value
            if not is_view(node) and value.numel() >= _WORTH:
                moved[node] = value
    return moved


def _is_function(node: fx.Node) -> bool:
    """Whether an operator gives the same whenever it is called: it writes nothing and draws nothing."""
    if not isinstance(node.target, torch._ops.OpOverload) or is_mutation(node):
        return False
    return torch.Tag.nondeterministic_seeded not in node.target.tags


def _written(graph: fx.Graph) -> set[fx.Node]:
    """What is written into, and what that is a view of."""
    found: set[fx.Node] = set()
    for node in graph.nodes:
        base: Any = node.args[0] if is_mutation(node) else None
        while isinstance(base, fx.Node) and base not in found:
            found.add(base)
            base = base.args[0] if base.op == "call_function" and is_view(base) else None
    return found
