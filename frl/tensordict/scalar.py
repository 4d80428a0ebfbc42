"""The one conversion between a per-step scalar at TensorDict level, [*B, 1], and in mathematics, [*B]."""

from torch import Tensor

from frl.tensordict.core import Key
from frl.tensordict.tensordict import TensorDict


def scalar(td: TensorDict, key: Key) -> Tensor:
    """The entry [*B, 1] under `key` as [*B].

    Raises: ValueError if it has another shape, so that [B, 1] never meets [B] in an operation that broadcasts.

    >>> import torch
    >>> scalar(TensorDict({"reward": torch.ones(5, 1)}, 5), "reward").shape
    torch.Size([5])
    """
    value, batch = td[key], td.batch_size
    if value.shape != (*batch, 1):
        raise ValueError(
            f"scalar: entry {key!r} has shape {list(value.shape)}, expected {[*batch, 1]}: one number for each step."
        )
    return value.squeeze(-1)
