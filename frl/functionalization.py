"""Functionalization: a traced graph without writes, as far as that takes no more than renaming.

What is left goes through AOTAutograd's own functionalization, which is slow.
"""

from typing import Any

import torch
from torch import fx


def functionalize(graph: fx.GraphModule) -> None:
    """Replaces writes into fresh intermediate results by new results: torch's own derivatives contain some."""
    for node in graph.graph.nodes:
        if not is_mutation(node) or not isinstance(node.args[0], fx.Node):
            continue
        old = node.args[0]
        if not _alone(old) or any(is_view(user) for user in old.users):
            continue
        new = _pure_form(node)
        if new is None:
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


def is_mutation(node: fx.Node) -> bool:
    """Whether a node writes into an argument."""
    return isinstance(node.target, torch._ops.OpOverload) and node.target._schema.is_mutable


def _alone(node: fx.Node) -> bool:
    """Whether the memory of a value is an operator's result that nothing else reads, in this form or another."""
    if not isinstance(node.target, torch._ops.OpOverload):
        return False
    if not is_view(node):
        return True
    base = node.args[0]
    return isinstance(base, fx.Node) and len(base.users) == 1 and _alone(base)


def is_view(node: fx.Node) -> bool:
    """Whether a node may return a view of its argument."""
    if not isinstance(node.target, torch._ops.OpOverload):
        return True
    schema = node.target._schema
    return not schema.is_mutable and any(r.alias_info is not None for r in schema.returns)


def mutates(graph: fx.GraphModule) -> bool:
    """Whether an in-place operation is left in the graph or in a loop's body, other than the donation at its end."""
    nodes = (node for m in graph.modules() if isinstance(m, fx.GraphModule) for node in m.graph.nodes)
    return any(
        is_mutation(node) and not (node.target is torch.ops.aten.copy_.default and node.args[0].op == "placeholder")
        for node in nodes
    )
