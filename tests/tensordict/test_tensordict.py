"""The TensorDict as a pytree and a value: copies, transforms, compilation."""

import copy
import pickle

import optree
import pytest
import torch
import torch.utils._pytree as pytree
from torch._dynamo.testing import CompileCounter
from torch.func import grad, jacrev, vmap

from frl import TensorDict, control, tree


@pytest.fixture
def td():
    return TensorDict({"a": torch.arange(6.0).reshape(3, 2), "n": {"b": torch.ones(3)}, "e": {}}, [3])


def compiled(f):
    torch._dynamo.reset()
    return torch.compile(f, backend="aot_eager", fullgraph=True)


# ---- a pytree


def test_flatten_and_unflatten_are_inverse(td):
    for library in (pytree, optree):
        leaves, structure = library.tree_flatten(td)
        again = (
            pytree.tree_unflatten(leaves, structure) if library is pytree else optree.tree_unflatten(structure, leaves)
        )
        assert repr(again) == repr(td)
        assert again["a"] is td["a"]


def test_leaves_come_in_the_order_of_the_keys_whatever_the_order_of_writing():
    x = TensorDict({"b": torch.zeros(1), "a": torch.ones(1)})
    y = TensorDict({"a": torch.ones(1)}).set("b", torch.zeros(1))
    assert tree.flatten(x)[1] == tree.flatten(y)[1]
    assert [leaf.item() for leaf in tree.leaves(x)] == [1.0, 0.0]


def test_map_keeps_batch_sizes_and_empty_entries(td):
    new = tree.map(lambda x: x + 1, td)
    assert isinstance(new, TensorDict)
    assert new["e"].batch_size == torch.Size([3])
    assert (new == td + 1).all()


def test_leaves_are_named_by_their_path(td):
    assert [name for name, _ in tree.named_leaves(td)] == ["a", "n.b"]


def test_a_structure_of_another_device_or_event_rank_is_another_one(td):
    assert tree.flatten(td)[1] != tree.flatten(td.cpu())[1]
    assert tree.flatten(td)[1] != tree.flatten(td.with_batch_size([]))[1]


# ---- a value


def test_copies_are_equal_and_deep_ones_own_their_memory(td):
    deep, shallow = copy.deepcopy(td), copy.copy(td)
    assert repr(deep) == repr(shallow) == repr(td)
    assert (deep == td).all()
    assert deep["a"].data_ptr() != td["a"].data_ptr()
    assert shallow["a"] is td["a"]


def test_pickling_keeps_everything(td):
    again = pickle.loads(pickle.dumps(td.cpu()))
    assert repr(again) == repr(td.cpu())
    assert (again == td).all()


def test_torch_testing_compares_it(td):
    torch.testing.assert_close(td, td.clone())
    with pytest.raises(AssertionError):
        torch.testing.assert_close(td, td.set("a", td["a"] + 1))


# ---- transforms


def test_vmap_hides_a_batch_axis_inside_and_adds_it_outside(td):
    inside = []
    out = vmap(lambda x: inside.append(x.batch_size) or x.set("c", x["a"].sum()))(td)
    assert inside == [torch.Size([])]
    assert out.batch_size == torch.Size([3])
    assert out["c"].tolist() == [1.0, 5.0, 9.0]


def test_vmap_over_parameters_adds_its_axis_in_front_of_the_batch():
    params = TensorDict({"w": torch.ones(5, 2)}).expand(4)
    td = TensorDict({"x": torch.ones(3, 5)}, [3])
    out = vmap(lambda p, x: x.set("y", x["x"] @ p["w"]), (0, None))(params, td)
    assert out.batch_size == torch.Size([4, 3])
    assert (out["x"].shape, out["y"].shape) == (torch.Size([4, 3, 5]), torch.Size([4, 3, 2]))


def test_grad_has_the_structure_of_its_argument(td):
    g = grad(lambda x: (x["a"] ** 2).sum() + 3 * x["n", "b"].sum())(td)
    assert g.batch_size == torch.Size([3])
    assert g["a"].equal(2 * td["a"])
    assert g["n", "b"].tolist() == [3.0, 3.0, 3.0]


def test_jacrev_of_a_tensordict_output():
    jacobian = jacrev(lambda x: TensorDict({"y": x**2}))(torch.tensor([1.0, 2.0]))
    assert jacobian["y"].tolist() == [[2.0, 0.0], [0.0, 4.0]]


def test_per_example_gradients(td):
    g = vmap(grad(lambda x: (x["a"] ** 2).sum()))(td.select("a"))
    assert g["a"].equal(2 * td["a"])
    assert g.batch_size == torch.Size([3])


def test_autograd_reaches_the_leaves():
    x = torch.ones(2, requires_grad=True)
    ((TensorDict({"a": x}, [2]) * 2).sum()["a"]).backward()
    assert x.grad.tolist() == [2.0, 2.0]


# ---- compilation


def operations(td):
    td = td.set("c", td["a"] * 2).update({"n": {"d": td["n", "b"] + 1}}).rename("c", "z")
    td = torch.stack([td, td - 1]).mean(0)
    td = torch.where(td["n", "b"] > 0, td, -td).clamp(-5, 5)
    td = td.at[0].set(td[1]).at[torch.tensor([2])].add(1.0)
    td = torch.cat([td, torch.zeros_like(td)]).reshape(2, -1).permute(1, 0).flatten()
    return td.apply(lambda x: x + 1).exclude("a").flatten_keys()


def test_the_compiled_vmapped_operations_equal_the_eager_ones(td):
    stacked = torch.stack([td, td + 1, td * 2])
    expected = torch.stack([operations(td), operations(td + 1), operations(td * 2)])
    assert (vmap(operations)(stacked) == expected).all()
    assert (compiled(vmap(operations))(stacked) == expected).all()


def test_the_compiled_gradient_equals_the_eager_one(td):
    def loss(x):
        return sum(y.square().sum() for y in operations(x).values())

    stacked = torch.stack([td, td + 1])
    torch.testing.assert_close(compiled(vmap(grad(loss)))(stacked)[0], grad(loss)(td))


def test_it_is_a_carry_and_an_output_of_scan(td):
    def body(carry, x):
        carry = carry.set("a", carry["a"] + x["dx"])
        return carry, carry.select("a")

    def f(td, xs):
        return control.scan(body, td, xs)

    xs = TensorDict({"dx": torch.arange(4.0)}, [4])
    expected_carry, expected_ys = f(td, xs)
    assert expected_carry["a"].equal(td["a"] + 6)
    assert expected_ys["a"].shape == torch.Size([4, 3, 2])
    carry, ys = compiled(f)(td, xs)
    torch.testing.assert_close(carry, expected_carry)
    torch.testing.assert_close(ys, expected_ys)


def test_new_values_and_another_order_of_keys_do_not_recompile():
    counter = CompileCounter()
    torch._dynamo.reset()
    f = torch.compile(lambda td: td.set("c", td["a"] + td["n", "b"]) * 2, backend=counter, fullgraph=True)
    a, b = torch.ones(3), torch.zeros(3)
    f(TensorDict({"a": a, "n": {"b": b}}, [3]))
    with torch.compiler.set_stance("fail_on_recompile"):
        f(TensorDict({"n": {"b": a}, "a": b}, [3]))
        f(TensorDict({"n": {}}, [3]).set(("n", "b"), a).set("a", a.clone()))
        f(TensorDict({"a": a.clone(), "n": {"b": b + 5}}, 3))
    assert counter.frame_count == 1


def test_a_tensor_index_that_changes_does_not_recompile():
    counter = CompileCounter()
    torch._dynamo.reset()
    f = torch.compile(lambda td, i: td.at[i].set(td[i] + 1), backend=counter, fullgraph=True)
    td = TensorDict({"a": torch.zeros(3)}, [3])
    for i in (0, 1, 2):
        td = f(td, torch.tensor(i))
    assert td["a"].tolist() == [1.0, 1.0, 1.0]
    assert counter.frame_count == 1
