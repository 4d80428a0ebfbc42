"""Bad calls of specs."""

import gymnasium
import torch

from frl import specs
from tests.bad_input.case import bad

SPECS = {
    "a projection of another shape": bad(
        lambda: specs.Bounded(-1.0, 1.0, (3,)).project(torch.zeros(4)), ValueError, "[4]", "must end in [3]"
    ),
    "bounds upside down": bad(lambda: specs.Bounded(1.0, -1.0, (2,)), ValueError, "low", "high", "must nowhere exceed"),
    "a one-hot of another width": bad(lambda: specs.OneHot(3, (4,)), ValueError, "[4]", "must end with n, which is 3"),
    "no choice": bad(lambda: specs.Categorical(0), ValueError, "n is 0", "at least 1 choice"),
    "an entry that is no spec": bad(lambda: specs.Composite({"a": 3}), TypeError, "'a'", "int", "expected a spec"),
    "an entry without the batch": bad(
        lambda: specs.Composite({"a": specs.Unbounded(3)}, [2]), ValueError, "'a'", "[3]", "[2]", "expand it"
    ),
    "a space without a spec": bad(
        lambda: specs.from_gymnasium(gymnasium.spaces.Tuple([])), TypeError, "Tuple()", "Box, Discrete", "by a wrapper"
    ),
    "choices from one": bad(
        lambda: specs.from_gymnasium(gymnasium.spaces.Discrete(3, start=1)),
        ValueError,
        "starts at 1",
        "gymnasium wrapper",
    ),
    "assignment to a spec": bad(
        lambda: setattr(specs.OneHot(3), "n", 4), TypeError, "immutable", ".n", "build a new one"
    ),
    "a draw from a number": bad(lambda: specs.OneHot(3).sample(3), TypeError, "key=", "got 3", "frl.random.key(0)"),
}
