import pytest
import torch
from torch import nn
from torch.testing import assert_close

from frl import random
from frl.nn import ConvNet, SquashDims, from_module, functional_call, initialize, materialize


def demo():
    return ConvNet(num_cells=[32, 64], kernel_sizes=[8, 4], strides=[2, 1], aggregator_class=SquashDims)


def pixels(**options):
    return ConvNet(
        num_cells=[32, 32, 64],
        squeeze_output=True,
        aggregator_class=nn.AdaptiveAvgPool2d,
        aggregator_kwargs={"output_size": (1, 1)},
        **options,
    )


def test_it_prints_as_in_the_tutorials_before_and_after_it_has_seen_an_image():
    net = demo()
    before = (
        "ConvNet(\n"
        "  (0): LazyConv2d(0, 32, kernel_size=(8, 8), stride=(2, 2))\n"
        "  (1): ELU(alpha=1.0)\n"
        "  (2): Conv2d(32, 64, kernel_size=(4, 4), stride=(1, 1))\n"
        "  (3): ELU(alpha=1.0)\n"
        "  (4): SquashDims()\n"
        ")"
    )
    assert repr(net) == before
    assert net(torch.randn(10, 3, 32, 32)).shape == (10, 6400)
    assert repr(net) == before.replace("LazyConv2d(0,", "Conv2d(3,")


def test_pixels_of_84_by_84_become_64_features():
    net = pixels(device="cpu")
    assert net(torch.zeros(1, 84, 84)).shape == (64,)
    assert net(torch.zeros(5, 1, 84, 84)).shape == (5, 64)


@pytest.mark.parametrize("batch", [(), (1,), (2, 3), (2, 1, 3), (0,), (0, 3)])
def test_any_number_of_batch_axes(batch):
    net = ConvNet(in_features=3, num_cells=[2])
    images = random.normal((*batch, 3, 5, 5), random.key(0))
    expected = net(images.reshape(-1, 3, 5, 5) if images.numel() else torch.zeros(0, 3, 5, 5))
    assert_close(net(images), expected.reshape(*batch, 18))


def test_by_default_there_are_three_layers_of_32():
    layers = [layer for layer in ConvNet(in_features=1) if isinstance(layer, nn.Conv2d)]
    assert [(x.out_channels, x.kernel_size, x.stride, x.padding) for x in layers] == [(32, (3, 3), (1, 1), (0, 0))] * 3


def test_each_layer_has_its_entry_and_a_number_serves_all():
    net = ConvNet(3, 8, kernel_sizes=[3, (2, 3)], strides=2, paddings=[1, (0, 1)], activation_class=nn.ReLU)
    sizes = [(x.out_channels, x.kernel_size, x.stride, x.padding) for x in net if isinstance(x, nn.Conv2d)]
    assert sizes == [(8, (3, 3), (2, 2), (1, 1)), (8, (2, 3), (2, 2), (0, 1))]
    assert isinstance(net[1], nn.ReLU)


def test_without_an_aggregator_images_stay_images():
    assert ConvNet(1, [2], aggregator_class=None)(torch.zeros(4, 1, 5, 5)).shape == (4, 2, 3, 3)


def test_parameters_are_made_where_they_are_wanted():
    assert {x.device.type for x in ConvNet(1, [2, 2], device="meta").parameters()} == {"meta"}


def test_one_network_is_a_pure_function_of_many_parameters():
    net, images = demo(), torch.ones(2, 3, 32, 32)
    params = initialize(net, random.key(0), example=images)
    assert functional_call(net, params, images).shape == (2, 6400)
    members = torch.vmap(lambda key: initialize(net, key))(random.split(random.key(1), 2))
    assert torch.vmap(lambda p: functional_call(net, p, images))(members).shape == (2, 2, 6400)


def test_images_may_be_vmapped_over():
    net, images = ConvNet(1, [2]), random.normal((4, 3, 1, 5, 5), random.key(0))
    materialize(net, images)
    assert_close(torch.vmap(net)(images), net(images))


def test_it_has_the_parameters_of_its_layers():
    assert list(from_module(ConvNet(1, [2]))) == ["0", "1", "2"]


@pytest.mark.parametrize("shape", [(32, 32), (10, 4, 32, 32), (10, 32, 32, 3)])
def test_an_input_that_is_no_image_of_these_channels_is_refused(shape):
    with pytest.raises(ValueError, match=r"ConvNet: the input has shape .* but must be \[\*B, 3, H, W\]; permute"):
        ConvNet(in_features=3, num_cells=[2])(torch.zeros(shape))


def test_bytes_are_refused_with_the_remedy():
    with pytest.raises(TypeError, match=r"the input is torch.uint8 but must be floating point; convert it by x / 255"):
        ConvNet(in_features=3, num_cells=[2])(torch.zeros(3, 8, 8, dtype=torch.uint8))


@pytest.mark.parametrize("sizes", [{"num_cells": [2, 2], "strides": [1]}, {"num_cells": []}])
def test_sequences_of_different_lengths_or_of_none_are_refused(sizes):
    with pytest.raises(ValueError, match=r"ConvNet: the sequences have the lengths .*; give each one entry"):
        ConvNet(1, **sizes)
