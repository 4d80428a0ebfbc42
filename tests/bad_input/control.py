"""Bad calls of random numbers, loops and the compiler."""

import torch

import frl
from frl import control, random
from tests.bad_input.case import KEY, STEPS, bad, ints, ones, zeros


def branching(x: torch.Tensor) -> torch.Tensor:
    return x if x.sum() > 0 else -x


def kept(x: torch.Tensor) -> torch.Tensor:
    return x


CONTROL = {
    "a number as a condition": bad(
        lambda: control.cond(True, kept, kept, zeros(1)), TypeError, "bool True", "pass a boolean scalar tensor"
    ),
    "several conditions": bad(
        lambda: control.cond(ones(2) > 0, kept, kept, zeros(1)), ValueError, "bool [2]", "torch.vmap over several"
    ),
    "a value for a side of a branch": bad(
        lambda: control.cond(ones(1)[0] > 0, kept, zeros(1), zeros(1)), TypeError, "false", "pass two functions"
    ),
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
    "a seed of more than 64 bits": bad(
        lambda: random.key(2**64), ValueError, "key: seed", "must lie in", "but got 1844"
    ),
    "no seed": bad(lambda: random.key(None), TypeError, "key: seed", "an int or an int64 tensor", "but got None"),
    "a negative number folded in": bad(
        lambda: random.fold_in(KEY, -1), ValueError, "fold_in: data", "must lie in [0, 2**32)", "fold in its parts"
    ),
    "a fraction folded in": bad(
        lambda: random.fold_in(KEY, 0.5), TypeError, "fold_in: data", "must be an int", "got a floating-point 0.5"
    ),
    "fewer bits than none": bad(lambda: random.bits((2, -1), KEY), ValueError, "bits: shape", "[2, -1]", "at least 0"),
    "bits without a key": bad(lambda: random.bits(2, None), TypeError, "bits: key=", "got None", "frl.random.key(0)"),
    "whole normal numbers": bad(
        lambda: random.normal(3, KEY, dtype=torch.int64), TypeError, "normal: dtype must be one of", "got torch.int64"
    ),
    "a coin tossed by a seed": bad(lambda: random.bernoulli(0.5, 0), TypeError, "key=", "got 0", "frl.random.key(0)"),
    "logits that are whole": bad(
        lambda: random.categorical(ints(3), KEY), TypeError, "categorical: logits", "floating point", "got torch.int64"
    ),
    "keys for other logits": bad(
        lambda: random.categorical(zeros(3, 4), random.split(KEY)),
        *(ValueError, "categorical: shape [3, 4]", "[2] of key=", "pass one key, or as many"),
    ),
    "a permutation of fewer than none": bad(
        lambda: random.permutation(-1, KEY), ValueError, "permutation: shape is [-1]", "must be at least 0"
    ),
    "a choice from nothing": bad(lambda: random.choice(0, 2, KEY), ValueError, "choice: n is 0", "must be from 1 to"),
    "a choice from half a thing": bad(
        lambda: random.choice(1.5, 2, KEY), TypeError, "must be an int or an int64 tensor", "got a floating-point 1.5"
    ),
    "members of no function": bad(
        lambda: control.members(3), TypeError, "members: f is a int", "pass the function that one member calls"
    ),
    "a population of none": bad(
        lambda: control.members(torch.neg)(zeros(0, 2)),
        ValueError,
        "members",
        "have no member",
        "an axis of at least 1",
    ),
    "compiling in no shard": bad(lambda: frl.compile(torch.neg, shards=0), ValueError, "shards is 0", "at least 1"),
    "a number to be compiled": bad(
        lambda: frl.compile(3), TypeError, "compile: f is a int", "pass the function to be compiled"
    ),
    "a module's name to be compiled": bad(
        lambda: frl.compile("torch"), TypeError, "compile: f is a str", "pass the function to be compiled"
    ),
}
COMPILATION = {
    "compiling in shards that do not divide": bad(
        lambda: frl.compile(torch.neg, shards=2)(ones(3)), ValueError, "shards=2", "shape [3]", "an axis that 2 divides"
    ),
    "compiling a number in shards": bad(
        lambda: frl.compile(torch.neg, shards=2)(ones(2), 3), ValueError, "shards=2", "is 3", "an axis that 2 divides"
    ),
    "compiling what needs a gradient": bad(
        lambda: frl.compile(torch.neg)(ones(2, requires_grad=True)), ValueError, "requires grad", "torch.func.grad"
    ),
    "compiling a branch on a value": bad(
        lambda: frl.compile(branching)(ones(2)), RuntimeError, "branching", "value of a tensor", "use torch.where"
    ),
}
