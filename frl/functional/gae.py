"""Generalised advantage estimation."""

import torch
from torch import Tensor

from frl.functional.recurrence import affine_recurrence
from frl.functional.steps import check_rate, check_steps


def gae(
    reward: Tensor,
    value: Tensor,
    next_value: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    gamma: float | Tensor,
    lambda_: float | Tensor,
) -> Tensor:
    """The advantage Aₜ = δₜ + γλ (1 − endedₜ) Aₜ₊₁ with δₜ = rₜ + γ (1 − terminatedₜ) Vₜ₊₁ − Vₜ.

    A step has ended if it is terminated or truncated. Truncation ends the sum but still bootstraps; only termination
    makes the future worth nothing. `advantage + value` is the λ-return of `td_lambda_returns`.

    Args: reward, value, next_value: [T, *B]; next_value is that of each step's true successor (not of the observation
        after a reset), and is not read where `terminated`. terminated, truncated: [T, *B] boolean.
        gamma, lambda_: numbers in [0, 1] or 0-d tensors.
    Returns: [T, *B]. Gradients of every order flow into all but the flags: make it outside the loss.
    Raises: ValueError if a shape, `gamma` or `lambda_` does not fit, TypeError if a dtype does not.
    Source: Schulman et al. (2016), arXiv:1506.02438, eq. 16.

    >>> zeros, tens = torch.zeros(2), torch.full([2], 10.0)
    >>> terminated, truncated = torch.tensor([False, True]), torch.tensor([True, False])
    >>> gae(torch.ones(2), zeros, tens, terminated, truncated, gamma=0.5, lambda_=0.5).tolist()
    [6.0, 1.0]
    """
    check_steps(
        "gae",
        {"value": value, "next_value": next_value, "reward": reward},
        {"terminated": terminated, "truncated": truncated},
    )
    check_rate("gae", {"gamma": gamma, "lambda_": lambda_})
    delta = reward + gamma * torch.where(terminated, 0.0, next_value) - value
    trace = gamma * torch.where(terminated | truncated, 0.0, lambda_ * torch.ones_like(reward))
    return affine_recurrence(delta, trace, torch.zeros_like(delta[0]))
