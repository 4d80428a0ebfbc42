"""Transforms of keys: which entries are shown, under which names, and joined to which vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from frl.specs import Bounded, Composite, Spec, Unbounded
from frl.tensordict import Key, TensorDict
from frl.transforms.base import Entrywise, Transform, entry, require_keys
from frl.transforms.entries import drop_specs, entry_spec, set_spec

_ALWAYS = ("reward", "done", "terminated", "truncated", "action", "next")


class _OfKeys(Transform):
    def __init__(self, *keys: Key):
        if not all(isinstance(key, (str, tuple)) for key in keys):
            name = type(self).__name__
            raise TypeError(f"{name}: the keys are {list(keys)}; pass them one by one, as {name}('observation').")
        if self._refuses(keys):
            raise ValueError(
                f"{type(self).__name__}: the keys are {list(keys)}, but what every environment shows stays: "
                f"{', '.join(_ALWAYS[:4])}; leave these out."
            )
        object.__setattr__(self, "in_keys", keys)

    def _refuses(self, keys: Sequence[Key]) -> bool:
        return False

    def __setattr__(self, name: str, value: Any) -> None:
        raise TypeError(f"{type(self).__name__} is immutable: .{name} cannot be assigned; build a new one.")


class SelectTransform(_OfKeys):
    """Only the observations under `keys`, and what every environment shows: the reward and the flags.

    On data it leaves out what a policy wrote, too, but for the action.

    Raises: KeyError for a key that the environment does not show.

    >>> td = TensorDict({"observation": torch.ones(2), "pixels": torch.ones(3)})
    >>> sorted(SelectTransform("observation")(td))
    ['observation']
    """

    def observe(self, td: TensorDict) -> TensorDict:
        """The entries chosen."""
        for key in self.in_keys:
            entry(self, td, key)
        return td.select(*self.in_keys, *[key for key in _ALWAYS if key in td])

    def observation_spec(self, spec: Composite) -> Composite:
        """Their specs."""
        chosen = Composite({}, spec.shape)
        for key in self.in_keys:
            chosen = set_spec(chosen, key, entry_spec(self, spec, key))
        return chosen


class ExcludeTransform(_OfKeys):
    """All observations but those under `keys`; one that is not there is no error.

    Raises: ValueError for what every environment shows: the reward and the flags.

    >>> td = TensorDict({"observation": torch.ones(2), "pixels": torch.ones(3)})
    >>> sorted(ExcludeTransform("pixels")(td))
    ['observation']
    """

    def observe(self, td: TensorDict) -> TensorDict:
        """The other entries."""
        return td.exclude(*self.in_keys)

    def observation_spec(self, spec: Composite) -> Composite:
        """Their specs."""
        return drop_specs(spec, self.in_keys)

    def _refuses(self, keys: Sequence[Key]) -> bool:
        return bool(set(keys) & set(_ALWAYS))


@dataclass(frozen=True, eq=False, repr=False)
class RenameTransform(Transform):
    """Observations under other names.

    Args: create_copy: they stand under both names.
    Raises: ValueError for what every environment shows under its own name, the reward and the flags, and if there are
        not as many out_keys.

    >>> td = TensorDict({"observation": torch.ones(2)})
    >>> sorted(RenameTransform(["observation"], ["state_vector"])(td))
    ['state_vector']
    """

    in_keys: Sequence[Key]
    out_keys: Sequence[Key]
    create_copy: bool = False

    def __post_init__(self) -> None:
        require_keys(self, "in_keys", self.in_keys)
        require_keys(self, "out_keys", self.out_keys, len(self.in_keys))
        if set(_ALWAYS) & {*self.in_keys, *self.out_keys}:
            raise ValueError(
                f"RenameTransform: the keys are {list(self.in_keys)} and {list(self.out_keys)}, but what every "
                f"environment shows keeps its name: {', '.join(_ALWAYS[:4])}; leave these out."
            )

    def observe(self, td: TensorDict) -> TensorDict:
        """The entries under their new names."""
        values = [entry(self, td, key) for key in self.in_keys]
        td = td if self.create_copy else td.exclude(*self.in_keys)
        for key, value in zip(self.out_keys, values, strict=True):
            td = td.set(key, value)
        return td

    def observation_spec(self, spec: Composite) -> Composite:
        """Their specs under their new names."""
        values = [entry_spec(self, spec, key) for key in self.in_keys]
        spec = spec if self.create_copy else drop_specs(spec, self.in_keys)
        for key, value in zip(self.out_keys, values, strict=True):
            spec = set_spec(spec, key, value)
        return spec

    def _shown(self) -> str:
        return f"in_keys={list(self.in_keys)}, out_keys={list(self.out_keys)}"


@dataclass(frozen=True, eq=False, repr=False)
class CatTensors(Transform):
    """Several observations concatenated, in the order of `in_keys`, along the event axis `dim`.

    Args: dim: negative, from the end of [*B, *event]. del_keys: the parts are not shown any more.
    Raises: ValueError if `dim` is not negative; TypeError if the parts differ in dtype.

    >>> td = TensorDict({"position": torch.zeros(2), "speed": torch.ones(1)})
    >>> CatTensors(["position", "speed"], out_key="observation")(td)["observation"]
    tensor([0., 0., 1.])
    """

    in_keys: Sequence[Key]
    out_key: Key = "observation_vector"
    dim: int = -1
    del_keys: bool = True

    def __post_init__(self) -> None:
        require_keys(self, "in_keys", self.in_keys)
        if self.dim >= 0:
            raise ValueError(f"CatTensors: dim is {self.dim} but must be negative: it counts from the event's end.")

    def _join(self, parts: list[Tensor]) -> Tensor:
        dtypes = {part.dtype for part in parts}
        if len(dtypes) > 1:
            raise TypeError(
                f"CatTensors: {list(self.in_keys)} have the dtypes {[part.dtype for part in parts]} but must have one; "
                "put a DTypeCastTransform first."
            )
        return torch.cat(parts, self.dim)

    def observe(self, td: TensorDict) -> TensorDict:
        """The parts joined."""
        joined = self._join([entry(self, td, key) for key in self.in_keys])
        return (td.exclude(*self.in_keys) if self.del_keys else td).set(self.out_key, joined)

    def observation_spec(self, spec: Composite) -> Composite:
        """Bounded if all parts are."""
        parts: list[Spec] = [entry_spec(self, spec, key) for key in self.in_keys]
        spec = drop_specs(spec, self.in_keys) if self.del_keys else spec
        boxes = [part for part in parts if isinstance(part, Bounded)]
        if len(boxes) == len(parts):
            joined = Bounded(self._join([x.low for x in boxes]), self._join([x.high for x in boxes]))
            return set_spec(spec, self.out_key, joined)
        zeros = self._join([part.zeros() for part in parts])
        return set_spec(spec, self.out_key, Unbounded(zeros.shape, zeros.device, zeros.dtype))

    def _shown(self) -> str:
        return f"in_keys={list(self.in_keys)}, out_key={self.out_key!r}"


@dataclass(frozen=True, eq=False, repr=False)
class FlattenObservation(Entrywise):
    """The event axes from `first_dim` to `last_dim` of an observation as one.

    Args: first_dim, last_dim: negative, from the end of [*B, *event].
    Raises: ValueError if one is not negative or the first lies behind the last.

    >>> td = TensorDict({"pixels": torch.ones(3, 4, 5)})
    >>> FlattenObservation(-3, -1, in_keys=["pixels"])(td)["pixels"].shape
    torch.Size([60])
    """

    first_dim: int
    last_dim: int = -1
    in_keys: Sequence[Key] = ("observation",)
    out_keys: Sequence[Key] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.first_dim <= self.last_dim < 0:
            raise ValueError(
                f"FlattenObservation: first_dim is {self.first_dim} and last_dim is {self.last_dim}, but both must be "
                "negative, the first before the last; they count from the end of the event."
            )

    def apply(self, x: Tensor) -> Tensor:
        """[*B, *event] -> [*B, *flat event]."""
        return x.flatten(self.first_dim, self.last_dim)

    def _shown(self) -> str:
        return f"first_dim={self.first_dim}, last_dim={self.last_dim}, {super()._shown()}"
