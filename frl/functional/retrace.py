"""Retrace(λ): action values of one policy from the steps of another."""

import torch
from torch import Tensor

from frl.functional.recurrence import affine_recurrence
from frl.functional.steps import check_rate, check_steps
from frl.functional.vtrace import at_most


def retrace(
    reward: Tensor,
    action_value: Tensor,
    next_value: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    log_ratio: Tensor,
    gamma: float | Tensor,
    lambda_: float | Tensor,
) -> Tensor:
    """The target Qₜ + Δₜ for the value Qₜ of the action taken, with Δₜ = δₜ + γ cₜ₊₁ (1 − endedₜ) Δₜ₊₁.

    There δₜ = rₜ + γ (1 − terminatedₜ) E_π Q(sₜ₊₁, ·) − Qₜ, and c = λ min(1, π/μ) weighs what follows the *next*
    action: the one whose value is learned is taken as given, whoever chose it. A step has ended if it is terminated or
    truncated; truncation ends the sum but still bootstraps. On-policy it is `gae` of the action values, plus these.

    Args: reward, action_value, next_value: [T, *B]; action_value is Q(sₜ, aₜ), next_value the expectation of
        Q(sₜ₊₁, ·) under the policy that is learned, in each step's true successor; it is not read where `terminated`.
        terminated, truncated: [T, *B] boolean. log_ratio: [T, *B], log π(aₜ) − log μ(aₜ).
        gamma, lambda_: numbers in [0, 1] or 0-d tensors.
    Returns: [T, *B]. Gradients flow into all but the flags: make it outside the loss.
    Raises: ValueError if a shape, `gamma` or `lambda_` does not fit, TypeError if a dtype does not.
    Source: Munos et al. (2016), arXiv:1606.02647, eq. 3 with c of section 3.

    >>> no, log_ratio = torch.zeros(2, dtype=torch.bool), torch.tensor([2.0, 0.5]).log()
    >>> retrace(torch.ones(2), torch.zeros(2), torch.full([2], 4.0), no, no, log_ratio, gamma=0.5, lambda_=1.0).tolist()
    [3.75, 3.0]
    """
    check_steps(
        "retrace",
        {"action_value": action_value, "next_value": next_value, "log_ratio": log_ratio, "reward": reward},
        {"terminated": terminated, "truncated": truncated},
    )
    check_rate("retrace", {"gamma": gamma, "lambda_": lambda_})
    delta = reward + gamma * torch.where(terminated, 0.0, next_value) - action_value
    weight = lambda_ * at_most(log_ratio, 1.0)
    next_weight = torch.cat([weight[1:], torch.zeros_like(weight[:1])])
    trace = gamma * torch.where(terminated | truncated, 0.0, next_weight)
    return action_value + affine_recurrence(delta, trace, torch.zeros_like(delta[0]))
