"""The values of several critics, and what their errors cost."""

import torch

from frl import TensorDict
from frl.objectives import TD3Loss, ValueEstimators
from frl.objectives.critics import critic_losses, detached
from frl.objectives.dqn import square

PRED, TARGET = torch.tensor([[1.0, 2.0], [4.0, 2.0]]), torch.tensor([2.0, 2.0])


def test_errors_are_summed_over_the_critics_and_averaged_over_the_batch():
    losses = critic_losses(PRED, TARGET, TensorDict({}, [2]), square)
    assert losses["loss_qvalue"].item() == 2.5  # (1 + 4 + 0 + 0) / 2
    assert losses["td_error"].tolist() == [2.0, 0.0]
    assert losses["pred_value"].tolist() == [2.5, 2.0]
    assert losses["target_value"].tolist() == [2.0, 2.0]


def test_weights_count_for_the_loss_and_not_for_the_errors():
    losses = critic_losses(PRED, TARGET, TensorDict({"_weight": torch.tensor([0.5, 9.0])}, [2]), square)
    assert (losses["loss_qvalue"].item(), losses["td_error"].tolist()) == (1.25, [2.0, 0.0])


def test_a_detached_parameter_has_no_gradient():
    grad = torch.func.grad(lambda w: (w * detached({"w": w})["w"]).sum())(torch.full((1,), 3.0))
    assert grad.item() == 3.0


def test_every_loss_of_critics_estimates_by_td0_unless_told_otherwise():
    assert TD3Loss.default_value_estimator is ValueEstimators.TD0
