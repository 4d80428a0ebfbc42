import pytest
import torch

from frl import TensorDict, random, tree
from frl.training.serialize import dump, restore, state_hash

DTYPES = [
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64,
    torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool,
]  # fmt: skip


def state() -> TensorDict:
    return TensorDict(
        {
            "train": {
                "params": {"0": {"weight": random.normal((3, 2), random.key(0)), "a.b": torch.ones(1)}, "1": {}},
                "count": torch.tensor(3),
            },
            "runner": TensorDict(
                {"td": {"observation": random.uniform((4, 3), random.key(1)), "done": torch.tensor([True, False] * 2)}},
                [4],
            ),
            "key": torch.tensor([1, 2**32 - 1]),
        }
    )


def test_a_nested_state_comes_back_with_every_bit_and_batch_size():
    before = state()
    after = restore(*dump(before))
    assert tree.flatten(after)[1] == tree.flatten(before)[1]
    assert state_hash(after) == state_hash(before)
    assert after["runner"].batch_size == (4,)
    assert after["train", "params", "1"].batch_size == ()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_survives(dtype: torch.dtype):
    before = TensorDict({"x": torch.tensor([0, 1, 1]).to(dtype), "scalar": torch.tensor(1).to(dtype)})
    after = restore(*dump(before))
    assert after["x"].dtype == dtype
    assert torch.equal(after["x"], before["x"])
    assert torch.equal(after["scalar"], before["scalar"])


def test_nan_infinity_and_negative_zero_keep_their_bits():
    x = torch.tensor([float("nan"), float("inf"), -0.0, 1e-45])
    after = restore(*dump(TensorDict({"x": x})))["x"]
    assert torch.equal(after.view(torch.int32), x.view(torch.int32))


@pytest.mark.parametrize(
    "x",
    [
        torch.arange(6.0).reshape(2, 3).t(),
        torch.arange(12.0).reshape(4, 3)[:, 1],
        torch.ones(1, 3).expand(5, 3),
        torch.empty(0, 2),
    ],
    ids=["transposed", "a column", "expanded", "empty"],
)
def test_strides_survive_since_they_order_a_sum(x: torch.Tensor):
    after = restore(*dump(TensorDict({"x": x})))["x"]
    assert after.stride() == x.stride()
    assert torch.equal(after, x)


def test_a_state_without_leaves_keeps_its_batch_size():
    assert restore(*dump(TensorDict({}, [5]))).batch_size == (5,)


def test_a_pinned_device_survives():
    after = restore(*dump(TensorDict({"x": torch.ones(1)}, device="cpu")))
    assert after.device == torch.device("cpu")


def test_leaves_that_share_memory_come_back_apart():
    x = torch.zeros(2)
    after = restore(*dump(TensorDict({"a": x, "b": x})))
    assert after["a"].data_ptr() != after["b"].data_ptr()


def test_a_leaf_without_a_place_and_a_place_without_a_leaf_are_refused():
    data, description = dump(TensorDict({"x": torch.ones(1)}))
    with pytest.raises(ValueError, match=r"no place for \['x'\]"):
        restore(data, {**description, "entries": {}})
    with pytest.raises(ValueError, match="do not fit"):
        restore(data, {**description, "entries": {"x": {"leaf": "y", "strides": [1]}}})


def test_the_hash_sees_names_dtypes_shapes_and_bits_but_not_strides():
    x = torch.arange(4.0).reshape(2, 2)
    reference = state_hash({"x": x})
    assert state_hash({"x": x.t().contiguous().t()}) == reference
    changed = [{"y": x}, {"x": x.double()}, {"x": x.reshape(4)}, {"x": x.nextafter(x + 1)}, {"x": x, "y": x}]
    assert reference not in {state_hash(other) for other in changed}
