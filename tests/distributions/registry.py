"""Every distribution, one row each: `test_laws.py` puts all of them to all laws."""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.distributions as td

from frl import distributions as D
from frl import random


class Case(NamedTuple):
    name: str
    cls: type[D.Distribution]
    parameters: Callable[..., dict[str, torch.Tensor]]  # (key, batch, dtype) -> arguments of the constructor
    reference: Callable[..., td.Distribution] | None = None  # of the same parameters, in torch.distributions
    methods: tuple[str, ...] = ("sample", "log_prob", "mode", "entropy")
    event: tuple[int, ...] = ()


def make(case, seed=0, batch=(3,), dtype=torch.float64):
    return case.cls(**case.parameters(random.key(seed), batch, dtype))


def outputs(case, distribution, key):
    """What each of the case's methods gives, by name."""
    calls = {
        "sample": lambda: distribution.sample(key),
        "rsample": lambda: distribution.rsample(key),
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


def _bounded(key, batch, dtype):
    bounds = {"low": torch.tensor([-2.0, 0.0], dtype=dtype), "high": torch.tensor([2.0, 10.0], dtype=dtype)}
    return _location_scale(key, (*batch, 2), dtype) | bounds


def _tanh_reference(loc, scale, low, high):
    to_bounds = td.AffineTransform((low + high) / 2, (high - low) / 2)
    return td.Independent(td.TransformedDistribution(td.Normal(loc, scale), [td.TanhTransform(), to_bounds]), 1)


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
        ("sample", "rsample", "log_prob", "mode", "kl"),
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
