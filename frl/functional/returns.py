"""Returns: the discounted sum of rewards that follows each step."""

import torch
from torch import Tensor

from frl import check
from frl.functional.recurrence import affine_recurrence
from frl.functional.steps import check_rate, check_steps


def discounted_returns(reward: Tensor, discount: Tensor, bootstrap: Tensor) -> Tensor:
    """Returns Gₜ = rₜ + γₜ Gₜ₊₁, computed backwards from G_T = `bootstrap`.

    Args: reward, discount: [T, *B]; discount is γ·(1 − terminated), in [0, 1]. bootstrap: [*B], value after step T−1.
    Returns: [T, *B]. Gradients flow into all three arguments.
    Raises: ValueError if the shapes differ, TypeError if the dtypes do.
    Source: Sutton & Barto (2018), eq. 3.9.

    >>> discounted_returns(torch.ones(2), torch.tensor([0.5, 0.5]), torch.tensor(4.0)).tolist()
    [2.5, 3.0]
    """
    check_steps("discounted_returns", {"discount": discount, "reward": reward})
    return affine_recurrence(reward, discount, bootstrap)


def reward_to_go(reward: Tensor, terminated: Tensor, truncated: Tensor, gamma: float | Tensor) -> Tensor:
    """The discounted sum of the rewards that remain in the batch and the episode: Gₜ = rₜ + γ (1 − endedₜ) Gₜ₊₁.

    Nothing is bootstrapped: a step has ended if it is terminated or truncated, and what would follow counts as 0. That
    is biased for a truncated episode; `td_lambda_returns` with λ = 1 bootstraps there.

    Args: reward: [T, *B]. terminated, truncated: [T, *B] boolean. gamma: a number in [0, 1] or a 0-d tensor.
    Returns: [T, *B]. Gradients flow into reward and gamma.
    Raises: ValueError if a shape or `gamma` does not fit, TypeError if a dtype does not.
    Source: Williams (1992), "Simple statistical gradient-following algorithms", REINFORCE.

    >>> no, last = torch.zeros(3, dtype=torch.bool), torch.tensor([False, True, False])
    >>> reward_to_go(torch.ones(3), no, last, gamma=0.5).tolist()
    [1.5, 1.0, 1.0]
    """
    check_steps("reward_to_go", {"reward": reward}, {"terminated": terminated, "truncated": truncated})
    check_rate("reward_to_go", {"gamma": gamma})
    discount = gamma * torch.where(terminated | truncated, 0.0, torch.ones_like(reward))
    return affine_recurrence(reward, discount, torch.zeros_like(reward[0]))


def n_step_returns(
    reward: Tensor, next_value: Tensor, terminated: Tensor, truncated: Tensor, gamma: float | Tensor, n: int
) -> Tensor:
    """Returns Gₜ = rₜ + γ rₜ₊₁ + … + γᵐ⁻¹ rₜ₊ₘ₋₁ + γᵐ Vₜ₊ₘ over m ≤ `n` steps.

    The sum ends early where the episode does, or the batch. It is bootstrapped with `next_value` of its last step,
    unless that step terminates.

    Args: reward, next_value: [T, *B]; next_value is that of each step's true successor, not read where `terminated`.
        terminated, truncated: [T, *B] boolean. gamma: a number in [0, 1] or a 0-d tensor. n: at least 1.
    Returns: [T, *B]. Gradients flow into reward, next_value and gamma.
    Raises: ValueError if a shape, `gamma` or `n` does not fit, TypeError if a dtype does not.
    Source: Sutton & Barto (2018), eq. 7.1.

    >>> no = torch.zeros(3, dtype=torch.bool)
    >>> n_step_returns(torch.ones(3), torch.full([3], 8.0), no, no, gamma=0.5, n=2).tolist()
    [3.5, 3.5, 5.0]
    """
    check_steps(
        "n_step_returns",
        {"next_value": next_value, "reward": reward},
        {"terminated": terminated, "truncated": truncated},
    )
    check_rate("n_step_returns", {"gamma": gamma})
    check.at_least("n_step_returns", {"n": n}, 1)
    ended = terminated | truncated
    cut = torch.cat([ended[:-1], torch.ones_like(ended[-1:])])
    value = torch.where(terminated, 0.0, next_value)
    a = reward + gamma * torch.where(cut, value, 0.0)
    b = gamma * torch.where(cut, 0.0, torch.ones_like(reward))
    g = a + b * value
    for _ in range(min(n, reward.shape[0]) - 1):
        g = a + b * torch.cat([g[1:], g[-1:]])
    return g
