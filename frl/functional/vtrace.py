"""V-trace: values and advantages of one policy from the steps of another."""

from typing import NamedTuple

import torch
from torch import Tensor

from frl import check
from frl.functional.recurrence import affine_recurrence
from frl.functional.steps import check_rate, check_steps

_MAX_LOG_RATIO = 20.0  # keeps exp and its gradient finite, whatever the thresholds


class VTrace(NamedTuple):
    """What V-trace makes of a batch, both [T, *B].

    target: vₜ, what the value of each state should have been. advantage: ρₜ (rₜ + γ vₜ₊₁ − Vₜ), the factor of
    ∇ log π in the policy gradient.
    """

    target: Tensor
    advantage: Tensor


def vtrace(
    reward: Tensor,
    value: Tensor,
    next_value: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    log_ratio: Tensor,
    gamma: float | Tensor,
    clip: tuple[float | Tensor, float | Tensor] = (1.0, 1.0),
) -> VTrace:
    """The targets vₜ = Vₜ + ρₜ δₜ + γ cₜ (1 − endedₜ) (vₜ₊₁ − Vₜ₊₁) with δₜ = rₜ + γ (1 − terminatedₜ) Vₜ₊₁ − Vₜ.

    The weights ρ = min(ρ̄, π/μ) and c = min(c̄, π/μ) correct for actions of the policy μ where π is learned: ρ̄ decides
    whose values are found, c̄ how far a step reaches back. A step has ended if it is terminated or truncated. Truncation
    ends the sum but still bootstraps, from `next_value`, never from the trajectory that follows in the batch. With
    actions of π itself, c̄ = λ gives the λ-return of `td_lambda_returns`.

    Args: reward, value, next_value: [T, *B]; next_value is that of each step's true successor (not of the observation
        after a reset), and is not read where `terminated`. terminated, truncated: [T, *B] boolean.
        log_ratio: [T, *B], log π(aₜ) − log μ(aₜ); read as at most 20. gamma: a number in [0, 1] or a 0-d tensor.
        clip: (ρ̄, c̄), numbers above 0 or 0-d tensors.
    Returns: `VTrace(target, advantage)`. Gradients flow into all but the flags: make it outside the loss.
    Raises: ValueError if a shape or a number does not fit, TypeError if a dtype does not.
    Source: Espeholt et al. (2018), arXiv:1802.01561, eq. 1, remark 1 and section 4.2.

    >>> zeros, tens, log_ratio = torch.zeros(2), torch.full([2], 10.0), torch.tensor([0.5, 2.0]).log()
    >>> terminated, truncated = torch.tensor([False, True]), torch.tensor([True, False])
    >>> vtrace(torch.ones(2), zeros, tens, terminated, truncated, log_ratio, gamma=0.5).target.tolist()
    [3.0, 1.0]
    """
    check_steps(
        "vtrace",
        {"value": value, "next_value": next_value, "log_ratio": log_ratio, "reward": reward},
        {"terminated": terminated, "truncated": truncated},
    )
    check_rate("vtrace", {"gamma": gamma})
    limits = {"clip[0]": clip[0], "clip[1]": clip[1]}
    check.above("vtrace", limits, 0)
    check.shape("vtrace", {name: x for name, x in limits.items() if isinstance(x, Tensor)}, [], "pass one number")
    rho, c = (at_most(log_ratio, limit) for limit in clip)
    ended = terminated | truncated
    bootstrap = torch.where(terminated, 0.0, next_value)
    zero = torch.zeros_like(reward[:1])
    correction = affine_recurrence(
        rho * (reward + gamma * bootstrap - value), gamma * torch.where(ended, 0.0, c), zero[0]
    )
    following = torch.where(ended, 0.0, torch.cat([correction[1:], zero]))
    return VTrace(value + correction, rho * (reward + gamma * (bootstrap + following) - value))


def at_most(log_ratio: Tensor, limit: float | Tensor) -> Tensor:
    """min(`limit`, exp(log_ratio)), element by element, with finite gradients; limit: a number or a 0-d tensor.

    >>> at_most(torch.tensor([-1e9, 0.0, 1e9]), 2.0).tolist()
    [0.0, 1.0, 2.0]
    """
    return log_ratio.clamp(max=_MAX_LOG_RATIO).exp().clamp(max=limit)  # type: ignore[arg-type]
