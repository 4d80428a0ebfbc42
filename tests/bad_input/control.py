"""Bad calls of random numbers, loops and the compiler."""

import torch

import frl
from frl import control, random
from tests.bad_input.case import KEY, STEPS, bad, ints, ones, zeros


def branching(x: torch.Tensor) -> torch.Tensor:
    return x if x.sum() > 0 else -x


CONTROL = {
    "a negative size": bad(lambda: random.uniform((3, -1), KEY), ValueError, "shape", "[3, -1]", "must be at least 0"),
    "a step that returns no pair": bad(
        lambda: control.scan(lambda c, x: c, zeros(1), STEPS), TypeError, "Tensor", "must return (carry, y)"
    ),
    "a seed for a key": bad(lambda: random.normal((3,), 0), TypeError, "normal: key=", "got 0", "frl.random.key(0)"),
    "no key": bad(lambda: random.split(None), TypeError, "split: key=", "got None", "frl.random.key(0)"),
    "a float key": bad(
        lambda: random.uniform((3,), zeros(2)), TypeError, "int64", "got torch.float32", "frl.random.key(0)"
    ),
    "a key of three words": bad(lambda: random.split(ints(3)), ValueError, "[*K, 2]", "got [3]", "frl.random.key(0)"),
    "a generator for a key": bad(
        lambda: random.permutation(4, torch.Generator()),
        TypeError,
        "permutation: key=",
        "Generator",
        "frl.random.key(0)",
    ),
    "keys that are not one for each row": bad(
        lambda: random.bernoulli(zeros(3), random.split(KEY)),
        ValueError,
        "bernoulli",
        "[3]",
        "[2]",
        "pass one key, or as many",
    ),
    "a fractional seed": bad(lambda: random.key(0.5), TypeError, "seed", "0.5", "must be an int or an int64 tensor"),
    "an empty range": bad(
        lambda: random.randint(5, 5, (2,), KEY), ValueError, "must hold 1 to 2**32 integers", "got [5, 5)"
    ),
    "a carry that grows": bad(
        lambda: control.scan(lambda c, x: (torch.cat([c, c]), x), ones(2), STEPS),
        ValueError,
        "[2]",
        "[4]",
        "return it with",
    ),
    "a carry that changes its dtype": bad(
        lambda: control.scan(lambda c, x: ({"n": c["n"].double()}, x), {"n": ones(2)}, STEPS),
        *(ValueError, "'n'", "float32", "float64", "return it with the shape and dtype of the initial carry"),
    ),
    "a carry that loses an entry": bad(
        lambda: control.scan(lambda c, x: ({"a": c["a"]}, x), {"a": zeros(1), "b": zeros(1)}, STEPS),
        *(ValueError, "['a', 'b']", "['a']", "return one structure"),
    ),
    "inputs of two lengths": bad(
        lambda: control.scan(lambda c, x: (c, x), zeros(1), (ones(3), ones(4))),
        ValueError,
        "[3]",
        "[4]",
        "must be one T",
    ),
    "a number as a carry": bad(
        lambda: control.scan(lambda c, x: (c, x), 0.5, STEPS), TypeError, "float 0.5", "must be a tensor"
    ),
    "a loop without a length": bad(
        lambda: control.scan(lambda c, x: (c, x), zeros(1)), ValueError, "length", "pass xs=, or length="
    ),
}
COMPILATION = {
    "compiling what needs a gradient": bad(
        lambda: frl.compile(torch.neg)(ones(2, requires_grad=True)), ValueError, "requires grad", "torch.func.grad"
    ),
    "compiling a branch on a value": bad(
        lambda: frl.compile(branching)(ones(2)), RuntimeError, "branching", "value of a tensor", "use torch.where"
    ),
}
