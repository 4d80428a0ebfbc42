"""Entries that a policy reads at the root and writes under "next": what stands there when an episode begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn

from frl.specs import Composite, Spec
from frl.tensordict import Key, TensorDict
from frl.transforms.base import State, Transform, blank
from frl.transforms.entries import set_spec


@dataclass(frozen=True, eq=False, repr=False)
class TensorDictPrimer(Transform):
    """At the beginning of an episode, `default_value` under each key of `primers`; then what the policy wrote.

    A recurrent policy reads its carry at the root and writes the next one under "next". Without a primer the first root
    has none, and where an episode ends the carry of the old one would go on in the new one. A key that the policy does
    not write keeps its value.

    Args: primers: keys to the specs of one environment's entry, a mapping or a Composite, nested or with tuples as
        keys. default_value: a number for all of them.
    Raises: TypeError if `primers` is no mapping of keys to specs.

    >>> from frl import random
    >>> from frl.envs import make
    >>> from frl.specs import Unbounded
    >>> from frl.transforms import TransformedEnv
    >>> env = TransformedEnv(make("Pendulum-v1", 2), TensorDictPrimer({"hidden": Unbounded(3)}))
    >>> td = env.reset(random.key(0))
    >>> td["hidden"].shape
    torch.Size([2, 3])
    >>> acted = env.rand_action(td, random.key(1)).set(("next", "hidden"), torch.ones(2, 3))
    >>> env.step(acted, random.key(2))["next", "hidden"].mean()
    tensor(1.)
    """

    primers: Mapping[Any, Any]
    default_value: float = 0.0

    def __post_init__(self) -> None:
        mapping = isinstance(self.primers, Mapping)
        wrong = [(key, spec) for key, spec in self._flat() if not isinstance(spec, Spec)] if mapping else []
        if not mapping or wrong:
            name, value = wrong[0] if mapping else ("primers", self.primers)
            raise TypeError(
                f"TensorDictPrimer: {name!r} is a {type(value).__name__}, but primers must map keys to specs, as "
                "{'recurrent_state_h': Unbounded((1, 128))}."
            )

    def _flat(self) -> list[tuple[Key, Any]]:
        return [(path if len(path) > 1 else ".".join(path), spec) for path, spec in _leaves(self.primers)]

    def reset(self, td: TensorDict, state: State) -> tuple[TensorDict, State]:
        """The default value."""
        for key, spec in self._flat():
            value = blank(td, spec.dtype).squeeze(-1) + torch.tensor(self.default_value).to(spec.dtype)
            shape = (*td.batch_size, *spec.shape)
            td = td.set(key, value.reshape(*td.batch_size, *(1 for _ in spec.shape)).expand(shape).clone())
        return td, state

    def step(self, td: TensorDict, after: TensorDict, state: State) -> tuple[TensorDict, State]:
        """What the policy wrote under "next", or else what it is already."""
        for key, _ in self._flat():
            written = ("next", *((key,) if isinstance(key, str) else key))
            if written in td:
                after = after.set(key, td[written])
            elif key not in after and key in td:
                after = after.set(key, td[key])
        return after, state

    def observation_spec(self, spec: Composite) -> Composite:
        """With the entries."""
        for key, primer in self._flat():
            spec = set_spec(spec, key, primer)
        return spec

    @property
    def bookkeeping(self) -> tuple[Key, ...]:
        """The entries: a policy reads them by their own names."""
        return tuple(key for key, _ in self._flat())

    def _shown(self) -> str:
        return f"keys={[key for key, _ in self._flat()]}, default_value={self.default_value}"


def make_tensordict_primer(module: nn.Module) -> TensorDictPrimer:
    """The primer of all recurrent parts of `module`: of the entries that their `recurrent_state_spec` names.

    Raises: ValueError if there is no such part; TypeError if `module` is none.

    >>> from frl.specs import Unbounded
    >>> part = nn.Tanh()
    >>> part.recurrent_state_spec = {"recurrent_state": Unbounded((1, 4))}
    >>> make_tensordict_primer(nn.Sequential(part, nn.ReLU()))
    TensorDictPrimer(keys=['recurrent_state'], default_value=0.0)
    """
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"make_tensordict_primer: module is a {type(module).__name__} but must be an nn.Module, a policy."
        )
    primers: dict[Any, Any] = {}
    for part in module.modules():
        spec: Any = getattr(part, "recurrent_state_spec", None)
        if spec is not None:
            primers.update(cast(Mapping[Any, Any], spec() if callable(spec) else spec))
    if not primers:
        raise ValueError(
            f"make_tensordict_primer: no part of the {type(module).__name__} has a recurrent_state_spec; pass a policy "
            "with a recurrent module, or build a TensorDictPrimer by hand."
        )
    return TensorDictPrimer(primers)


def _leaves(primers: Mapping[Any, Any]) -> list[tuple[tuple[str, ...], Any]]:
    """Each spec with its path."""
    found: list[tuple[tuple[str, ...], Any]] = []
    for key in primers:
        path = (key,) if isinstance(key, str) else tuple(key)
        value = primers[key]
        inner = _leaves(value) if isinstance(value, Mapping) else [((), value)]
        found.extend((path + rest, spec) for rest, spec in inner)
    return found
