"""Temporal-difference targets: what the value of each step should have been."""

import torch
from torch import Tensor

from frl.functional.recurrence import affine_recurrence
from frl.functional.steps import check_rate, check_steps


def td0_targets(reward: Tensor, next_value: Tensor, terminated: Tensor, gamma: float | Tensor) -> Tensor:
    """The one-step target rₜ + γ (1 − terminatedₜ) Vₜ₊₁, without a recursion, so that truncation plays no part.

    Args: reward, next_value: [T, *B]; next_value is that of each step's true successor, not read where `terminated`.
        terminated: [T, *B] boolean. gamma: a number in [0, 1] or a 0-d tensor.
    Returns: [T, *B]. Gradients flow into reward, next_value and gamma: make the target outside the loss.
    Raises: ValueError if a shape or `gamma` does not fit, TypeError if a dtype does not.
    Source: Sutton (1988), "Learning to predict by the methods of temporal differences"; Sutton & Barto (2018), eq. 6.2.

    >>> td0_targets(torch.ones(2), torch.full([2], 10.0), torch.tensor([False, True]), gamma=0.5).tolist()
    [6.0, 1.0]
    """
    check_steps("td0_targets", {"next_value": next_value, "reward": reward}, {"terminated": terminated})
    check_rate("td0_targets", {"gamma": gamma})
    return reward + gamma * torch.where(terminated, 0.0, next_value)


def td_lambda_returns(
    reward: Tensor,
    next_value: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    gamma: float | Tensor,
    lambda_: float | Tensor,
) -> Tensor:
    """The λ-return Gₜ = rₜ + γ (1 − terminatedₜ) ((1 − λ) Vₜ₊₁ + λ Gₜ₊₁), where Gₜ₊₁ is Vₜ₊₁ if step t is the last.

    Last is a step that is truncated and the last of the batch: there the value stands for all that follows.

    Args: reward, next_value: [T, *B]; next_value is that of each step's true successor, not read where `terminated`.
        terminated, truncated: [T, *B] boolean. gamma, lambda_: numbers in [0, 1] or 0-d tensors.
    Returns: [T, *B]; λ = 0 gives `td0_targets`, λ = 1 the discounted return. Gradients flow into all but the flags.
    Raises: ValueError if a shape, `gamma` or `lambda_` does not fit, TypeError if a dtype does not.
    Source: Sutton & Barto (2018), eq. 12.18.

    >>> reward, next_value, no = torch.ones(2), torch.tensor([8.0, 4.0]), torch.zeros(2, dtype=torch.bool)
    >>> td_lambda_returns(reward, next_value, no, no, gamma=0.5, lambda_=0.5).tolist()
    [3.75, 3.0]
    """
    check_steps(
        "td_lambda_returns",
        {"next_value": next_value, "reward": reward},
        {"terminated": terminated, "truncated": truncated},
    )
    check_rate("td_lambda_returns", {"gamma": gamma, "lambda_": lambda_})
    value = torch.where(terminated, 0.0, next_value)
    trace = torch.where(terminated | truncated, 0.0, lambda_ * torch.ones_like(reward))
    return affine_recurrence(reward + gamma * (1 - trace) * value, gamma * trace, value[-1])
