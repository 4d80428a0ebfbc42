"""What a worker is made of, as bytes: functions and modules go to a process that was not forked from this one.

Only the parent packs and only its own workers unpack; nothing that a worker says comes this way.
"""

import io
from multiprocessing.reduction import ForkingPickler
from typing import Any, cast

import torch
from torch import Tensor, nn


class _Packer(ForkingPickler):
    """Tensors go by value: torch's own way, shared memory with a name, can be left behind."""

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) not in (Tensor, nn.Parameter):
            return NotImplemented
        data = obj.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        return _tensor, (data, obj.dtype, tuple(obj.shape), obj.requires_grad, isinstance(obj, nn.Parameter))


def _tensor(data: bytes, dtype: torch.dtype, shape: tuple[int, ...], gradient: bool, parameter: bool) -> Tensor:
    x = torch.frombuffer(bytearray(data), dtype=dtype) if data else torch.empty(0, dtype=dtype)
    x = x.reshape(shape)
    return nn.Parameter(x, gradient) if parameter else x.requires_grad_(gradient)


def packed(owner: str, name: str, value: Any, method: str, remedy: str) -> Any:
    """`value` for a process that `method` starts: itself for a fork, else bytes, and its tensors are on the cpu there.

    Raises: TypeError that says what cannot be sent, and the remedy.

    >>> packed("ParallelEnv", "f", lambda: 0, "spawn", "give a function of a module")
    Traceback (most recent call last):
    TypeError: ParallelEnv: f, ...<lambda>..., cannot be sent to a worker that is started by spawn (...); give a \
function of a module, or pass mp_start_method='fork'.
    """
    if method == "fork":
        return value
    memory = io.BytesIO()
    try:
        _Packer(memory).dump(value)
    except Exception as error:
        shown = " ".join(repr(value).split())
        shown = shown if len(shown) <= 80 else shown[:77] + "..."
        raise TypeError(
            f"{owner}: {name}, {shown}, cannot be sent to a worker that is started by {method} "
            f"({str(error)[:120]}); {remedy}, or pass mp_start_method='fork'."
        ) from error
    return memory.getvalue()


def unpacked(name: str, value: Any) -> Any:
    """What was packed; what is no bytes came by a fork, and is itself.

    Raises: TypeError if it is not to be found in this process.

    >>> unpacked("f", packed("ParallelEnv", "f", torch.ones(2), "spawn", ""))
    tensor([1., 1.])
    """
    if not isinstance(value, bytes):
        return value
    try:
        return cast(Any, ForkingPickler).loads(value)
    except Exception as error:
        raise TypeError(
            f"{name} cannot be found in a worker: {error}; define it in a module that can be imported, or pass "
            "mp_start_method='fork'"
        ) from error
