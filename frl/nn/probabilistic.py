"""From the parameters of a distribution to a value of it."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from frl.distributions import Distribution
from frl.nn.exploration_type import ExplorationType, exploration_type
from frl.nn.modules import keys, require_keys, title
from frl.nn.sequential import TensorDictSequential
from frl.tensordict import Key, TensorDict


class ProbabilisticTensorDictModule(nn.Module):
    """Builds a distribution from entries of a TensorDict, and writes a value of it: a sample, the mode or the mean.

    Which one is decided by the argument `exploration` of the call; without it by `set_exploration_type`; without that
    by `default_interaction_type`. A sample is differentiable in the parameters where the distribution allows it.

    Args: in_keys: of the parameters; the last name of each is the keyword of the distribution. Where they differ, a
        mapping {"loc": key, ...}. out_keys: one key for the value. distribution_class: of `frl.distributions`, or a
        `functools.partial` of one, as in `partial(TanhNormal, low=-2.0, high=2.0)`. return_log_prob: also write the
        log-probability of the value, in the batch shape of the distribution, under "sample_log_prob".
    Raises: TypeError for a distribution of `torch.distributions`, whose draws take no key, or that does not take the
        keywords; TypeError, when called, if it would draw without `key=`.

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
        out_keys: Sequence[Key],
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
        (self.out_key,) = _one(self, out_keys)
        self.in_keys = list(named.values())
        self.out_keys = [self.out_key, "sample_log_prob"] if return_log_prob else [self.out_key]
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
        return self.get_dist(td).log_prob(td[self.out_key])

    def forward(
        self, td: TensorDict, key: Tensor | None = None, exploration: ExplorationType | None = None
    ) -> TensorDict:
        """`td` with the value and, if asked for, its log-probability. key: [2], or [*K, 2], one for each row."""
        distribution = self.get_dist(td)
        exploration = exploration or exploration_type() or self.default_interaction_type
        value = _value(self, distribution, key, exploration)
        td = td.set(self.out_key, value)
        return td.set("sample_log_prob", distribution.log_prob(value)) if self.return_log_prob else td

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


def _value(module: Any, distribution: Distribution, key: Tensor | None, exploration: ExplorationType) -> Tensor:
    if exploration is ExplorationType.RANDOM:
        if key is None:
            raise TypeError(
                f"{title(module)}: draws a sample and needs key=, as in policy(td, key=frl.random.key(0)); without "
                f"one, call it under set_exploration_type(ExplorationType.DETERMINISTIC)."
            )
        return distribution.rsample(key) if _has_rsample(distribution) else distribution.sample(key)
    if exploration is ExplorationType.MEAN:
        try:
            return distribution.mean
        except NotImplementedError:
            return distribution.mode
    return distribution.mode


def _has_rsample(distribution: Distribution) -> bool:
    return type(distribution).rsample is not Distribution.rsample


def _last(key: Key) -> str:
    return key if isinstance(key, str) else key[-1]


def _one(module: nn.Module, out_keys: Sequence[Key]) -> list[Key]:
    found = keys(module, "out_keys", out_keys)
    if len(found) != 1:
        raise ValueError(f"{type(module).__name__}: out_keys is {found}; expected one key, for the value.")
    return found


def _require_distribution(owner: str, cls: Any, names: list[str]) -> None:
    """TypeError unless `cls` is a distribution of keyed draws that takes the parameters `names` as keywords."""
    if isinstance(cls, type) and issubclass(cls, torch.distributions.Distribution):
        raise TypeError(
            f"{owner}: distribution_class is torch.distributions.{cls.__name__}, which draws from the global "
            f"generator; use the class of that name in frl.distributions."
        )
    taken = list(inspect.signature(cls).parameters)
    if not set(names) <= set(taken):
        raise TypeError(
            f"{owner}: in_keys names the parameters {names}, but {getattr(cls, '__name__', cls)} takes {taken}; pass "
            f"in_keys={{{taken[0]!r}: key, ...}} to say which entry is which parameter."
        )
