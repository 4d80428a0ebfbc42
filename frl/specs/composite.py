"""The spec of a TensorDict: a spec for each entry."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import indent
from typing import Any

import torch
from torch import Tensor

from frl import random
from frl.specs.base import Spec, sizes
from frl.tensordict import TensorDict


class Composite(Mapping[str, Any]):
    """A mapping of names to specs, nested ones included: the spec of a TensorDict. Immutable.

    Args: specs: names to specs, Composites or dicts, whose shapes begin with `shape`.
        shape: the batch size of one value.
    Raises: ValueError if a shape does not begin so; TypeError if an entry is no spec.

    >>> from frl.specs import Bounded, Categorical
    >>> spec = Composite({"position": Bounded(-1.0, 1.0, 2), "info": {"steps": Categorical(9)}})
    >>> spec["info", "steps"].n, spec.zeros(5).batch_size, spec.contains(spec.sample(random.key(0)))
    (9, torch.Size([5]), True)
    """

    shape: torch.Size
    _specs: dict[str, Any]

    def __init__(self, specs: Mapping[str, Any], shape: Sequence[int] | int = ()):
        object.__setattr__(self, "shape", sizes(shape))
        object.__setattr__(self, "_specs", {name: self._entry(name, specs[name]) for name in sorted(specs)})

    def _entry(self, name: str, spec: Any) -> Any:
        if isinstance(spec, Mapping) and not isinstance(spec, Composite):
            spec = Composite(spec, self.shape)
        if not isinstance(spec, (Spec, Composite)):
            raise TypeError(
                f"Composite: entry {name!r} is a {type(spec).__name__}; expected a spec or a dict of specs."
            )
        if spec.shape[: len(self.shape)] != self.shape:
            raise ValueError(
                f"Composite: entry {name!r} has shape {list(spec.shape)}, which does not begin with the shape "
                f"{list(self.shape)}; expand it by spec.expand."
            )
        return spec

    def __getitem__(self, key: Any) -> Any:
        name, *rest = (key,) if isinstance(key, str) else key
        if name not in self._specs:
            raise KeyError(f"Composite: no entry {name!r}; it has {list(self._specs)}.")
        return self._specs[name][tuple(rest)] if rest else self._specs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)

    def set(self, name: str, spec: Any) -> "Composite":
        """This Composite with `spec` under `name`."""
        return Composite({**self._specs, name: spec}, self.shape)

    @property
    def device(self) -> torch.device | None:
        """The device of all entries, or None where they differ or there are none."""
        found = {spec.device for spec in self._specs.values()}
        return found.pop() if len(found) == 1 else None

    def zeros(self, batch_size: Sequence[int] | int = ()) -> TensorDict:
        """The TensorDict of zeros, of batch size [*batch_size, *shape]."""
        entries = {name: spec.zeros(batch_size) for name, spec in self._specs.items()}
        return TensorDict(entries, sizes(batch_size) + self.shape)

    def sample(self, key: Tensor) -> TensorDict:
        """A draw for each entry: from a key [*K, 2], a TensorDict of batch size [*K, *shape]."""
        keys = random.split(key, max(len(self), 1))
        entries = {name: spec.sample(k) for (name, spec), k in zip(self._specs.items(), keys, strict=False)}
        return TensorDict(entries, key.shape[:-1] + self.shape)

    def explain(self, value: Any) -> str | None:
        """Why `value` is not contained, naming the key, or None if it is; a value may have more keys."""
        if not isinstance(value, Mapping):
            return f"is a {type(value).__name__} but must be a TensorDict or a dict"
        for name, spec in self._specs.items():
            reason = spec.explain(value[name]) if name in value else f"is missing; there are {sorted(value)}"
            if reason is not None:
                return f"[{name!r}]{'' if reason.startswith('[') else ' '}{reason}"
        return None

    def contains(self, value: Any) -> bool:
        """Whether every entry of the spec is in `value` and contained."""
        return self.explain(value) is None

    def project(self, value: TensorDict) -> TensorDict:
        """`value` with each entry of the spec projected; further entries stay."""
        return value.update({name: spec.project(value[name]) for name, spec in self._specs.items()})

    def expand(self, *batch: int) -> "Composite":
        """The spec of `batch` such values side by side."""
        specs = {name: spec.expand(*batch) for name, spec in self._specs.items()}
        return Composite(specs, torch.Size(batch) + self.shape)

    def to(self, device: torch.device | str) -> "Composite":
        """The same specs on another device."""
        return Composite({name: spec.to(device) for name, spec in self._specs.items()}, self.shape)

    def __setattr__(self, name: str, value: Any) -> None:
        raise TypeError(f"Composite is immutable: .{name} cannot be assigned; build a new one with spec.set.")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Composite):
            return NotImplemented
        return self.shape == other.shape and self._specs == other._specs

    def __hash__(self) -> int:
        return hash((self.shape, tuple(self._specs)))

    def __repr__(self) -> str:
        lines = [f"{name}: {spec!r}" for name, spec in self._specs.items()]
        lines += [f"device={self.device}", f"shape={self.shape}"]
        return "Composite(\n" + indent(",\n".join(lines), "    ") + ")"
