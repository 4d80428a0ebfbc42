"""The printed form of modules over TensorDicts."""

from textwrap import indent
from typing import Any

import torch


def describe(module: Any, *fields: str) -> str:
    """`Class(field, ..., device=, in_keys=, out_keys=)`, a line for each.

    >>> from frl.nn.modules import TensorDictModule
    >>> TensorDictModule(torch.nn.Tanh(), ["a"], ["b"])
    TensorDictModule(
        module=Tanh(),
        device=cpu,
        in_keys=['a'],
        out_keys=['b'])
    """
    device = next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
    lines = [*fields, f"device={device}", f"in_keys={module.in_keys}", f"out_keys={module.out_keys}"]
    return f"{type(module).__name__}(\n" + indent(",\n".join(lines), "    ") + ")"
