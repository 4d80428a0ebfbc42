import pytest
import torch

from frl.tensordict import TensorDict
from tests.purity import Purity

IMPURE = {
    "add_": lambda x: x.add_(1),
    "augmented assignment": lambda x: x.__iadd__(1),
    "assignment by index": lambda x: x.__setitem__(0, 1.0),
    "through a view": lambda x: x[1:].view(-1).zero_(),
    "through detach": lambda x: x.detach().mul_(2),
    "through .data": lambda x: x.data.mul_(2),
    "out=": lambda x: torch.add(x, 1, out=x),
    "copy_": lambda x: x.copy_(torch.zeros(3)),
    "index_add_": lambda x: x.index_add_(0, torch.tensor([0]), torch.ones(1)),
    "a foreach operation": lambda x: torch._foreach_add_([x], 1.0),
    "fill under no_grad": lambda x: torch.no_grad()(x.fill_)(0.0),
}


@pytest.mark.parametrize("impure", IMPURE.values(), ids=IMPURE.keys())
def test_writing_into_an_input_is_caught_before_it_happens(impure):
    x = torch.arange(3.0)
    with Purity({"x": x}), pytest.raises(ValueError, match=r"writes into an input of shape \[3\]"):
        impure(x)
    assert x.tolist() == [0.0, 1.0, 2.0]


def test_writing_into_ones_own_storage_is_allowed():
    x = torch.arange(3.0)
    with Purity(x):
        y = x.clone().add_(1)
        y[0] = 5
    assert y.tolist() == [5.0, 2.0, 3.0]


def test_leaves_within_a_tensordict_are_guarded():
    td = TensorDict({"a": {"b": torch.zeros(2)}})
    with Purity(td), pytest.raises(ValueError, match="writes into an input"):
        td["a", "b"].add_(1)


def test_writing_is_caught_under_transforms():
    x = torch.ones(2, 3)
    with Purity(x), pytest.raises(ValueError, match="writes into an input"):
        torch.vmap(lambda row: row.mul_(2))(x)
    with Purity(x), pytest.raises(ValueError, match="writes into an input"):
        torch.func.grad(lambda v: v.detach().mul_(2).sum() + v.sum())(x)
