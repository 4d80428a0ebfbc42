import pytest
import torch
from torch import nn

from frl import TensorDict
from frl.envs.sending import packed, unpacked
from tests.envs import faulty


def there_and_back(value):
    return unpacked("value", packed("a test", "value", value, "spawn", "give another"))


def test_functions_come_back_by_their_names():
    assert there_and_back(faulty.cartpole) is faulty.cartpole


def test_modules_come_back_equal_with_tied_parameters_tied_and_memory_of_their_own():
    with torch.random.fork_rng():
        net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.BatchNorm1d(2))
    net[1].weight = net[0].weight
    net[0].bias.requires_grad_(False)
    copy = there_and_back(net)
    assert copy[1].weight is copy[0].weight
    assert isinstance(copy[0].bias, nn.Parameter)
    assert not copy[0].bias.requires_grad
    for name, x in net.state_dict().items():
        assert torch.equal(copy.state_dict()[name], x)
        assert copy.state_dict()[name].data_ptr() != x.data_ptr()


@pytest.mark.parametrize("x", [torch.tensor(3), torch.zeros(0, 2), torch.ones(2).bfloat16(), torch.tensor([True])])
def test_tensors_of_every_kind_come_back(x):
    copy = there_and_back(TensorDict({"x": x}))["x"]
    assert (copy.dtype, copy.shape, copy.tolist()) == (x.dtype, x.shape, x.tolist())


def test_what_cannot_be_sent_or_found_is_named():
    with pytest.raises(TypeError, match=r"a test: value, .*<lambda>.*, cannot be sent .* by spawn .*give another, or"):
        there_and_back(lambda: 0)
    with pytest.raises(TypeError, match=r"policy cannot be found in a worker: .*mp_start_method='fork'"):
        unpacked("policy", b"nothing")
