"""The pure environments by what the tests of all of them have to know: names, time limits, tasks."""

import torch

from frl import tree

GYMNASIUM = {
    "CartPole-v1": 500,
    "Pendulum-v1": 200,
    "Acrobot-v1": 500,
    "MountainCar-v0": 200,
    "MountainCarContinuous-v0": 999,
}
OWN = {
    "Catch-v0": 9,
    "DeepSea-v0": 8,
    "MemoryChain-v0": 6,
    "UmbrellaChain-v0": 10,
    "DiscountingChain-v0": 100,
    "BernoulliBandit-v0": 100,
    "GaussianBandit-v0": 100,
    "FourRooms-v0": 500,
    "PointNavigation-v0": 100,
    "PointRobot-v0": 100,
    "MinAtar/Breakout-v1": 1000,
}
DRAWS_NOTHING = ("DeepSea-v0", "DiscountingChain-v0")
# What fixes a task, by the name of its entry in the physics: three tasks, one for each row.
TASKS = {
    "DeepSea-v0": {"action_map": torch.arange(3 * 64).reshape(3, 8, 8) % 3 % 2},
    "BernoulliBandit-v0": {"probabilities": torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.3, 0.6]])},
    "GaussianBandit-v0": {"means": torch.tensor([[0.0, 1.0], [0.0, -2.0], [0.0, 0.5]])},
    "FourRooms-v0": {
        "start": torch.tensor([[1, 1], [3, 6], [11, 11]]),
        "goal": torch.tensor([[1, 2], [4, 6], [11, 10]]),
    },
    "PointNavigation-v0": {"goal": torch.tensor([[0.1, 0.0], [-0.4, 0.4], [0.0, 0.3]])},
    "PointRobot-v0": {"goal": torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.1]])},
}


def varied(params):
    """The physics as a tensor for each of three rows: somewhat less, as they are, somewhat more."""
    return tree.map(lambda x: torch.tensor([0.9, 1.0, 1.1]) * x, params)
