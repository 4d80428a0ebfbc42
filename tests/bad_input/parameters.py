"""Bad calls of a TensorDict that is taken from a module or lent to one."""

from functools import cache

import torch
from torch import nn

from frl import TensorDict
from tests.bad_input.case import bad, ones


@cache
def linear() -> nn.Linear:
    with torch.random.fork_rng(devices=[]):
        return nn.Linear(3, 2)


FITTING = {"weight": ones(2, 3), "bias": ones(2)}
PARAMETERS = {
    "parameters of a function": bad(
        lambda: TensorDict.from_module(torch.tanh),  # type: ignore[arg-type]
        TypeError,
        "from_module",
        "builtin_function_or_method",
        "nn.Module",
        "TensorDictModule(function",
    ),
    "parameters of a lazy layer": bad(
        lambda: TensorDict.from_module(nn.LazyLinear(2)), ValueError, "from_module", "LazyLinear", "materialize"
    ),
    "parameters lent to a function": bad(
        lambda: TensorDict(FITTING).to_module(torch.tanh),  # type: ignore[arg-type]
        TypeError,
        "to_module",
        "nn.Module",
        "that params was taken from",
    ),
    "too few parameters lent": bad(
        lambda: TensorDict({"bias": ones(2)}).to_module(linear()),
        ValueError,
        "to_module",
        "weight",
        "[2, 3]",
        "from_module",
    ),
    "members lent to one module": bad(
        lambda: TensorDict(FITTING).expand(4).to_module(linear()),
        ValueError,
        "to_module: weight",
        "[4, 2, 3]",
        "[2, 3]",
        "vmap over a leading axis",
    ),
}
