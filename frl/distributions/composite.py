"""Several named distributions, of an action that has several parts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from typing_extensions import Self

from frl import random
from frl.distributions.base import Distribution, pytree, static
from frl.distributions.independent import Independent
from frl.tensordict import Key, TensorDict


@pytree
@dataclass(frozen=True, eq=False, repr=False, init=False)
class CompositeDistribution(Distribution):
    """Independent distributions under names, as of an action with a discrete and a continuous part.

    A value is a TensorDict with one entry for each. All parts have one batch shape, that of `params`; where one has
    more batch axes, they are read as axes of its event (see `Independent`). So `log_prob` and `entropy` are [*B], sums
    over the parts; `log_probs` and `entropies` keep these apart. `distribution["gear"]` is one part. A policy takes
    `distribution_class=partial(CompositeDistribution, distribution_map={"gear": Categorical, "torque": Normal})`.

    Args: params: a TensorDict [*B] that has under each name the parameters of its distribution. distribution_map: for
        each name, which may be a tuple of names, what makes the distribution from its parameters by keyword.
    Raises: KeyError if the parameters of a name are missing; TypeError if `params` is no TensorDict or the map holds
        what makes no distribution; ValueError if the map is empty, if a name stands within another, or if a part has
        fewer batch axes than `params`.

    >>> from frl.distributions import Categorical, Normal
    >>> torque = {"loc": torch.zeros(3, 2), "scale": torch.ones(3, 2)}
    >>> params = TensorDict({"gear": {"logits": torch.zeros(3, 5)}, "torque": torque}, [3])
    >>> policy = CompositeDistribution(params, {"gear": Categorical, "torque": Normal})
    >>> action = policy.sample(random.key(0))
    >>> action["gear"].shape, action["torque"].shape, policy.log_prob(action).shape
    (torch.Size([3]), torch.Size([3, 2]), torch.Size([3]))
    """

    parts: tuple[Distribution, ...]
    names: tuple[Key, ...] = static()

    # Not __init__: an object whose parts are older than itself is one that torch.compile can return.
    def __new__(cls, params: TensorDict, distribution_map: Mapping[Key, Callable[..., Distribution]]) -> Self:
        """See the class."""
        if not isinstance(params, TensorDict):
            raise TypeError(
                f"CompositeDistribution: params is a {type(params).__name__} but must be a TensorDict, whose batch "
                "size is that of the distribution; write TensorDict(params, batch_size)."
            )
        batch = params.batch_size
        return cls._make({name: _part(name, f, params, len(batch)) for name, f in distribution_map.items()}, batch)

    @classmethod
    def of(cls, parts: Mapping[Key, Distribution]) -> Self:
        """The composite of distributions that are made already, all of one batch shape.

        Raises: ValueError if there are none, or if their batch shapes differ.

        >>> from frl.distributions import Delta
        >>> CompositeDistribution.of({"gear": Delta(torch.ones(3))})
        CompositeDistribution(gear: Delta(value: [3]))
        """
        return cls._make(parts, next(iter(parts.values())).batch_shape if parts else torch.Size())

    @classmethod
    def _make(cls, parts: Mapping[Key, Distribution], batch: torch.Size) -> Self:
        if not parts:
            raise ValueError("CompositeDistribution: there is no part; name at least one distribution.")
        for name, part in parts.items():
            if part.batch_shape != batch:
                raise ValueError(
                    f"CompositeDistribution: {name!r} has batch shape {list(part.batch_shape)} but must have "
                    f"{list(batch)}; give all parts one batch shape, with Independent for axes of an event."
                )
        paths = [(name,) if isinstance(name, str) else name for name in parts]
        if any(a == b[: len(a)] for i, a in enumerate(paths) for j, b in enumerate(paths) if i != j):
            raise ValueError(
                f"CompositeDistribution: among the names {list(parts)} one stands within another; give each part a "
                "place of its own."
            )
        composite = object.__new__(cls)
        object.__setattr__(composite, "parts", tuple(parts.values()))
        object.__setattr__(composite, "names", tuple(parts))
        return composite

    def __reduce__(self) -> tuple[Any, ...]:
        return CompositeDistribution.of, (dict(zip(self.names, self.parts, strict=True)),)

    def __getitem__(self, name: Key) -> Distribution:
        if name not in self.names:
            raise KeyError(f"CompositeDistribution: no part {name!r}; it has {list(self.names)}.")
        return self.parts[self.names.index(name)]

    @property
    def batch_shape(self) -> torch.Size:
        """That of every part."""
        return self.parts[0].batch_shape

    @property
    def event_shape(self) -> torch.Size:
        """(): a value is a TensorDict [*B]."""
        return torch.Size()

    @property
    def mode(self) -> Any:
        """A TensorDict [*B], the mode of each part."""
        return self._named([part.mode for part in self.parts])

    @property
    def mean(self) -> Any:
        """A TensorDict [*B], the mean of each part, if all have one."""
        return self._all("mean", lambda part: part.mean)

    @property
    def stddev(self) -> Any:
        """A TensorDict [*B], the standard deviation of each part, if all have one."""
        return self._all("standard deviation", lambda part: part.stddev)

    @property
    def has_rsample(self) -> bool:
        """Whether any part has it."""
        return any(part.has_rsample for part in self.parts)

    def rsample(self, key: Tensor) -> Any:
        """A TensorDict [*B]: gradients flow into the parameters of the parts that allow it; the others are drawn."""
        if not self.has_rsample:
            self._none("reparameterised sample", "take .sample(key), and a gradient through .log_prob")
        draws = [part.rsample if part.has_rsample else part.sample for part in self.parts]
        return self._named([draw(k) for draw, k in zip(draws, self._keys(key), strict=True)])

    def sample(self, key: Tensor) -> Any:
        """A TensorDict [*B] without gradient; each part is drawn from a key of its own, split from `key`."""
        return self._named([part.sample(k) for part, k in zip(self.parts, self._keys(key), strict=True)])

    def log_prob(self, x: Any) -> Tensor:
        """A TensorDict [*B] of one value for each part -> [*B], the joint log-probability."""
        return reduce(torch.add, self._log_probs(x))

    def log_probs(self, x: Any) -> TensorDict:
        """A TensorDict [*B] of one value for each part -> the log-probability [*B] of each, under its name."""
        return self._named(self._log_probs(x))

    def entropy(self) -> Tensor:
        """[*B], the sum over the parts, if all have it in closed form."""
        each = self.entropies()
        return reduce(torch.add, [each[name] for name in self.names])

    def entropies(self) -> TensorDict:
        """The entropy [*B] of each part, under its name."""
        return self._all("entropy in closed form", lambda part: part.entropy())

    def _keys(self, key: Tensor) -> tuple[Tensor, ...]:
        return random.split(key, len(self.parts)).unbind()

    def _named(self, values: Sequence[Any]) -> TensorDict:
        source: dict[str, Any] = {}
        for name, value in zip(self.names, values, strict=True):
            *path, last = (name,) if isinstance(name, str) else name
            node = source
            for step in path:
                node = node.setdefault(step, {})
            node[last] = value
        return TensorDict(source, self.batch_shape)

    def _all(self, what: str, of: Callable[[Distribution], Tensor]) -> TensorDict:
        try:
            return self._named([of(part) for part in self.parts])
        except NotImplementedError as error:
            raise NotImplementedError(f"CompositeDistribution has no {what}: {error}") from None

    def _log_probs(self, x: Any) -> list[Tensor]:
        batch = self.batch_shape
        if not isinstance(x, Mapping):
            raise TypeError(
                f"CompositeDistribution.log_prob: x is a {type(x).__name__} but must be a TensorDict with the entries "
                f"{list(self.names)}; pass a value as .sample(key) gives it."
            )
        td = x if isinstance(x, TensorDict) else TensorDict(x, batch)
        if td.batch_size[: len(batch)] != batch:
            raise ValueError(
                f"CompositeDistribution.log_prob: x has shape {list(td.batch_size)} but must have {list(batch)}; "
                "pass one value for each distribution of the batch."
            )
        return [part.log_prob(td[name]) for name, part in zip(self.names, self.parts, strict=True)]

    def __repr__(self) -> str:
        shown = [f"{name}: {part}" for name, part in zip(self.names, self.parts, strict=True)]
        return f"CompositeDistribution({', '.join(shown)})"


def _part(name: Key, make: Callable[..., Distribution], params: TensorDict, ndim: int) -> Distribution:
    """The distribution under `name`, as one of `ndim` batch axes."""
    own = params[name]
    if not isinstance(own, TensorDict):
        raise TypeError(
            f"CompositeDistribution: params has a {type(own).__name__} under {name!r} but must have the parameters by "
            'their names; nest them, as in {"gear": {"logits": logits}}.'
        )
    part = make(**dict(own.items()))
    if not isinstance(part, Distribution):
        raise TypeError(
            f"CompositeDistribution: distribution_map makes a {type(part).__name__} for {name!r}; expected a "
            "distribution of frl.distributions."
        )
    extra = len(part.batch_shape) - ndim
    return Independent(part, extra) if extra > 0 else part
