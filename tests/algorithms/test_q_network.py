"""The network of action values that is made for given specs."""

import pytest
import torch

from frl import TensorDict, random, specs
from frl.algorithms import q_network
from frl.nn import functional_call

SEEN = specs.Composite({"image": specs.Unbounded((2, 3)), "speed": specs.Unbounded(1)})


@pytest.mark.parametrize(
    ("action", "values"), [(specs.OneHot(4), 4), (specs.Categorical(3), 3), (specs.MultiCategorical([2, 3]), 5)]
)
def test_there_is_a_value_for_each_choice(action, values):
    networks = q_network(specs.Composite({"observation": specs.Unbounded(3)}), action, (8,))
    td = TensorDict({"observation": torch.ones(5, 3)}, [5])
    acted = functional_call(networks.module, networks.init(random.key(0)), td)
    assert acted["action_value"].shape == (5, values)


def test_a_key_fixes_the_first_parameters():
    networks = q_network(specs.Composite({"observation": specs.Unbounded(3)}), specs.OneHot(2))
    first, same, other = (networks.init(random.key(seed))["module", "0", "weight"] for seed in (0, 0, 1))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_specs_that_do_not_fit_are_refused():
    with pytest.raises(TypeError, match="no choice among finitely many"):
        q_network(specs.Composite({"observation": specs.Unbounded(3)}), specs.Bounded(-1.0, 1.0, (2,)))
    with pytest.raises(TypeError, match="observation_spec is a Unbounded but must be a Composite"):
        q_network(specs.Unbounded(3), specs.OneHot(2))  # type: ignore[arg-type]
