"""From the parameters of a distribution to a value of it."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from frl.distributions import CompositeDistribution, Distribution
from frl.nn.exploration_type import ExplorationType, exploration_type
from frl.nn.modules import keys, require_key, require_keys, title
from frl.nn.sequential import TensorDictSequential
from frl.tensordict import Key, TensorDict


class ProbabilisticTensorDictModule(nn.Module):
    """Builds a distribution from entries of a TensorDict, and writes a value of it: a sample, the mode or the mean.

    Which one is decided by the argument `exploration` of the call; without it by `set_exploration_type`; without that
    by `default_interaction_type`. A sample is differentiable in the parameters where the distribution allows it.

    Args: in_keys: of the parameters; the last name of each is the keyword of the distribution. Where they differ, a
        mapping {"loc": key, ...}, as in {"logits": "logits", "mask": "action_mask"}. out_keys: one key for the value;
        or, for a `CompositeDistribution`, one key for each of its parts, which are found by their names, by the last
        names of the keys, or by a mapping {name: key}. distribution_class: of `frl.distributions`, or a
        `functools.partial` of one, as in `partial(TanhNormal, low=-2.0, high=2.0)`. return_log_prob: also write the
        log-probability of the value, in the batch shape of the distribution, under "sample_log_prob".
    Raises: TypeError for a distribution of `torch.distributions`, whose draws take no key, or that does not take the
        keywords, or needs more; ValueError for out_keys that do not fit; TypeError, when called, if it would draw
        without `key=`.

    >>> from frl import random
    >>> from frl.distributions import Normal
    >>> module = ProbabilisticTensorDictModule(["loc", "scale"], ["action"], Normal, return_log_prob=True)
    >>> td = TensorDict({"loc": torch.zeros(3, 4), "scale": torch.ones(3, 4)}, [3])
    >>> module(td, key=random.key(0))["sample_log_prob"].shape
    torch.Size([3, 4])
    >>> module(td, exploration=ExplorationType.MODE)["action"].abs().max()
    tensor(0.)
    """

    in_keys: list[Key]
    out_keys: list[Key]
    draws = True

    def __init__(
        self,
        in_keys: Sequence[Key] | Mapping[str, Key],
        out_keys: Sequence[Key] | Mapping[Key, Key],
        distribution_class: Callable[..., Distribution],
        return_log_prob: bool = False,
        default_interaction_type: ExplorationType = ExplorationType.RANDOM,
    ):
        super().__init__()
        named = (
            dict(in_keys)
            if isinstance(in_keys, Mapping)
            else {_last(key): key for key in keys(self, "in_keys", in_keys)}
        )
        _require_distribution(type(self).__name__, distribution_class, list(named))
        self.in_keys = list(named.values())
        self.part_keys = dict(out_keys) if isinstance(out_keys, Mapping) else None
        self.value_keys = keys(self, "out_keys", out_keys.values() if isinstance(out_keys, Mapping) else out_keys)
        _require_out_keys(self, distribution_class)
        self.out_keys = [*self.value_keys, "sample_log_prob"] if return_log_prob else list(self.value_keys)
        self.parameter_names = list(named)
        self.distribution_class = distribution_class
        self.return_log_prob = return_log_prob
        self.default_interaction_type = default_interaction_type

    def get_dist(self, td: TensorDict) -> Distribution:
        """The distribution with the parameters in `td`."""
        require_keys(self, td, self.in_keys)
        return self.distribution_class(
            **{name: td[key] for name, key in zip(self.parameter_names, self.in_keys, strict=True)}
        )

    def log_prob(self, td: TensorDict) -> Tensor:
        """The log-probability, under `get_dist(td)`, of the value in `td`."""
        distribution = self.get_dist(td)
        return distribution.log_prob(self._read(td, distribution))

    def forward(
        self, td: TensorDict, key: Tensor | None = None, exploration: ExplorationType | None = None
    ) -> TensorDict:
        """`td` with the value and, if asked for, its log-probability. key: [2], or [*K, 2], one for each row."""
        distribution = self.get_dist(td)
        exploration = exploration or exploration_type() or self.default_interaction_type
        value = _value(self, distribution, key, exploration)
        for name, out_key in self._places(distribution):
            td = td.set(out_key, value if name is None else value[name])
        return td.set("sample_log_prob", distribution.log_prob(value)) if self.return_log_prob else td

    def _read(self, td: TensorDict, distribution: Distribution) -> Any:
        """The value of `distribution` that stands in `td`."""
        value = TensorDict({}, distribution.batch_shape)
        for name, out_key in self._places(distribution):
            if name is None:
                return td[out_key]
            value = value.set(name, td[out_key])
        return value

    def _places(self, distribution: Distribution) -> list[tuple[Key | None, Key]]:
        """The out_key of each part of the value; None for the whole of it."""
        if self.part_keys is None and len(self.value_keys) == 1:
            return [(None, self.value_keys[0])]
        names = list(distribution.names) if isinstance(distribution, CompositeDistribution) else []
        found = self.part_keys or {key if key in names else _last(key): key for key in self.value_keys}
        if set(found) != set(names) or len(found) != len(self.value_keys):
            raise ValueError(
                f"{title(self)}: out_keys are for the parts {list(found)} but {type(distribution).__name__} has the "
                f"parts {names}; give one key for each, as {{name: key}} where the names differ."
            )
        return list(found.items())

    def __repr__(self) -> str:
        name = getattr(self.distribution_class, "__name__", repr(self.distribution_class))
        return (
            f"{type(self).__name__}(\n    in_keys={self.in_keys},\n    out_keys={self.out_keys},\n"
            f"    distribution_class={name},\n    default_interaction_type={self.default_interaction_type})"
        )


class ProbabilisticTensorDictSequential(TensorDictSequential):
    """A `TensorDictSequential` whose last module draws: with `get_dist` and `log_prob`.

    >>> from frl.distributions import Categorical
    >>> from frl.nn import TensorDictModule
    >>> net = TensorDictModule(nn.Linear(4, 2), ["observation"], ["logits"])
    >>> draw = ProbabilisticTensorDictModule(["logits"], ["action"], Categorical)
    >>> policy = ProbabilisticTensorDictSequential(net, draw)
    >>> policy.get_dist(TensorDict({"observation": torch.zeros(7, 4)}, [7])).batch_shape
    torch.Size([7])
    """

    def __init__(self, *modules: Any):
        super().__init__(*modules)
        if not modules or not hasattr(modules[-1], "get_dist"):
            found = type(modules[-1]).__name__ if modules else "missing"
            raise TypeError(
                f"{type(self).__name__}: the last module is {found}; expected a ProbabilisticTensorDictModule. "
                f"Use TensorDictSequential for deterministic modules."
            )


def _value(module: Any, distribution: Distribution, key: Tensor | None, exploration: ExplorationType) -> Any:
    if exploration is ExplorationType.RANDOM:
        key = require_key(module, key)
        return distribution.rsample(key) if distribution.has_rsample else distribution.sample(key)
    if exploration is ExplorationType.MEAN:
        try:
            return distribution.mean
        except NotImplementedError:
            return distribution.mode
    return distribution.mode


def _last(key: Key) -> str:
    return key if isinstance(key, str) else key[-1]


def _require_out_keys(module: Any, made: Any) -> None:
    """ValueError unless there is one key, or there are several for a distribution that may have parts."""
    while isinstance(made, partial):
        made = made.func
    if isinstance(made, type) and not issubclass(made, CompositeDistribution):
        expected = "expected one key, for the value"
        fits = len(module.value_keys) == 1 and module.part_keys is None
    else:
        expected = "expected a key for each part of the value, or one for the whole"
        fits = len(module.value_keys) > 0
    if not fits:
        raise ValueError(f"{type(module).__name__}: out_keys is {module.part_keys or module.value_keys}; {expected}.")


def _require_distribution(owner: str, cls: Any, names: list[str]) -> None:
    """TypeError unless `cls` is a distribution of keyed draws that takes the parameters `names` as keywords."""
    if isinstance(cls, type) and issubclass(cls, torch.distributions.Distribution):
        raise TypeError(
            f"{owner}: distribution_class is torch.distributions.{cls.__name__}, which draws from the global "
            f"generator; use the class of that name in frl.distributions."
        )
    taken = inspect.signature(cls).parameters
    called = getattr(cls, "__name__", cls)
    if not set(names) <= set(taken):
        raise TypeError(
            f"{owner}: in_keys names the parameters {names}, but {called} takes {list(taken)}; pass "
            f"in_keys={{{next(iter(taken))!r}: key, ...}} to say which entry is which parameter."
        )
    required = [name for name, x in taken.items() if x.default is x.empty and not x.kind.name.startswith("VAR")]
    missing = [name for name in required if name not in names]
    if missing:
        raise TypeError(
            f"{owner}: in_keys names the parameters {names}, but {called} needs {missing} too; name more in_keys, or "
            "give what no entry holds by functools.partial."
        )
