"""The printed form: fields by key, then batch size, device and whether all is in shared memory."""

from textwrap import indent
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from frl.tensordict.core import Node


class Printing(Node):
    """The printed form of a `TensorDict`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return _print(self, _batch_size(self))[0]


def _print(node: Node, batch: torch.Size | None) -> tuple[str, bool]:
    """The text, and whether all leaves are shared."""
    lines: list[str] = []
    shared: list[bool] = []
    for key, value in node._data.items():
        if not isinstance(value, Node):
            text, flag = _print_leaf(value)
            shared.append(flag)
        elif value.is_empty():
            text, _ = _print(value, batch)
        else:
            text, flag = _print(value, _batch_size(value))
            shared.append(flag)
        lines.append(f"{key}: {text}")
    is_shared = bool(shared) and all(shared)
    fields = "fields={\n" + indent(",\n".join(lines), "    ") + "}"
    rest = f"batch_size={batch},\ndevice={node.device},\nis_shared={is_shared})"
    return f"{type(node).__name__}(\n" + indent(f"{fields},\n{rest}", "    "), is_shared


def _batch_size(node: Node) -> torch.Size | None:
    """None where the leaves are no tensors, or not those that the node was made for: such a node prints, too."""
    try:
        return node.batch_size
    except (AttributeError, ValueError):
        return None


def _print_leaf(x: Any) -> tuple[str, bool]:
    if not isinstance(x, Tensor):
        return repr(x), False
    shared = _is_shared(x)
    kind = "Parameter" if isinstance(x, Parameter) else "Tensor"
    return f"{kind}(shape={x.shape}, device={x.device}, dtype={x.dtype}, is_shared={shared})", shared


def _is_shared(x: Tensor) -> bool:
    try:
        return x.is_shared()
    except (RuntimeError, NotImplementedError):  # a tensor without memory of its own: inside a transform, or fake
        return False
