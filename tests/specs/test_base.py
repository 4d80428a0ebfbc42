"""Laws that every spec obeys."""

import pytest
import torch

from frl import random
from frl.specs import Binary, Bounded, Categorical, Composite, MultiCategorical, MultiOneHot, OneHot, Unbounded

INF = float("inf")
SPECS = {
    "bounded": Bounded(-2.0, 2.0, 1),
    "bounded, elementwise": Bounded(torch.tensor([-1.0, 0.0]), torch.tensor([1.0, 10.0])),
    "half-bounded": Bounded(torch.tensor([-INF, 0.0, -INF]), torch.tensor([1.0, INF, INF])),
    "bounded, whole float32": Bounded(-3.4e38, 3.4e38, 2),
    "bounded, float64": Bounded(-1.0, 1.0, (2, 2), dtype=torch.float64),
    "bounded, integers": Bounded(-3, 5, 2, dtype=torch.int64),
    "bounded, pixels": Bounded(0, 255, (2, 2, 3), dtype=torch.uint8),
    "bounded, wide integers": Bounded(-(2**62), 2**62 - 2, 2, dtype=torch.int64),
    "unbounded": Unbounded(3),
    "unbounded, scalar": Unbounded(),
    "unbounded, integers": Unbounded(2, dtype=torch.int64),
    "one-hot": OneHot(3),
    "one-hot, several": OneHot(3, (2, 3)),
    "one-hot, bool": OneHot(3, dtype=torch.bool),
    "categorical": Categorical(4),
    "categorical, several": Categorical(4, (2, 3), dtype=torch.int32),
    "categorical, bool": Categorical(2, 1, dtype=torch.bool),
    "multi-categorical": MultiCategorical([2, 5]),
    "multi-categorical, several": MultiCategorical([2, 5], (3, 2), dtype=torch.int32),
    "multi-one-hot": MultiOneHot([2, 3]),
    "multi-one-hot, several": MultiOneHot([2, 1, 3], (4, 6)),
    "multi-one-hot, bool": MultiOneHot([2, 3], dtype=torch.bool),
    "binary": Binary(3),
    "binary, bool": Binary(1, dtype=torch.bool),
    "composite": Composite({"a": OneHot(3), "n": {"b": Bounded(-1.0, 1.0, 2)}}),
    "composite with a shape": Composite({"a": OneHot(3, (4, 3))}, [4]),
}
LEAVES = [name for name in SPECS if "composite" not in name]
KEYS = random.split(random.key(0), 5)


def shape_of(value):
    return value.batch_size if hasattr(value, "batch_size") else value.shape


@pytest.mark.parametrize("name", SPECS)
def test_a_draw_is_contained_and_has_the_axes_of_its_key_in_front(name):
    spec = SPECS[name]
    for key in (KEYS[0], KEYS, KEYS.reshape(5, 1, 2)):
        value = spec.sample(key)
        assert spec.explain(value) is None
        assert shape_of(value) == key.shape[:-1] + spec.shape


@pytest.mark.parametrize("name", LEAVES)
def test_a_batch_of_keys_draws_what_each_key_draws(name):
    spec = SPECS[name]
    assert spec.sample(KEYS).equal(torch.stack([spec.sample(key) for key in KEYS]))
    assert torch.func.vmap(spec.sample)(KEYS).equal(spec.sample(KEYS))


@pytest.mark.parametrize("name", SPECS)
def test_zeros_have_the_shape_dtype_and_device_of_the_spec(name):
    spec = SPECS[name]
    for batch in ((), 4, (2, 3)):
        zeros = spec.zeros(batch)
        assert shape_of(zeros) == torch.Size([batch] if isinstance(batch, int) else batch) + spec.shape
    if name in LEAVES:
        assert (spec.zeros().dtype, spec.zeros().device) == (spec.dtype, spec.device)


@pytest.mark.parametrize("name", LEAVES)
def test_a_projection_is_contained_and_leaves_contained_values_alone(name):
    spec = SPECS[name]
    value = spec.sample(KEYS)
    assert spec.project(value).equal(value)
    if spec.dtype.is_floating_point:
        assert spec.contains(spec.project(value * 100 - 1))
    elif spec.dtype != torch.bool:
        assert spec.contains(spec.project(spec.zeros(5) + torch.tensor(7, dtype=spec.dtype)))


@pytest.mark.parametrize("name", SPECS)
def test_an_expanded_spec_is_that_of_values_side_by_side(name):
    spec, wide = SPECS[name], SPECS[name].expand(2, 4)
    assert wide.shape == torch.Size([2, 4]) + spec.shape
    assert wide.contains(wide.sample(KEYS))
    assert spec.contains(wide.sample(KEYS))


@pytest.mark.parametrize("name", SPECS)
def test_equal_specs_are_equal_and_hash_alike(name):
    spec = SPECS[name]
    assert spec == spec.to("cpu")
    assert hash(spec) == hash(spec.to("cpu"))
    assert spec != spec.expand(2)
    assert spec != "spec"


@pytest.mark.parametrize("name", SPECS)
def test_a_spec_moves_to_a_device(name):
    assert SPECS[name].to("meta").device == torch.device("meta")


@pytest.mark.parametrize("name", ["half-bounded", "one-hot", "multi-categorical", "bounded, pixels"])
def test_the_compiled_draw_and_projection_equal_the_eager_ones(name):
    spec = SPECS[name]
    torch._dynamo.reset()
    f = torch.compile(lambda key: spec.project(spec.sample(key)), backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(f(KEYS), spec.sample(KEYS))


@pytest.mark.parametrize("name", LEAVES)
def test_another_dtype_or_shape_is_not_contained(name):
    spec = SPECS[name]
    assert not spec.contains(spec.sample(KEYS).to(torch.complex64))
    assert not spec.contains([0])
    if spec.shape:
        assert not spec.contains(spec.zeros().unsqueeze(-1).expand(*spec.shape, 7))


def test_explain_says_what_is_wrong():
    spec = Bounded(-1.0, 1.0, 2)
    assert spec.explain([0.0]) == "is a list but must be a tensor"
    assert spec.explain(torch.zeros(3)) == "has shape [3], which does not end with [2]"
    assert spec.explain(torch.zeros(2, dtype=torch.float64)) == "is torch.float64 but must be torch.float32"
    outside = torch.tensor([[0.0, 0.0], [0.0, 2.0]])
    assert spec.explain(outside) == "lies outside [[-1.0, -1.0], [1.0, 1.0]]: [0.0, 2.0]"


@pytest.mark.parametrize("name", SPECS)
def test_a_spec_is_immutable(name):
    with pytest.raises(TypeError, match="immutable"):
        SPECS[name].shape = torch.Size([1])
