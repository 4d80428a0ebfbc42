"""The loss of QR-DQN: quantiles of the return are learned by quantile regression."""

import torch
from torch import Tensor

from frl import check
from frl.functional.huber import huber


def quantile_huber_loss(
    value: Tensor, target: Tensor, kappa: float | Tensor = 1.0, tau: Tensor | None = None
) -> Tensor:
    """The loss Σᵢ meanⱼ |τᵢ − 1{uᵢⱼ < 0}| L_κ(uᵢⱼ) / κ, with uᵢⱼ = targetⱼ − valueᵢ and L_κ the Huber loss.

    It is least where `value` are the quantiles of `target` at the levels τ. For κ → 0 it is the plain quantile
    regression loss.

    Args: value: [*B, N], one for each level. target: [*B, M], such as r + γ (1 − terminated) times the successor's
        quantiles. kappa: above 0, a number or a 0-d tensor. tau: [*B, N], the levels in (0, 1); by default the
        midpoints (i + ½) / N of QR-DQN.
    Returns: [*B], one loss for each sample. Gradients flow into all arguments: make the target outside the loss.
    Raises: ValueError if a shape or `kappa` does not fit, TypeError if a dtype does not.
    Source: Dabney et al. (2018), arXiv:1710.10044, algorithm 1; Dabney et al. (2018), arXiv:1806.06923, for any levels.

    >>> quantile_huber_loss(torch.zeros(1), torch.tensor([3.0, -1.0])).item()
    0.75
    """
    values = {"target": target, "value": value} if tau is None else {"tau": tau, "target": target, "value": value}
    check.floating("quantile_huber_loss", values)
    check.same_dtype("quantile_huber_loss", values)
    check.above("quantile_huber_loss", {"kappa": kappa}, 0)
    if value.ndim < 1 or target.ndim < 1 or value.shape[:-1] != target.shape[:-1]:
        raise ValueError(
            f"quantile_huber_loss: target has shape {list(target.shape)} but value has {list(value.shape)}; pass the "
            "quantiles of one batch as [*B, N] and the targets as [*B, M]."
        )
    num = value.shape[-1]
    if tau is None:
        midpoints = (torch.arange(num, dtype=value.dtype, device=value.device) + 0.5) / num
        tau = midpoints.expand(value.shape)
    check.same_shape("quantile_huber_loss", {"tau": tau, "value": value}, "pass one level for each quantile")
    pairs = (*value.shape, target.shape[-1])
    error = target.unsqueeze(-2).expand(pairs) - value.unsqueeze(-1).expand(pairs)
    level = tau.unsqueeze(-1).expand(pairs)
    weight = torch.where(error < 0, 1 - level, level)
    return (weight * huber(error, kappa) / kappa).mean(-1).sum(-1)
