"""What recurrent networks share."""

import pytest
import torch
from torch import nn

from frl import TensorDict, specs
from frl.algorithms.memory import memory

SEEN = specs.Composite({"position": specs.Unbounded(2), "speed": specs.Unbounded(1)})


def test_all_observations_go_in_and_the_state_goes_on():
    with torch.random.fork_rng(devices=[]):
        before, unit = memory("q", SEEN, 5, (4, 6), nn.Tanh, ("e", "s"))
    td = TensorDict({"position": torch.ones(3, 2), "speed": torch.ones(3, 1), "is_init": torch.ones(3, 1) > 0}, [3])
    after = unit(before(td))
    assert before(td)["e"].shape == (3, 6)
    assert (after["e"].shape, after["next", "s"].shape) == ((3, 5), (3, 1, 5))


def test_who_asks_is_named():
    with pytest.raises(ValueError, match="recurrent_q_network: num_cells is empty; give at least one layer"):
        memory("recurrent_q_network", SEEN, 5, (), nn.Tanh)
