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
    "any boolean": bad(
        lambda: specs.Unbounded(3, dtype=torch.bool), TypeError, "Unbounded", "torch.bool", "use Binary"
    ),
    "a negative number of numbers": bad(
        lambda: specs.Unbounded((2, -1)), ValueError, "shape is [2, -1]", "sizes must be at least 0"
    ),
    "a negative number of flags": bad(
        lambda: specs.Binary(-3), ValueError, "shape is [-3]", "sizes must be at least 0"
    ),
    "flags from a seed": bad(lambda: specs.Binary(3).sample(0), TypeError, "key=", "got 0", "frl.random.key(0)"),
    "a boolean of three": bad(
        lambda: specs.Categorical(3, dtype=torch.bool), ValueError, "Categorical: n is 3", "give an integer dtype"
    ),
    "one choice too few of several": bad(
        lambda: specs.MultiCategorical([2, 0]), ValueError, "MultiCategorical: n is 0", "at least 1 choice"
    ),
    "the space of a dict": bad(
        lambda: specs.to_gymnasium({"a": specs.OneHot(2)}),
        TypeError,
        "spec is a dict",
        "such as env.single_action_spec",
    ),
    "the space of a space": bad(
        lambda: specs.to_gymnasium(gymnasium.spaces.Discrete(2)), TypeError, "spec is a Discrete", "pass a spec"
    ),
}
