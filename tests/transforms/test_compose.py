import pytest
import torch

from frl import TensorDict
from frl.specs import Bounded
from frl.transforms import ActionDiscretizer, ActionScaling, Compose, InitTracker, ObservationNorm, StepCounter

ONE, TWO, THREE = (ObservationNorm(loc, 2.0) for loc in (1.0, 2.0, 3.0))


def test_they_are_applied_in_order():
    td = TensorDict({"observation": torch.zeros(1)})
    assert Compose(ONE, TWO)(td)["observation"] == (0 * 2 + 1) * 2 + 2


def test_a_compose_within_is_flattened_and_slices_are_composes():
    compose = Compose(ONE, Compose(TWO, THREE))
    assert len(compose) == 3
    assert compose[1] is TWO
    assert list(compose[1:]) == [TWO, THREE]
    assert list(compose.append(ONE)) == [ONE, TWO, THREE, ONE]


def test_actions_go_through_them_backwards():
    spec = Bounded(-2.0, 2.0, 1)
    compose = Compose(ActionScaling(0.0, 1.0), ActionDiscretizer(2, categorical=True))
    assert compose.act(TensorDict({"action": torch.tensor(1)}), spec)["action"] == 1.0  # ¾ of [0, 1], of [-2, 2]
    assert compose.action_spec(spec).n == 2


def test_it_has_a_state_if_one_of_them_has():
    assert Compose(ONE).stateless
    assert not Compose(ONE, StepCounter()).stateless


def test_the_bookkeeping_is_that_of_all():
    assert Compose(StepCounter(), ONE, InitTracker()).bookkeeping == ("step_count", "is_init")


def test_something_else_is_refused():
    with pytest.raises(TypeError, match="is a list but must be a Transform"):
        Compose([ONE, TWO])
