"""CartPole with hidden velocities."""

import torch

from frl import random
from frl.envs import FunctionalEnv, make
from frl.envs.classic import CartPole, PositionOnlyCartPole

KEY = random.key(0)


def test_it_moves_as_cartpole_does_and_shows_the_two_positions():
    state, action = torch.tensor([0.1, 0.2, 0.03, 0.4]), torch.tensor(1)
    after = PositionOnlyCartPole().transition(state, action, KEY)
    assert torch.equal(after, CartPole().transition(state, action, KEY))
    assert torch.equal(PositionOnlyCartPole().observation(after, KEY), after[[0, 2]])


def test_its_spec_is_that_of_the_positions():
    spec = FunctionalEnv(PositionOnlyCartPole()).observation_spec["observation"]
    assert spec.shape == (2,)
    whole = make("CartPole-v1").observation_spec["observation"]
    assert torch.equal(spec.high, whole.high[[0, 2]])
