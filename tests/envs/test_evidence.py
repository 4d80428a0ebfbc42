import pytest
import torch

from frl import TensorDict
from frl.envs import make
from frl.envs.evidence import attempt, differs, require_equal, require_layout

ENV = make("Pendulum-v1")
TD = TensorDict({"x": torch.tensor([1.0, torch.nan]), "next": {"n": torch.tensor([3, 4])}}, [2])

DIFFERENT = [
    (TD.exclude("x"), "rule: 'x' is missing"),
    (TD.set("y", torch.zeros(2)), "'y' is there, but must not be"),
    (TD.set("x", torch.zeros(2, 1)), r"'x' is torch.float32 \[2, 1\] but must be torch.float32 \[2\]"),
    (TD.set(("next", "n"), torch.tensor([3.0, 4.0])), "'next.n' is torch.float32"),
    (TD.set(("next", "n"), torch.tensor([3, 5])), r"step 7: rule: 'next.n' at \[1\] is 5 but must be 4"),
]


@pytest.mark.parametrize(("found", "message"), DIFFERENT)
def test_the_first_difference_is_named(found, message):
    with pytest.raises(ValueError, match=message):
        require_equal(ENV, "step 7", "rule", TD, found)


def test_nan_equals_nan_and_values_are_no_matter_of_layout():
    require_equal(ENV, "step 7", "rule", TD, TD)
    require_layout(ENV, "step 7", "rule", TD, TD.set("x", torch.zeros(2)))


def test_a_tolerance_is_relative_above_one():
    x, y = torch.tensor([100.0, 0.0]), torch.tensor([100.1, 0.1])
    assert differs(x, y, 0.01).tolist() == [False, True]
    assert differs(x, y).tolist() == [True, True]


def test_an_error_becomes_a_failure_that_says_where():
    with pytest.raises(ValueError, match=r"check_env: FunctionalEnv\(.*, reset: raises ZeroDivisionError: division"):
        attempt(ENV, "reset", lambda: 1 / 0)
