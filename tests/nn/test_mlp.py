import pytest
import torch
from torch import nn

from frl.nn import MLP


def test_it_prints_its_layers_and_takes_the_first_size_from_the_input():
    net = MLP(num_cells=[32, 64], out_features=4, activation_class=nn.ELU)
    assert repr(net) == (
        "MLP(\n"
        "  (0): LazyLinear(in_features=0, out_features=32, bias=True)\n"
        "  (1): ELU(alpha=1.0)\n"
        "  (2): Linear(in_features=32, out_features=64, bias=True)\n"
        "  (3): ELU(alpha=1.0)\n"
        "  (4): Linear(in_features=64, out_features=4, bias=True)\n"
        ")"
    )
    assert net(torch.randn(10, 3)).shape == (10, 4)


def test_there_are_three_hidden_layers_of_32_by_default():
    sizes = [tuple(layer.weight.shape) for layer in MLP(in_features=3, out_features=2) if isinstance(layer, nn.Linear)]
    assert sizes == [(32, 3), (32, 32), (32, 32), (2, 32)]


def test_sizes_may_be_positional():
    assert [type(layer).__name__ for layer in MLP(3, 1, num_cells=[32, 64])] == [
        "Linear",
        "Tanh",
        "Linear",
        "Tanh",
        "Linear",
    ]


@pytest.mark.parametrize(("num_cells", "layers"), [([], 1), (8, 3), ([8, 8], 5)])
def test_num_cells_are_the_hidden_layers(num_cells, layers):
    assert len(MLP(3, 1, num_cells=num_cells)) == layers


def test_the_last_layer_may_be_activated():
    assert isinstance(MLP(3, 1, activate_last_layer=True)[-1], nn.Tanh)


def test_several_inputs_are_joined_along_the_last_axis():
    net = MLP(5, 1)
    a, b = torch.randn(2, 3), torch.randn(2, 2)
    assert torch.equal(net(a, b), net(torch.cat([a, b], -1)))


def test_layers_are_reached_by_index():
    net = MLP(3, 2)
    net[-1].bias.data.fill_(0.0)
    assert net[-1].bias.tolist() == [0.0, 0.0]


def test_without_out_features_it_is_refused():
    with pytest.raises(TypeError, match="MLP: out_features is missing"):
        MLP(3)


@pytest.mark.parametrize("in_features", [None, 3])
def test_parameters_are_made_where_they_are_wanted(in_features):
    net = MLP(in_features, 1, num_cells=[8], device="meta")
    assert {parameter.device.type for parameter in net.parameters()} == {"meta"}
