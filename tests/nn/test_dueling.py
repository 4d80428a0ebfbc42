import torch
from torch import nn
from torch.testing import assert_close

from frl.nn import Dueling


def test_the_mean_of_the_action_values_is_the_value_and_their_differences_are_the_advantages():
    net = Dueling(nn.Linear(4, 1), nn.Linear(4, 3))
    x = torch.linspace(-1, 1, 20).reshape(5, 4)
    q, advantage = net(x), net.advantage(x)
    assert_close(q.mean(-1, keepdim=True), net.value(x))
    assert_close(q - q[:, :1], advantage - advantage[:, :1])


def test_before_atoms_it_works_along_the_actions():
    net = Dueling(nn.Unflatten(-1, (1, 4)), nn.Unflatten(-1, (1, 4)), dim=-2)
    x = torch.arange(8.0).reshape(2, 4)
    assert_close(net(x), x.unsqueeze(1))
