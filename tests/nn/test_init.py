import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from frl import random, tree
from frl.nn import MLP, from_module, functional_call, initialize, orthogonal, torch_default
from tests.nn.registry import LogStd, Tied

key = random.key(0)
LAYERS = {
    "linear": lambda: nn.Linear(64, 200),
    "no bias": lambda: nn.Linear(64, 200, bias=False),
    "conv1d": lambda: nn.Conv1d(8, 100, 5),
    "grouped conv2d": lambda: nn.Conv2d(8, 64, 3, groups=4),
    "transposed": lambda: nn.ConvTranspose2d(30, 20, 3),
    "bilinear": lambda: nn.Bilinear(20, 30, 10),
    "gru cell": lambda: nn.GRUCell(30, 40),
    "lstm": lambda: nn.LSTM(30, 40, num_layers=2),
    "embedding": lambda: nn.Embedding(100, 50, padding_idx=3),
    "bag": lambda: nn.EmbeddingBag(100, 50),
    "attention": lambda: nn.MultiheadAttention(48, 4),
    "attention with bias": lambda: nn.MultiheadAttention(100, 4, kdim=80, vdim=90, add_bias_kv=True),
    "layer norm": lambda: nn.LayerNorm(10),
    "batch norm": lambda: nn.BatchNorm2d(10),
    "rms norm": lambda: nn.RMSNorm(10),
    "transformer": lambda: nn.TransformerEncoderLayer(32, 4, 64),
}


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_the_default_has_the_moments_and_bounds_of_torchs_own_constructor(make):
    module = make()
    new = dict(tree.named_leaves(initialize(module, key)))
    assert set(new) == {name for name, _ in module.named_parameters()}
    for name, own in module.named_parameters():
        n = own.numel()
        assert_close(new[name].std(), own.std(), rtol=6 / math.sqrt(n), atol=1e-6)
        assert (new[name].mean() - own.mean()).abs() <= 6 * own.std() / math.sqrt(n) + 1e-6
        assert new[name].abs().max() <= 2 * own.abs().max()
        assert not torch.equal(new[name], own) or own.std() == 0


def test_linear_weights_and_biases_lie_within_the_inverse_root_of_fan_in():
    values = torch_default(nn.Linear(100, 1000), key)
    for value in values.values():
        assert 0.099 < value.abs().max() <= 0.1


def test_the_row_at_the_padding_index_is_zero():
    weight = torch_default(nn.Embedding(5, 3, padding_idx=2), key)["weight"]
    assert (weight == 0).all(-1).tolist() == [False, False, True, False, False]


@pytest.mark.parametrize("shape", [(4, 4), (2, 6), (6, 2), (1, 5)])
def test_orthogonal_rows_or_columns_have_the_length_of_the_gain(shape):
    out, size = shape
    weight = orthogonal(3.0)(nn.Linear(size, out), key)["weight"]
    gram = weight @ weight.T if out <= size else weight.T @ weight
    assert_close(gram, 9 * torch.eye(min(shape)), rtol=0, atol=1e-4)


def test_an_orthogonal_convolution_is_orthogonal_as_a_matrix():
    values = orthogonal()(nn.Conv2d(2, 4, 3), key)
    flat = values["weight"].flatten(1)
    assert_close(flat @ flat.T, torch.eye(4), rtol=0, atol=1e-5)
    assert values["bias"].tolist() == [0.0] * 4


def test_orthogonal_matrices_favour_no_sign():
    layer = nn.Linear(1, 1)
    weights = torch.vmap(lambda k: orthogonal()(layer, k)["weight"])(random.split(key, 1000))
    assert set(weights.unique().tolist()) == {-1.0, 1.0}
    assert abs(weights.mean().item()) < 0.13  # four standard errors


def test_the_last_layer_may_have_a_scheme_of_its_own():
    params = initialize(MLP(3, 2, num_cells=[3]), key, orthogonal(1.0), last=orthogonal(0.01))
    assert_close(params["0", "weight"].norm(), torch.tensor(3.0).sqrt())
    assert_close(params["2", "weight"].norm(), 0.01 * torch.tensor(2.0).sqrt())


def test_layers_differ_and_keys_differ():
    params = initialize(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), key)
    assert not torch.equal(params["0", "weight"], params["1", "weight"])
    assert not torch.equal(params["0", "weight"], initialize(nn.Linear(2, 2), random.key(1))["weight"])


def test_unknown_parameters_keep_their_values():
    assert initialize(LogStd(), key)["log_std"].tolist() == [-0.5, -0.5]


def test_a_tied_parameter_is_drawn_once():
    params = initialize(Tied(), key)
    assert list(params["second"]) == ["bias"]
    assert functional_call(Tied(), params, torch.ones(5)).shape == (5,)


def test_the_values_have_the_dtype_of_the_module():
    params = initialize(nn.Linear(2, 2).double(), key, orthogonal())
    assert {x.dtype for x in tree.leaves(params)} == {torch.float64}


def test_a_users_own_scheme_is_a_function():
    params = initialize(nn.Linear(2, 1), key, lambda module, key: {"bias": torch.full((1,), 7.0)})
    assert params["bias"].tolist() == [7.0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gain": torch.ones(1)}, r"gives gain of shape \[1\] for 0, but Linear.* has no parameter of that name"),
        ({"bias": torch.ones(2)}, r"gives bias of shape \[2\] for 0, but Linear.* has \[1\]"),
    ],
)
def test_a_scheme_that_does_not_fit_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        initialize(nn.Sequential(nn.Linear(2, 1)), key, lambda module, key: values)


def test_it_does_not_touch_the_module_nor_the_global_generator():
    module, before = MLP(3, 2), torch.get_rng_state()
    own = tree.leaves(from_module(module))
    initialize(module, key, orthogonal())
    assert_close(tree.leaves(from_module(module)), own, rtol=0, atol=0)
    assert torch.equal(before, torch.get_rng_state())


def test_without_a_key_it_is_refused():
    with pytest.raises(TypeError, match="key"):
        initialize(nn.Linear(1, 1), None)


def test_compiled_initial_values_are_the_eager_ones():
    net = MLP(3, 2, num_cells=[4])
    init = lambda key: initialize(net, key, orthogonal(2.0), last=torch_default)  # noqa: E731
    assert_close(
        tree.leaves(torch.compile(init, backend="aot_eager", fullgraph=True)(key)),
        tree.leaves(init(key)),
        rtol=1e-5,
        atol=1e-5,
    )
