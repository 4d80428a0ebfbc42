"""Transforms of dtypes."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from frl.specs import Bounded, Composite, Spec, Unbounded
from frl.tensordict import Key, TensorDict
from frl.transforms.base import Entrywise, mapped
from frl.transforms.entries import set_spec


@dataclass(frozen=True, eq=False, repr=False)
class DTypeCastTransform(Entrywise):
    """Entries of `dtype_in` as `dtype_out`; an action of `dtype_out` goes back as `dtype_in`.

    Args: in_keys: observations, "reward" and "action"; by default all that have that dtype.
    Raises: TypeError if a dtype is none.

    >>> td = TensorDict({"next": {"observation": torch.ones(2).double(), "reward": torch.ones(1).double()}})
    >>> cast = DTypeCastTransform(torch.float64, torch.float32)
    >>> cast(td)["next", "reward"].dtype, cast(td)["next", "observation"].dtype
    (torch.float32, torch.float32)
    """

    dtype_in: torch.dtype
    dtype_out: torch.dtype
    in_keys: Sequence[Key] | None = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        for name, dtype in (("dtype_in", self.dtype_in), ("dtype_out", self.dtype_out)):
            if not isinstance(dtype, torch.dtype):
                raise TypeError(f"{type(self).__name__}: {name} is {dtype!r} but must be a dtype, as torch.float32.")
        if self.in_keys is not None:
            super().__post_init__()

    def apply(self, x: Tensor) -> Tensor:
        """`dtype_in` -> `dtype_out`; other dtypes stay."""
        return x.to(self.dtype_out) if x.dtype == self.dtype_in else x

    def observe(self, td: TensorDict) -> TensorDict:
        """`td` with the entries cast."""
        for key in td.keys(include_nested=True, leaves_only=True):
            if self._chosen(key) and td[key].dtype == self.dtype_in and key != "action":
                td = td.set(key, self.apply(td[key]))
        return td

    def act(self, td: TensorDict, spec: Spec) -> TensorDict:
        """The action of the environment's dtype."""
        return td.set("action", td["action"].to(spec.dtype)) if self._casts_action(spec) else td

    def observation_spec(self, spec: Composite) -> Composite:
        """Of the new dtype."""
        return _each(self, spec, ())

    def action_spec(self, spec: Spec) -> Spec:
        """Of the new dtype."""
        if not self._casts_action(spec):
            return spec
        if isinstance(spec, Bounded):
            return mapped(self.apply, spec)
        return Unbounded(spec.shape, spec.device, self.dtype_out)

    def reward_spec(self, spec: Spec) -> Spec:
        """Of the new dtype."""
        return mapped(self.apply, spec) if self._chosen("reward") and spec.dtype == self.dtype_in else spec

    def _chosen(self, key: Key) -> bool:
        return self.in_keys is None or key in self.in_keys

    def _casts_action(self, spec: Spec) -> bool:
        numbers = isinstance(spec, (Bounded, Unbounded))
        return numbers and self._chosen("action") and spec.dtype == self.dtype_in

    def _shown(self) -> str:
        keys = "all" if self.in_keys is None else list(self.in_keys)
        return f"dtype_in={self.dtype_in}, dtype_out={self.dtype_out}, keys={keys}"


@dataclass(frozen=True, eq=False, repr=False)
class DoubleToFloat(DTypeCastTransform):
    """Entries in float64 as float32: observations, the reward and, the other way, the action.

    >>> DoubleToFloat()(TensorDict({"observation": torch.ones(2).double()}))["observation"].dtype
    torch.float32
    """

    dtype_in: torch.dtype = torch.float64
    dtype_out: torch.dtype = torch.float32
    in_keys: Sequence[Key] | None = None  # type: ignore[assignment]

    def _shown(self) -> str:
        return f"keys={'all' if self.in_keys is None else list(self.in_keys)}"


def _each(cast: DTypeCastTransform, spec: Composite, path: tuple[str, ...]) -> Composite:
    for name in spec:
        key: Key = (*path, name) if path else name
        inner = spec[name]
        if isinstance(inner, Composite):
            spec = set_spec(spec, name, _each(cast, inner, (*path, name)))
        elif cast._chosen(key) and inner.dtype == cast.dtype_in:
            spec = set_spec(spec, name, mapped(cast.apply, inner))
    return spec
