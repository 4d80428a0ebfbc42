import pickle
import subprocess
import sys
from collections import OrderedDict
from typing import NamedTuple

import optree
import pytest
import torch
import torch.utils._pytree as pytree

from frl import tree
from frl.tensordict import TensorDict


class Pair(NamedTuple):
    left: object
    right: object


TREES = {
    "one leaf": torch.ones(2),
    "dict": {"b": torch.ones(2), "a": torch.zeros(3, 1)},
    "nested": {"x": [torch.ones(1), (torch.zeros(2), Pair(torch.ones(()), {}))], "y": OrderedDict(z=torch.ones(4))},
    "empty": {},
    "tensordict": TensorDict({"b": torch.ones(2, 3), "a": {"c": torch.zeros(2)}}, batch_size=[2]),
    "tensordict in a tuple": (TensorDict({"x": torch.ones(5)}, batch_size=[5]), Pair(torch.ones(1), torch.zeros(1))),
}
every_tree = pytest.mark.parametrize("value", TREES.values(), ids=TREES.keys())


def same(x, y):
    (a, s), (b, t) = tree.flatten(x), tree.flatten(y)
    return s == t and len(a) == len(b) and all(torch.equal(p, q) for p, q in zip(a, b, strict=True))


@every_tree
def test_unflatten_is_the_inverse_of_flatten(value):
    leaves, structure = tree.flatten(value)
    assert same(tree.unflatten(structure, leaves), value)
    assert type(tree.unflatten(structure, leaves)) is type(value)


@every_tree
def test_map_of_the_identity_is_the_identity(value):
    assert same(tree.map(lambda x: x, value), value)


@every_tree
def test_map_of_a_composition_is_the_composition_of_maps(value):
    once = tree.map(lambda x: (x + 1) * 3, value)
    assert same(once, tree.map(lambda x: x * 3, tree.map(lambda x: x + 1, value)))


@every_tree
def test_map_over_two_trees_meets_equal_places(value):
    assert all(not x.any() for x in tree.leaves(tree.map(torch.sub, value, value)))


@every_tree
def test_ravel_and_unravel_are_inverse(value):
    if not tree.leaves(value):
        pytest.skip("an empty tree has no dtype to ravel to")
    flat, unravel = tree.ravel(value)
    assert flat.shape == (sum(x.numel() for x in tree.leaves(value)),)
    assert same(unravel(flat), value)
    assert torch.equal(tree.ravel(unravel(flat))[0], flat)


@every_tree
def test_names_are_unique_and_in_the_order_of_the_leaves(value):
    named = tree.named_leaves(value)
    assert len({name for name, _ in named}) == len(named)
    assert all(x is y for (_, x), y in zip(named, tree.leaves(value), strict=True))


def test_named_leaves_spell_the_path_to_every_leaf():
    value = {"a": [10, Pair(11, {"deep": 12})], "b": TensorDict({"y": torch.ones(1), "x": {"z": torch.ones(1)}})}
    assert [name for name, _ in tree.named_leaves(value)] == ["a.0", "a.1.left", "a.1.right.deep", "b.x.z", "b.y"]


def test_a_dot_within_a_key_cannot_be_taken_for_a_path():
    names = [name for name, _ in tree.named_leaves({"a.b": 1, "a": {"b": 2}, "a\\": {"b": 3}})]
    assert names == ["a\\.b", "a.b", "a\\\\.b"]


def test_keys_that_print_alike_are_refused():
    with pytest.raises(ValueError, match=r"tree\.named_leaves: two keys of one dict print alike"):
        tree.named_leaves({1: 0, "1": 0})


@pytest.mark.parametrize("name", ["tensordict", "tensordict in a tuple", "nested"])
def test_torch_and_optree_see_the_same_leaves_in_the_same_order(name):
    value = TREES[name]
    assert all(x is y for x, y in zip(pytree.tree_leaves(value), optree.tree_leaves(value), strict=True))
    leaves, structure = optree.tree_flatten(value)
    assert same(optree.tree_unflatten(structure, leaves), value)


def test_optree_names_the_entries_of_a_tensordict_by_its_keys():
    value = TREES["tensordict"]
    assert optree.tree_paths(value) == [("a", "c"), ("b",)]


def test_a_registered_class_without_names_is_numbered():
    class Box:
        def __init__(self, *items):
            self.items = items

    tree.register(Box, lambda box: (list(box.items), None), lambda items, _: Box(*items))
    assert tree.named_leaves({"box": Box(7, [8])}) == [("box.0", 7), ("box.1.0", 8)]
    assert tree.map(lambda x: x + 1, Box(1, 2)).items == (2, 3)


def test_the_structure_is_equal_in_another_process():
    program = (
        "import torch; from frl import tree; from frl.tensordict import TensorDict\n"
        "td = TensorDict({'b': torch.ones(2, 3), 'a': {'c': torch.zeros(2)}}, batch_size=[2])\n"
        "print(tree.flatten({'td': td, 'x': [1, (2,)]})[1]); print(tree.named_leaves({'td': td, 'x': [1]})[0][0])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    here = tree.flatten({"td": TREES["tensordict"], "x": [1, (2,)]})[1]
    assert runs == {f"{here}\ntd.a.c\n"}


def test_map_pairs_plain_dicts_by_key_not_by_order():
    assert tree.map(lambda x, y: (x, y), {"a": 1, "b": 2}, {"b": 20, "a": 10}) == {"a": (1, 10), "b": (2, 20)}


def test_map_unzip_makes_one_tree_of_each_result():
    value = {"a": torch.tensor(1.0), "b": [torch.tensor(2.0)]}
    double, negative = tree.map_unzip(lambda x: (x * 2, -x), value)
    assert same(double, tree.map(lambda x: x * 2, value))
    assert same(negative, tree.map(torch.neg, value))


def test_map_unzip_refuses_an_empty_tree():
    with pytest.raises(ValueError, match=r"tree\.map_unzip: the tree has no leaf"):
        tree.map_unzip(lambda x: (x,), {"a": []})


@pytest.mark.parametrize("leaves", [[], [1], [1, 2, 3], [1, 2, 3, 4]])
def test_unflatten_refuses_another_number_of_leaves(leaves):
    with pytest.raises(
        ValueError, match=rf"tree\.unflatten: {len(leaves)} leaves are given; pass as many as the struct"
    ):
        tree.unflatten(tree.flatten({"a": 0, "b": [0]})[1], leaves)


def test_a_structure_can_be_a_key_and_be_pickled():
    structure = tree.flatten(TREES["nested"])[1]
    assert {structure: 1}[pickle.loads(pickle.dumps(structure))] == 1


DIFFERENCES = {
    "missing below": ({"actor": {"w": 1, "b": 2}}, {"actor": {"w": 1}}, '"actor.b" is only in the first'),
    "extra": ({"w": 1}, {"w": 1, "b": 2}, '"b" is only in the other'),
    "leaf and node": ({"w": 1}, {"w": [1]}, '"w" is a int in the first and a list in the other'),
    "another container": ([1, 2], (1, 2), "the root is a list in the first and a tuple in the other"),
    "length": ([1, (2, 3)], [1, (2,)], '"1.1" is only in the first'),
    "tensordict and dict": (
        {"p": TensorDict({"w": torch.ones(1)})},
        {"p": {"w": torch.ones(1)}},
        '"p" is a TensorDict in the first and a dict in the other',
    ),
    "batch size": (
        TensorDict({"w": torch.ones(2)}, batch_size=[2]),
        TensorDict({"w": torch.ones(2)}),
        "the TensorDicts at the root have equal keys but differ",
    ),
}


@pytest.mark.parametrize(("x", "y", "words"), DIFFERENCES.values(), ids=DIFFERENCES.keys())
def test_map_names_the_path_at_which_structures_differ(x, y, words):
    with pytest.raises(ValueError, match=r"tree\.map: the trees differ") as error:
        tree.map(lambda a, b: a, x, y)
    assert words in str(error.value)


def test_an_error_within_the_mapped_function_is_not_hidden():
    def fail(x):
        raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$"):
        tree.map(fail, {"a": 1})


def test_where_selects_rows_of_every_leaf():
    x = {"a": torch.ones(2, 3), "b": torch.tensor([1, 2])}
    y = {"a": torch.zeros(2, 3), "b": torch.tensor([10, 20])}
    chosen = tree.where(torch.tensor([True, False]), x, y)
    assert chosen["a"].tolist() == [[1.0] * 3, [0.0] * 3]
    assert chosen["b"].tolist() == [1, 20]


@pytest.mark.parametrize(("a", "b"), [(3, 3), ((), ()), ((2, 3), (2, 1))])
def test_where_refuses_a_leaf_that_would_broadcast(a, b):
    with pytest.raises(ValueError, match=r"tree\.where: the condition has shape \[2\] but a leaf has"):
        tree.where(torch.tensor([True, False]), {"a": torch.ones(a)}, {"a": torch.ones(b)})


def test_cast_leaves_integers_and_booleans_alone():
    value = {"x": torch.ones(2), "n": torch.ones(2, dtype=torch.int32), "m": torch.ones(2, dtype=torch.bool)}
    assert [x.dtype for x in tree.leaves(tree.cast(value, torch.float64))] == [torch.float64, torch.int32, torch.bool]


def test_ravel_refuses_mixed_dtypes_and_names_them():
    with pytest.raises(ValueError, match=r"tree\.ravel: .* but a is torch\.float32, b is torch\.int64; use tree\.cast"):
        tree.ravel({"a": torch.ones(1), "b": torch.ones(1, dtype=torch.int64)})


def test_ravel_refuses_a_tree_without_leaves():
    with pytest.raises(ValueError, match=r"tree\.ravel: .* there is no leaf"):
        tree.ravel({})


def test_gradients_pass_through_ravel_and_unravel():
    value = {"w": torch.tensor([[1.0, 2.0]]), "b": torch.tensor([3.0])}
    through = torch.func.grad(lambda v: (tree.ravel(v)[0] ** 2).sum())(value)
    assert through["w"].tolist() == [[2.0, 4.0]]
    flat, unravel = tree.ravel(value)
    back = torch.func.grad(lambda f: (unravel(f)["w"] * 3).sum() + unravel(f)["b"].sum())(flat)
    assert back.tolist() == [3.0, 3.0, 1.0]


def test_ravel_and_map_work_under_vmap():
    value = {"w": torch.arange(6.0).reshape(3, 2, 1), "b": torch.ones(3)}
    flat = torch.vmap(lambda v: tree.ravel(tree.map(torch.add, v, v))[0])(value)
    assert flat.tolist() == [[0.0, 2.0, 2.0], [4.0, 6.0, 2.0], [8.0, 10.0, 2.0]]


def test_every_operation_compiles_into_one_graph():
    def every(x, y):
        flat, unravel = tree.ravel(tree.map(lambda a, b: a - b, x, y))
        chosen = tree.where(torch.tensor(True), unravel(flat), tree.zeros_like(x))
        return tree.stack([tree.cast(chosen, torch.float64), tree.cast(x, torch.float64)])

    x, y = {"a": torch.ones(2), "b": torch.ones(3, 1)}, {"b": torch.ones(3, 1), "a": torch.zeros(2)}
    compiled = torch.compile(every, backend="aot_eager", fullgraph=True)
    assert same(compiled(x, y), every(x, y))
