import torch
from torch.testing import assert_close

from frl import TensorDict
from frl.nn import DistributionalQValueModule, QuantileQValueModule, buffers
from frl.specs import OneHot


def test_the_mean_of_each_distribution_is_the_action_value_and_chooses():
    probabilities = torch.tensor([[[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]])
    module = DistributionalQValueModule(torch.tensor([-2.0, 0.0, 4.0]), spec=OneHot(2))
    td = module(TensorDict({"action_value_logits": probabilities.log()}, [1]))
    assert_close(td["action_value"], torch.tensor([[-1.0, 2.0]]))
    assert td["action"].tolist() == [[0, 1]]
    assert_close(td["chosen_action_value"], torch.tensor([[2.0]]))


def test_a_mask_forbids_actions_here_too():
    module = DistributionalQValueModule(torch.tensor([0.0, 1.0]), "categorical", action_mask_key="mask")
    td = TensorDict(
        {"action_value_logits": torch.tensor([[0.0, 9.0], [9.0, 0.0]]), "mask": torch.tensor([False, True])}
    )
    assert module(td)["action"].item() == 1


def test_the_support_is_a_buffer():
    support = torch.linspace(-1.0, 1.0, 3)
    module = DistributionalQValueModule(support, "categorical")
    assert torch.equal(module.support, support)
    assert torch.equal(buffers(module)["module", "0", "module", "support"], support)


def test_the_mean_of_quantiles_is_the_action_value():
    td = TensorDict({"action_value_quantiles": torch.tensor([[[0.0, 1.0, 5.0], [0.0, 0.0, 9.0]]])}, [1])
    result = QuantileQValueModule("one_hot")(td)
    assert result["action_value"].tolist() == [[2.0, 3.0]]
    assert result["chosen_action_value"].tolist() == [[3.0]]
