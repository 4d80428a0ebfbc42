"""The losses of DDPG: whose gradient reaches whom, and what they are."""

import pytest
import torch
from torch import nn

from frl import TensorDict
from frl.nn import Actor, TensorDictModule
from frl.objectives import DDPGLoss


class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, *inputs):
        return self.factor * torch.stack(inputs).prod(0)


def loss_of(**settings):
    actor = Actor(Times(2.0))  # π(s) = 2 s
    value = TensorDictModule(Times(3.0), ["observation", "action"], ["state_action_value"])  # Q(s, a) = 3 s a
    return DDPGLoss(actor, value, **settings).make_value_estimator(gamma=0.5)


def batch():
    after = {"observation": torch.ones(1, 1), "reward": torch.ones(1, 1), "done": torch.tensor([[False]])}
    return TensorDict({"observation": torch.ones(1, 1), "action": torch.ones(1, 1), "next": after}, [1])


def test_the_losses_are_those_of_the_paper():
    losses = loss_of()(loss_of().init(), batch())
    assert losses["pred_value"].tolist() == [3.0]
    assert losses["target_value"].tolist() == [4.0]  # 1 + 0.5 · 3·2
    assert losses["td_error"].tolist() == [1.0]
    assert losses["loss_value"].item() == 1.0
    assert losses["loss_actor"].item() == -6.0
    assert (losses["pred_value_max"].item(), losses["target_value_max"].item()) == (3.0, 4.0)


def test_each_loss_reaches_its_own_parameters_alone():
    params = loss_of().init()
    value = torch.func.grad(lambda p: loss_of()(p, batch())["loss_value"])(params)
    actor = torch.func.grad(lambda p: loss_of()(p, batch())["loss_actor"])(params)
    assert value["value", "module", "factor"].item() == -2.0  # 2·(3 − 4)·s a
    assert value["actor", "module", "factor"].item() == 0.0
    assert actor["actor", "module", "factor"].item() == -3.0
    assert actor["value", "module", "factor"].item() == 0.0
    assert not any(x.item() for x in (value["target", "value", "module", "factor"],))


def test_the_loss_of_the_value_has_a_gradient_for_a_discount_that_is_a_tensor():
    def loss(gamma):
        return loss_of().make_value_estimator(gamma=gamma)(loss_of().init(), batch())["loss_value"]

    assert torch.func.grad(loss)(torch.tensor(0.5)).item() == 12.0  # of (3 − 1 − 6 γ)²


def test_targets_can_be_left_out_one_by_one():
    assert list(loss_of(delay_actor=False).init()["target"]) == ["value"]
    assert "target" not in loss_of(delay_actor=False, delay_value=False).init()
    losses = loss_of(delay_actor=False, delay_value=False)(loss_of().init().exclude("target"), batch())
    assert losses["target_value"].tolist() == [4.0]


def test_weights_of_prioritised_replay_count_for_the_value():
    losses = loss_of()(loss_of().init(), batch().set("_weight", torch.tensor([0.25])))
    assert (losses["loss_value"].item(), losses["loss_actor"].item()) == (0.25, -6.0)


def test_a_batch_without_a_reward_is_refused_by_name():
    with pytest.raises(KeyError, match=r"DDPGLoss: the batch has no entry \('next', 'reward'\)"):
        loss_of()(loss_of().init(), batch().set("next", batch()["next"].exclude("reward")))
