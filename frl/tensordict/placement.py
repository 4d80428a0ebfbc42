"""Where the entries are kept and in which form: device, dtype, memory, plain containers."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import Self

from frl.tensordict.core import Device, Node


class Placement(Node):
    """Copying and converting the entries of a `TensorDict`."""

    __slots__ = ()

    def to(self, target: torch.device | str | torch.dtype, non_blocking: bool = False) -> Self:
        """All entries on a device, which the TensorDict then names as its own; or all of a dtype.

        >>> from frl import TensorDict
        >>> td = TensorDict({"a": torch.zeros(1)})
        >>> td.device, td.to("cpu").device, td.to(torch.float64)["a"].dtype
        (None, device(type='cpu'), torch.float64)
        """
        if isinstance(target, torch.dtype):
            return self._map(lambda x: x.to(target))
        device = torch.device(target)
        return self._map(lambda x: x.to(device, non_blocking=non_blocking))._pin(device)

    def is_shared(self) -> bool:
        """Whether all entries are in shared memory; False where there are none."""
        return not self.is_empty() and all(x.is_shared() for x in self.values(True, True))

    def is_contiguous(self) -> bool:
        """Whether every entry is contiguous in memory."""
        return all(x.is_contiguous() for x in self.values(True, True))

    def cpu(self) -> Self:
        """All entries in the memory of the processor."""
        return self.to("cpu")

    def cuda(self, device: Device = "cuda") -> Self:
        """All entries on a CUDA device."""
        return self.to("cuda" if device is None else device)

    def without_device(self) -> Self:
        """The same entries, no longer bound to a device."""
        return self._pin(None)

    def _pin(self, device: torch.device | None) -> Self:
        data = {key: value._pin(device) if isinstance(value, Placement) else value for key, value in self._data.items()}
        return self._make(data, self._events, self._batch, device)

    def float(self) -> Self:
        """All entries as float32."""
        return self.to(torch.float32)

    def double(self) -> Self:
        """All entries as float64."""
        return self.to(torch.float64)

    def half(self) -> Self:
        """All entries as float16."""
        return self.to(torch.float16)

    def bfloat16(self) -> Self:
        """All entries as bfloat16."""
        return self.to(torch.bfloat16)

    def int(self) -> Self:
        """All entries as int32."""
        return self.to(torch.int32)

    def long(self) -> Self:
        """All entries as int64."""
        return self.to(torch.int64)

    def bool(self) -> Self:
        """All entries as booleans."""
        return self.to(torch.bool)

    def clone(self) -> Self:
        """The same values in memory of their own."""
        return self._map(torch.clone)

    def contiguous(self) -> Self:
        """Every entry contiguous in memory."""
        return self._map(lambda x: x.contiguous())

    def detach(self) -> Self:
        """The same values without their gradient history."""
        return self._map(lambda x: x.detach())

    def pin_memory(self) -> Self:
        """Every entry in page-locked memory, from which copies to a GPU are fast; needs a GPU."""
        return self._map(lambda x: x.pin_memory())

    def share_memory(self) -> Self:
        """The same values in memory that other processes may map; this TensorDict is left as it is."""
        return self._map(lambda x: x if x.is_shared() else x.detach().clone().share_memory_())

    def to_dict(self) -> dict[str, Any]:
        """The entries in nested plain dicts.

        >>> from frl import TensorDict
        >>> TensorDict({"next": {"done": torch.tensor(True)}}).to_dict()
        {'next': {'done': tensor(True)}}
        """
        return {key: value.to_dict() if isinstance(value, Placement) else value for key, value in self._data.items()}

    def numpy(self) -> dict[str, Any]:
        """The entries as NumPy arrays in nested plain dicts, without a copy where that can be."""
        found: dict[str, Any] = {}
        for key, value in self._data.items():
            found[key] = value.numpy() if isinstance(value, Placement) else _array(value)
        return found

    def to_tensordict(self) -> Self:
        """This TensorDict, which cannot change and so needs no copy."""
        return self


def _array(x: Tensor) -> np.ndarray[Any, Any]:
    return x.detach().cpu().numpy()
