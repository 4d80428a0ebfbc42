"""The target of C51: a distribution of returns, moved by one step and brought back onto its atoms."""

import torch
from torch import Tensor

from frl import check
from frl.functional.steps import check_rate


def categorical_projection(
    reward: Tensor,
    next_probs: Tensor,
    terminated: Tensor,
    gamma: float | Tensor,
    v_min: float | Tensor,
    v_max: float | Tensor,
) -> Tensor:
    """The distribution of r + γ (1 − terminated) Z on the n atoms that Z has, evenly spaced from `v_min` to `v_max`.

    What comes to lie between two atoms is shared by them in inverse proportion to the distance, so that the mean stays;
    what comes to lie outside goes to the first or the last atom. The atoms are torch.linspace(v_min, v_max, n). The
    loss against log-probabilities log p is −(target · log p).sum(-1).

    Args: reward: [*B]. next_probs: [*B, n], of the successor's value, adding to 1, not read where `terminated`.
        terminated: [*B] boolean; a truncated transition is not terminated. gamma: a number in [0, 1] or a 0-d tensor.
        v_min, v_max: numbers or 0-d tensors.
    Returns: [*B, n], adding to 1. Gradients flow into all but the flags: make it outside the loss.
    Raises: ValueError if a shape or a number does not fit, TypeError if a dtype does not.
    Source: Bellemare et al. (2017), arXiv:1707.06887, eq. 7 and algorithm 1.

    >>> probs, no = torch.tensor([0.0, 0.0, 1.0]), torch.tensor(False)
    >>> categorical_projection(torch.tensor(0.75), probs, no, gamma=0.5, v_min=0.0, v_max=2.0).tolist()
    [0.0, 0.25, 0.75]
    """
    _check(reward, next_probs, terminated, {"v_min": v_min, "v_max": v_max})
    check_rate("categorical_projection", {"gamma": gamma})
    n = next_probs.shape[-1]
    spacing = (v_max - v_min) / (n - 1)
    index = torch.arange(n, dtype=reward.dtype, device=reward.device)
    ended = terminated.unsqueeze(-1).expand(next_probs.shape)
    probs = torch.where(ended, 1 / n, next_probs)
    atoms = torch.where(ended, 0.0, (v_min + spacing * index).expand(next_probs.shape))
    moved = reward.unsqueeze(-1).expand(next_probs.shape) + gamma * atoms
    position = ((moved - v_min) / spacing).clamp(0, n - 1)  # in units of the spacing: atom j stands at j
    pairs = (
        *next_probs.shape,
        n,
    )  # from atom i to atom j: dense, for a scatter is slower, and of no fixed order on GPUs
    distance = (position.unsqueeze(-1).expand(pairs) - index.expand(pairs)).abs()
    return (probs.unsqueeze(-1).expand(pairs) * (1 - distance).clamp(min=0)).sum(-2)


def _check(reward: Tensor, next_probs: Tensor, terminated: Tensor, bounds: dict[str, float | Tensor]) -> None:
    function = "categorical_projection"
    check.floating(function, {"next_probs": next_probs, "reward": reward})
    check.same_dtype(function, {"next_probs": next_probs, "reward": reward})
    check.boolean(function, {"terminated": terminated})
    check.same_shape(function, {"terminated": terminated, "reward": reward}, "pass both as [*B]")
    if next_probs.ndim != reward.ndim + 1 or next_probs.shape[:-1] != reward.shape or next_probs.shape[-1] < 2:
        raise ValueError(
            f"{function}: next_probs has shape {list(next_probs.shape)} but reward has {list(reward.shape)}; pass the "
            "rewards as [*B] and the probabilities of at least 2 atoms as [*B, n]."
        )
    tensors = {name: x for name, x in bounds.items() if isinstance(x, Tensor)}
    check.shape(function, tensors, [], "pass one number")
    if not tensors:
        check.below(function, {"v_min": bounds["v_min"]}, float(bounds["v_max"]))
