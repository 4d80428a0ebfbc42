"""The loss of A2C: its gradient is the policy gradient."""

import pytest
import torch

from frl import TensorDict
from frl.distributions import Categorical
from frl.nn import ProbabilisticActor, TensorDictModule
from frl.objectives import A2CLoss
from tests.objectives.test_ppo import CRITIC, Table


def test_the_gradient_is_that_of_the_log_probability_times_the_advantage():
    net = TensorDictModule(Table(0.75, 0.25), ["x"], ["logits"])
    loss = A2CLoss(ProbabilisticActor(net, ["logits"], distribution_class=Categorical), CRITIC, entropy_coeff=0.0)
    scalars = {"x": torch.zeros(1, 1), "advantage": torch.full((1, 1), 2.0), "value_target": torch.zeros(1, 1)}
    td = TensorDict({**scalars, "action": torch.tensor([0])}, [1])
    gradient = torch.func.grad(lambda p: loss(p, td)["loss"])(loss.init())["actor", "module", "0", "module", "logits"]
    assert gradient.tolist() == pytest.approx([-0.5, 0.5])  # −2 (1 − 0.75), 2 · 0.25
