"""Bad calls of TensorDicts and trees."""

import operator

import torch

from frl import TensorDict, tree
from frl.tensordict import scalar
from tests.bad_input.case import FLAGS, STEPS, TD, bad, ones, zeros

DATA = {
    "more indices than batch axes": bad(
        lambda: TD[0, 1], IndexError, "2 for 1 batch axes", "index an entry's own axes as td[key][index]"
    ),
    "a shape of another size": bad(
        lambda: TD.reshape(2, 2), ValueError, "[3]", "[2, 2]", "give sizes whose product is 3"
    ),
    "an axis expanded twice": bad(lambda: TD.expand(4), ValueError, "[3]", "[4]", "td.unsqueeze(dim)"),
    "parts that do not add up": bad(lambda: TD.split([1, 1]), ValueError, "[3]", "[1, 1]", "add up to the axis"),
    "assignment to an entry": bad(
        lambda: operator.setitem(TD, "reward", zeros(3, 1)), TypeError, "immutable", "td = td.set('reward', value)"
    ),
    "assignment to a row": bad(
        lambda: operator.setitem(TD, 0, TD[1]), TypeError, "immutable", "td.at[index].set(value)"
    ),
    "deletion": bad(lambda: operator.delitem(TD, "reward"), TypeError, "immutable", "td = td.exclude('reward')"),
    "assignment to the batch size": bad(
        lambda: setattr(TD, "batch_size", [1]), TypeError, "immutable", "batch_size", "td = td.with_batch_size(sizes)"
    ),
    "assignment to the device": bad(
        lambda: setattr(TD, "device", "cpu"), TypeError, "immutable", "device", "td.to(device)"
    ),
    "a misspelt key": bad(
        lambda: TD["observaton"], KeyError, "'observaton'", "['observation', 'reward']", "Did you mean 'observation'?"
    ),
    "a misspelt nested key": bad(
        lambda: TensorDict({"next": TD})["next", "rewrd"], KeyError, "'rewrd'", "Did you mean 'reward'?"
    ),
    "replacing what is not there": bad(
        lambda: TD.replace({"rward": TD["reward"]}), KeyError, "'rward'", "Did you mean 'reward'?"
    ),
    "an entry of another batch size": bad(
        lambda: TensorDict({"a": zeros(4, 2)}, [3]), ValueError, "'a'", "[4, 2]", "[3]", "give it that leading shape"
    ),
    "setting an entry of another batch size": bad(
        lambda: TD.set("value", zeros(4, 1)), ValueError, "'value'", "[4, 1]", "[3]", "give it that leading shape"
    ),
    "an entry that is no tensor": bad(
        lambda: TensorDict({"a": "x"}),
        TypeError,
        "'a'",
        "is a str",
        "expected a Tensor, a TensorDict, a dict, a number",
    ),
    "a key that is no string": bad(lambda: TensorDict({1: zeros(1)}), TypeError, "key 1", "int", "keys are strings"),
    "setting under a number": bad(
        lambda: TD.set(3, zeros(3)), TypeError, "3 is no key", "give a string or a tuple of strings"
    ),
    "a float as an index": bad(lambda: TD[0.5], TypeError, "0.5", "expected integers"),
    "the truth of a TensorDict": bad(lambda: bool(TD), TypeError, "ambiguous", "write td.all(), td.any()"),
    "adding other keys": bad(lambda: TD + TD.exclude("reward"), ValueError, "['reward']", "select the common ones"),
    "adding another batch size": bad(lambda: TD + TD[:2], ValueError, "[3]", "[2]", "expand one"),
    "updating by another batch size": bad(
        lambda: TD.update(TD[:2]), ValueError, "update", "[3]", "[2]", "must begin so"
    ),
    "renaming to what is there": bad(
        lambda: TD.rename("observation", "reward"), ValueError, "'reward'", "exclude it first"
    ),
    "a function without a rule": bad(
        lambda: torch.nn.functional.softmax(TD, -1), TypeError, "softmax", "does not take a TensorDict", "td.apply("
    ),
    "an observation as a number": bad(
        lambda: scalar(TD, "observation"), ValueError, "'observation'", "[3, 4]", "[3, 1]", "one number for each step"
    ),
    "trees that differ": bad(
        lambda: tree.map(torch.add, {"a": STEPS}, {"b": STEPS}), ValueError, '"a"', "one structure"
    ),
    "trees of two dtypes": bad(
        lambda: tree.ravel({"a": STEPS, "b": STEPS.double()}), ValueError, "float32", "float64", "use tree.cast first"
    ),
    "a condition of another shape": bad(
        lambda: tree.where(FLAGS, ones(2), ones(2)), ValueError, "[5, 2]", "[2]", "must have one shape"
    ),
    "more leaves than places": bad(
        lambda: tree.unflatten(tree.flatten({"a": 1})[1], [1, 2]), ValueError, "2 leaves are given", "pass as many as"
    ),
    "more places than leaves": bad(
        lambda: tree.unflatten(tree.flatten({"a": 1, "b": 2})[1], [1]), ValueError, "1 leaves", "pass as many as"
    ),
    "a leaf beside a tree": bad(
        lambda: tree.map(torch.add, {"a": STEPS}, STEPS), ValueError, "the root is a dict", "a Tensor", "one structure"
    ),
    "a choice between trees that differ": bad(
        lambda: tree.where(FLAGS, {"a": STEPS}, {"b": STEPS}), ValueError, '"a" is only in the first', "one structure"
    ),
    "zeros like a number": bad(
        lambda: tree.zeros_like({"a": 3}), TypeError, "zeros_like: a leaf is 3", "must be a tensor", "torch.as_tensor"
    ),
    "zeros like nothing": bad(
        lambda: tree.zeros_like([None]), TypeError, "zeros_like: a leaf is None", "must be a tensor", "torch.as_tensor"
    ),
    "a stack of no tree": bad(lambda: tree.stack([]), ValueError, "tree.stack", "no tree", "pass at least one"),
    "a stack of trees that differ": bad(
        lambda: tree.stack([{"a": STEPS}, {"b": STEPS}]), ValueError, '"a" is only in the first', "one structure"
    ),
    "a number of another precision": bad(
        lambda: tree.cast({"a": 0.5}, torch.float64), TypeError, "cast: a leaf is 0.5", "tensor", "torch.as_tensor"
    ),
    "a precision by its name": bad(
        lambda: tree.cast({"a": STEPS}, "float64"), TypeError, "cast: dtype is 'float64'", "such as torch.float64"
    ),
    "a vector of no leaf": bad(lambda: tree.ravel({}), ValueError, "tree.ravel", "there is no leaf", "tree.cast first"),
    "leaves of one name": bad(
        lambda: tree.named_leaves({1: 0, "1": 0}), ValueError, "two keys of one dict print alike", "use strings as keys"
    ),
    "a number that is not there": bad(
        lambda: scalar(TD, "value"), KeyError, "no entry 'value'", "it has ['observation', 'reward']"
    ),
}
