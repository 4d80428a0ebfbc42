"""Target parameters follow the trained ones, and nothing else changes."""

import pytest
import torch

from frl import TensorDict
from frl.objectives import HardUpdate, SoftUpdate, follow


def params(trained=1.0, target=0.0):
    return TensorDict({"value": {"w": torch.tensor(trained)}, "target": {"value": {"w": torch.tensor(target)}}})


def of(td):
    return td["target", "value", "w"].item()


def test_a_soft_update_keeps_eps_of_the_target():
    before = params()
    after = SoftUpdate(eps=0.75)(before)
    assert of(after) == of(SoftUpdate(tau=0.25)(before)) == 0.25
    assert of(before) == 0.0
    assert after["value", "w"].item() == 1.0


@pytest.mark.parametrize("tau", [0.0, 1.0])
def test_at_its_ends_a_soft_update_is_exact(tau):
    assert of(SoftUpdate(tau=tau)(params(1e-8, 3.0))) == of(params(1e-8, (3.0, 1e-8)[int(tau)]))


def test_a_hard_update_copies_at_each_multiple_of_its_interval():
    update = HardUpdate(value_network_update_interval=3)
    assert [of(update(params(), torch.tensor(count))) for count in range(1, 7)] == [0, 0, 1, 0, 0, 1]


def test_follow_is_a_soft_update_at_each_multiple_of_its_period():
    half, two = torch.tensor(0.5), torch.tensor(2.0)
    assert [of(follow(params(), torch.tensor(count), half, two)) for count in (1, 2, 3, 4)] == [0, 0.5, 0, 0.5]


def test_only_what_has_a_target_is_followed():
    td = params().set("actor", {"w": torch.tensor(5.0)})
    assert list(SoftUpdate(tau=1.0)(td)["target"]) == ["value"]


@pytest.mark.parametrize("arguments", [{}, {"eps": 0.9, "tau": 0.1}])
def test_either_eps_or_tau_is_given(arguments):
    with pytest.raises(TypeError, match="of eps and tau is given"):
        SoftUpdate(**arguments)(params())


def test_without_targets_there_is_nothing_to_update():
    with pytest.raises(KeyError, match="params has no entry 'target'"):
        SoftUpdate(tau=0.5)(params().exclude("target"))
