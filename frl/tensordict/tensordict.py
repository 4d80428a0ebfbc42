"""The TensorDict that users see, and its registration as a pytree."""

from collections.abc import Iterable
from typing import Any

from frl import tree
from frl.tensordict.apply import Applied
from frl.tensordict.arithmetic import Arithmetic
from frl.tensordict.changes import Changes
from frl.tensordict.files import Files
from frl.tensordict.indexing import Indexing
from frl.tensordict.memmap import MemoryMapped
from frl.tensordict.parameters import Parameters
from frl.tensordict.placement import Placement
from frl.tensordict.printing import Printing
from frl.tensordict.reduction import Reduction
from frl.tensordict.shape import ShapeOps
from frl.tensordict.torch_functions import TorchFunctions


class TensorDict(
    Changes,
    Indexing,
    ShapeOps,
    Applied,
    Arithmetic,
    Reduction,
    Placement,
    Files,
    MemoryMapped,
    Parameters,
    TorchFunctions,
    Printing,
):
    """An immutable mapping of names to tensors and TensorDicts that share their leading shape, the batch size.

    Every change (`set`, `update`, `at[i].set`) returns a new TensorDict. A key is a name or, for a nested entry, a
    tuple of names. A nested plain dict becomes a TensorDict with the same batch size and device.

    Args: source: names to tensors, TensorDicts, dicts or numbers. batch_size: the shape that all entries begin with.
        device: where all entries are kept, or None for wherever each one is.
    Raises: ValueError if an entry does not begin with the batch size; TypeError if it is no tensor.

    >>> import torch
    >>> td = TensorDict({"obs": torch.zeros(5, 3), "next": {"obs": torch.ones(5, 3)}}, batch_size=[5])
    >>> td.set("reward", torch.zeros(5))["next", "obs"].shape, td[2].batch_size, "reward" in td
    (torch.Size([5, 3]), torch.Size([]), False)
    """

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return _unflatten, (list(self._data.values()), _flatten(self)[1])


def _flatten(td: TensorDict) -> tuple[list[Any], Any]:
    return list(td._data.values()), (tuple(td._data), td._events, td._batch, td._device)


def _unflatten(children: Iterable[Any], context: Any) -> TensorDict:
    keys, events, batch, device = context
    return TensorDict._make(dict(zip(keys, children, strict=True)), events, batch, device)


tree.register(TensorDict, _flatten, _unflatten)
