"""A bandit of one arm that always pays nothing and one whose mean has to be found out."""

from typing import NamedTuple

import torch
from torch import Tensor

from frl import random
from frl.envs.bandits.bandit import Bandit
from frl.envs.task import Task, settled


class GaussianBanditParams(NamedTuple):
    """The tasks, each entry a number or a tensor that broadcasts against the batch [*B] unless it says otherwise."""

    mean: float | Tensor = -1.0
    """About which the second arm's mean is drawn for each episode."""
    std: float | Tensor = 1.0
    """With which it is drawn."""
    noise: float | Tensor = 0.1
    """The standard deviation of single pulls of the second arm."""
    num_pulls: float | Tensor = 100
    """More pulls need a longer time limit than that of `make`."""
    means: Task = ()
    """Of both arms, [*B, 2], for a task that stays the same; (): drawn for each episode, as above."""


class GaussianBandit(Bandit[GaussianBanditParams]):
    """The first arm pays 0, the second N(μ, 0.1²) with μ ~ N(-1, 1) drawn for each episode.

    As every `Bandit` it shows the last reward, the last action and the time. Exploring costs 1 on average, so one has
    to weigh it against what is left of the time. Who knows the task earns 100 E[max(0, μ)] = 8.33 in 100 pulls.

    Args: dtype: of the observation and the reward.
    Raises: TypeError for a dtype that is not floating point, or `means` that are no tensor; ValueError if their shape
        is another.
    Source: Lange and Sprekeler (2022), "Learning not to learn: nature versus nurture in silico".

    >>> env, key = GaussianBandit(), random.key(0)
    >>> state = env.initial(key, GaussianBanditParams(means=torch.tensor([0.0, 0.5])))
    >>> after = env.transition(state, torch.tensor(0), key)
    >>> state.arms.tolist(), env.reward(state, torch.tensor(0), after, key).item()
    ([0.0, 0.5], 0.0)
    """

    def __init__(self, dtype: torch.dtype = torch.float32):
        super().__init__(2, float("inf"), dtype)

    def get_default_params(self) -> GaussianBanditParams:  # type: ignore[override]
        """Means about -1, and 100 pulls."""
        return GaussianBanditParams()

    def _drawn_arms(self, rng: Tensor, params: GaussianBanditParams) -> Tensor:
        mean = params.mean + params.std * random.normal((), rng, dtype=self.dtype)
        return settled("GaussianBandit: means", params.means, torch.stack((torch.zeros_like(mean), mean), -1))

    def _pull(self, action: Tensor, expected: Tensor, rng: Tensor, params: GaussianBanditParams) -> Tensor:
        noise = params.noise * random.normal((), rng, dtype=self.dtype)
        return torch.where(action == 0, expected, expected + noise)
