"""The loss of REINFORCE, alone and beside that of a baseline."""

import math

import pytest
import torch

from frl import TensorDict
from frl.distributions import Categorical
from frl.nn import ProbabilisticActor, TensorDictModule
from frl.objectives import ReinforceLoss
from tests.objectives.test_ppo import CRITIC, Table

NET = TensorDictModule(Table(0.75, 0.25), ["x"], ["logits"])
ACTOR = ProbabilisticActor(NET, ["logits"], distribution_class=Categorical)


def batch():
    scalars = {"x": torch.zeros(2, 1), "advantage": torch.tensor([[2.0], [4.0]]), "value_target": torch.ones(2, 1)}
    return TensorDict({**scalars, "action": torch.tensor([0, 1])}, [2])


def test_an_action_counts_as_much_as_what_came_of_it():
    loss = ReinforceLoss(ACTOR)
    assert list(loss.init()) == ["actor"]
    losses = loss(loss.init(), batch().exclude("value_target"))
    assert losses["loss_actor"].item() == pytest.approx(-math.log(0.75) - 2 * math.log(0.25))
    assert losses["loss"].item() == losses["loss_actor"].item()


def test_a_baseline_is_learnt_beside_the_policy():
    loss = ReinforceLoss(ACTOR, CRITIC, critic_coeff=0.5)
    losses = loss(loss.init(), batch())
    assert losses["loss_value"].item() == 0.5  # ½ (0 − 1)²
    assert losses["loss"].item() == pytest.approx(losses["loss_actor"].item() + 0.25)


def test_a_baseline_needs_its_target():
    loss = ReinforceLoss(ACTOR, CRITIC)
    with pytest.raises(KeyError, match="ReinforceLoss: the batch has no entry 'value_target'"):
        loss(loss.init(), batch().exclude("value_target"))
