"""What the command line trains with, environment by environment, unless a flag says otherwise."""

import math
from typing import NamedTuple

from frl.algorithms import PPOConfig


class Preset(NamedTuple):
    """A training: steps in all, environments at once, steps of each between two updates, and PPO's hyperparameters.

    With `anneal` the learning rate falls linearly to zero over the training.
    """

    steps: int = 100_000
    num_envs: int = 8
    rollout_length: int = 128
    anneal: bool = True
    ppo: PPOConfig = PPOConfig()


PPO: dict[str, Preset] = {
    "CartPole-v1": Preset(
        steps=100_000,
        num_envs=8,
        rollout_length=32,
        ppo=PPOConfig(num_epochs=5, num_minibatches=1, learning_rate=3e-3, gamma=0.98, lambda_=0.8, entropy_cost=0.0),
    ),
    "Pendulum-v1": Preset(
        steps=200_000,
        num_envs=16,
        rollout_length=128,
        ppo=PPOConfig(
            num_epochs=10,
            num_minibatches=16,
            learning_rate=1e-3,
            gamma=0.9,
            entropy_cost=0.0,
            value_clip=math.inf,
        ),
    ),
    # Not tuned: nothing is claimed of how these learn.
    "Acrobot-v1": Preset(),
    "MountainCar-v0": Preset(),
    "MountainCarContinuous-v0": Preset(),
}


def preset(env: str) -> Preset:
    """The preset of an environment id; Gymnasium's has that of the pure one of its name, others the default.

    >>> preset("gym:CartPole-v1") == preset("CartPole-v1")
    True
    >>> preset("gym:FrozenLake-v1").num_envs
    8
    """
    return PPO.get(env.removeprefix("gym:"), Preset())
