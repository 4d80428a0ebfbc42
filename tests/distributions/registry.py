"""Every distribution, one row each: `test_laws.py` puts all of them to all laws."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
import torch.distributions as td

from frl import TensorDict, random
from frl import distributions as D


class Case(NamedTuple):
    name: str
    cls: type[D.Distribution]
    parameters: Callable[..., dict[str, Any]]  # (key, batch, dtype) -> the arguments of `build`
    reference: Callable[..., td.Distribution] | None = None  # of the same parameters, in torch.distributions
    methods: tuple[str, ...] = ("sample", "log_prob", "mode", "entropy")
    event: tuple[int, ...] = ()
    builder: Callable[..., D.Distribution] | None = None  # where the class itself takes other arguments

    def build(self, **parameters):
        return (self.builder or self.cls)(**parameters)


def make(case, seed=0, batch=(3,), dtype=torch.float64):
    return case.build(**case.parameters(random.key(seed), batch, dtype))


def outputs(case, distribution, key):
    """What each of the case's methods gives, by name."""
    calls = {
        "sample": lambda: distribution.sample(key),
        "rsample": lambda: distribution.rsample(key),
        "rsample_and_log_prob": lambda: distribution.rsample_and_log_prob(key),
        "log_prob": lambda: distribution.log_prob(distribution.sample(key)),
        "entropy": distribution.entropy,
        "kl": lambda: D.kl_divergence(distribution, distribution),
    }
    return {name: calls[name]() if name in calls else getattr(distribution, name) for name in case.methods}


def _location_scale(key, shape, dtype):
    loc, scale = (random.normal(shape, k, dtype=dtype) for k in random.split(key))
    return {"loc": loc, "scale": (0.5 * scale).exp()}


def _logits(key, batch, dtype):
    return {"logits": random.normal((*batch, 4), key, dtype=dtype)}


def _masked(key, batch, dtype):
    k_logits, k_mask = random.split(key)
    mask = random.uniform((*batch, 4), k_mask) < 0.5
    legal = torch.tensor([False, True, False, False]).expand(*batch, 4)  # at least one of each row
    return {"logits": random.normal((*batch, 4), k_logits, dtype=dtype), "mask": mask | legal}


def _logits_reference(cls):
    return lambda logits, mask: cls(logits=logits.masked_fill(~mask, -torch.inf))


def _parts(key, batch, dtype):
    """A choice of 4 gears, and 2 torques."""
    k_gear, k_torque = random.split(key)
    params = {"gear": _logits(k_gear, batch, dtype), "arm": {"torque": _location_scale(k_torque, (*batch, 2), dtype)}}
    return {"params": TensorDict(params, batch)}


class _PartsReference:
    """What torch says of the parts, summed."""

    def __init__(self, params):
        self.gear = td.Categorical(logits=params["gear", "logits"])
        torque = params["arm", "torque"]
        self.torque = td.Independent(td.Normal(torque["loc"], torque["scale"]), 1)

    def log_prob(self, x):
        return self.gear.log_prob(x["gear"]) + self.torque.log_prob(x["arm", "torque"])

    def entropy(self):
        return self.gear.entropy() + self.torque.entropy()


class _ChoicesReference:
    """What torch says of each of the choices, of 2 and of 3, summed."""

    def __init__(self, cls, logits, splits):
        self.parts = [cls(logits=x) for x in logits.split([2, 3], -1)]
        self.splits = splits

    def log_prob(self, x):
        values = x.split(self.splits, -1) if self.splits else x.unbind(-1)
        return sum(part.log_prob(value) for part, value in zip(self.parts, values, strict=True))

    def entropy(self):
        return sum(part.entropy() for part in self.parts)


def _five_logits(key, batch, dtype):
    return {"logits": random.normal((*batch, 5), key, dtype=dtype)}


def _bounded(key, batch, dtype):
    bounds = {"low": torch.tensor([-2.0, 0.0], dtype=dtype), "high": torch.tensor([2.0, 10.0], dtype=dtype)}
    return _location_scale(key, (*batch, 2), dtype) | bounds


def _tanh_reference(loc, scale, low, high):
    to_bounds = td.AffineTransform((low + high) / 2, (high - low) / 2)
    return td.Independent(td.TransformedDistribution(td.Normal(loc, scale), [td.TanhTransform(), to_bounds]), 1)


PARTS = {"gear": D.Categorical, ("arm", "torque"): D.Normal}
DISCRETE = ("sample", "log_prob", "mode", "entropy", "kl", "probs")
CASES = [
    Case("Categorical", D.Categorical, _logits, lambda logits: td.Categorical(logits=logits), DISCRETE),
    Case(
        "OneHotCategorical",
        D.OneHotCategorical,
        _logits,
        lambda logits: td.OneHotCategorical(logits=logits),
        (*DISCRETE, "mean"),
        (4,),
    ),
    Case("MaskedCategorical", D.MaskedCategorical, _masked, _logits_reference(td.Categorical), DISCRETE),
    Case(
        "MaskedOneHotCategorical",
        D.MaskedOneHotCategorical,
        _masked,
        _logits_reference(td.OneHotCategorical),
        (*DISCRETE, "mean"),
        (4,),
    ),
    Case(
        "MultiCategorical",
        D.MultiCategorical,
        _five_logits,
        lambda logits: _ChoicesReference(td.Categorical, logits, None),
        ("sample", "log_prob", "mode", "entropy", "kl"),
        (2,),
        builder=partial(D.MultiCategorical, nvec=(2, 3)),
    ),
    Case(
        "MultiOneHotCategorical",
        D.MultiOneHotCategorical,
        _five_logits,
        lambda logits: _ChoicesReference(td.OneHotCategorical, logits, [2, 3]),
        ("sample", "log_prob", "mode", "entropy", "kl"),
        (5,),
        builder=partial(D.MultiOneHotCategorical, nvec=(2, 3)),
    ),
    Case(
        "Independent",
        D.Independent,
        lambda key, batch, dtype: _location_scale(key, (*batch, 2, 4), dtype),
        lambda loc, scale: td.Independent(td.Normal(loc, scale), 2),
        ("sample", "rsample", "log_prob", "mode", "mean", "stddev", "entropy", "kl"),
        (2, 4),
        builder=lambda loc, scale: D.Independent(D.Normal(loc, scale), 2),
    ),
    Case(
        "CompositeDistribution",
        D.CompositeDistribution,
        _parts,
        _PartsReference,
        ("sample", "rsample", "log_prob", "mode", "entropy", "kl"),
        builder=partial(D.CompositeDistribution, distribution_map=PARTS),
    ),
    Case(
        "Normal",
        D.Normal,
        _location_scale,
        td.Normal,
        ("sample", "rsample", "log_prob", "mode", "mean", "stddev", "entropy", "kl"),
    ),
    Case(
        "TanhNormal",
        D.TanhNormal,
        _bounded,
        _tanh_reference,
        ("sample", "rsample", "rsample_and_log_prob", "log_prob", "mode", "kl"),
        (2,),
    ),
    Case(
        "Delta",
        D.Delta,
        lambda key, batch, dtype: {"value": random.normal(batch, key, dtype=dtype)},
        None,
        ("sample", "rsample", "log_prob", "mode", "mean", "stddev", "entropy"),
    ),
]
