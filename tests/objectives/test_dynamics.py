import math

import torch
from torch import nn

from frl import TensorDict
from frl.nn import DynamicsModule
from frl.objectives import DynamicsLoss


class Constant(nn.Module):
    """Mean 0 and deviation 2 for one observed number and the reward."""

    def forward(self, x):
        return torch.zeros_like(x), torch.full_like(x, 2.0)


LOSS = DynamicsLoss(DynamicsModule(Constant()))
AFTER = {"observation": torch.tensor([[3.0], [1.0]]), "reward": torch.tensor([[4.0], [0.0]])}
STEPS = TensorDict({"observation": torch.ones(2, 1), "action": torch.ones(2, 1), "next": AFTER}, [2])
CONSTANT = math.log(2) + 0.5 * math.log(2 * math.pi)


def test_it_is_the_mean_negative_log_likelihood():
    losses = LOSS(LOSS.init(), STEPS)
    squares = (2**2 + 4**2 + 0 + 0) / 4  # of the change and the reward of each step
    torch.testing.assert_close(losses["loss"].item(), CONSTANT + squares / (2 * 2**2), atol=1e-6, rtol=0)
    assert losses["error"].tolist() == [3.0, 0.0]


def test_a_step_counts_as_much_as_its_weight():
    losses = LOSS(LOSS.init(), STEPS.set("_weight", torch.tensor([0.0, 2.0])))
    torch.testing.assert_close(losses["loss"].item(), CONSTANT, atol=1e-6, rtol=0)
