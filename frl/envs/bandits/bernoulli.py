"""A bandit whose arms pay 1 with a probability of their own."""

from typing import NamedTuple

import torch
from torch import Tensor

from frl import random
from frl.envs.bandits.bandit import Bandit
from frl.envs.task import Task, settled


class BernoulliBanditParams(NamedTuple):
    """The tasks, each entry a number or a tensor that broadcasts against the batch [*B] unless it says otherwise."""

    reward_prob: float | Tensor = 0.1
    """Of all arms but one, which is drawn for each episode and pays with probability 1 − `reward_prob`."""
    num_pulls: float | Tensor = 100
    """More pulls need a longer time limit than that of `make`."""
    probabilities: Task = ()
    """Of every arm, [*B, A], for a task that stays the same; (): drawn for each episode, as above."""


class BernoulliBandit(Bandit[BernoulliBanditParams]):
    """Two arms that pay 1 with probability 0.1 and 0.9, in an order that each episode draws anew; 0 otherwise.

    As every `Bandit` it shows the last reward, the last action and the time. Who knows the task earns 90 in 100 pulls.
    The probabilities of Duan et al. (2016), independent and uniform on [0, 1), are
    `params._replace(probabilities=random.uniform(num_arms, key))`.

    Args: num_arms: A, at least 2. dtype: of the observation and the reward.
    Raises: ValueError for less arms; TypeError for a dtype that is not floating point, or `probabilities` that are no
        tensor; ValueError if their shape is another.
    Source: Wang et al. (2016), "Learning to reinforcement learn", bandits with dependent arms.

    >>> env, key = BernoulliBandit(), random.key(0)
    >>> state = env.initial(key)
    >>> sorted(round(p, 4) for p in state.arms.tolist()), env.observation(state, key).tolist()
    ([0.1, 0.9], [0.0, 0.0, 0.0, -1.0])
    >>> env.observation(env.transition(state, torch.tensor(1), key), key).shape
    torch.Size([4])
    """

    def __init__(self, num_arms: int = 2, dtype: torch.dtype = torch.float32):
        super().__init__(num_arms, 1.0, dtype)

    def get_default_params(self) -> BernoulliBanditParams:  # type: ignore[override]
        """The probabilities 0.1 and 0.9, and 100 pulls."""
        return BernoulliBanditParams()

    def _drawn_arms(self, rng: Tensor, params: BernoulliBanditParams) -> Tensor:
        best = random.randint(0, self.num_arms, (), rng).unsqueeze(-1)
        rare = torch.as_tensor(params.reward_prob, dtype=self.dtype, device=rng.device).unsqueeze(-1)
        arms = torch.where(best == torch.arange(self.num_arms, device=rng.device), 1 - rare, rare)
        return settled("BernoulliBandit: probabilities", params.probabilities, arms)

    def _pull(self, action: Tensor, expected: Tensor, rng: Tensor, params: BernoulliBanditParams) -> Tensor:
        return (random.uniform((), rng, dtype=self.dtype) < expected).to(self.dtype)
