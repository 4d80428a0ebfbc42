"""Numbers of single steps: [*B, 1] in a TensorDict, [*B] in mathematics, nothing else in either."""

import pytest
import torch

from frl.tensordict import TensorDict, scalar


def test_the_last_axis_goes() -> None:
    td = TensorDict({"reward": torch.tensor([[[1.0], [2.0]]])}, [1, 2])
    assert scalar(td, "reward").tolist() == [[1.0, 2.0]]


def test_a_nested_entry_is_found() -> None:
    assert scalar(TensorDict({"next": {"done": torch.tensor([[True]])}}, [1]), ("next", "done")).tolist() == [True]


def test_a_single_environment_gives_a_number() -> None:
    assert scalar(TensorDict({"reward": torch.tensor([3.0])}), "reward").shape == ()


def test_gradients_flow_through() -> None:
    grad = torch.func.grad(lambda x: scalar(TensorDict({"reward": x}, [2]), "reward").sum())
    assert grad(torch.zeros(2, 1)).tolist() == [[1.0], [1.0]]


def test_it_holds_under_vmap() -> None:
    column = torch.vmap(lambda x: scalar(TensorDict({"reward": x}, [2]), "reward"))
    assert column(torch.zeros(5, 2, 1)).shape == (5, 2)


@pytest.mark.parametrize("shape", [(4,), (4, 2), (4, 1, 1)])
def test_any_other_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"'reward' has shape \[4.*expected \[4, 1\]"):
        scalar(TensorDict({"reward": torch.zeros(shape)}, [4]), "reward")
