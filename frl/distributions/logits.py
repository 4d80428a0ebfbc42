"""Probabilities given as logits [..., n]: not normalised, −inf for what is impossible, finite with finite gradients."""

import torch
from torch import Tensor

from frl import check


def check_logits(name: str, logits: Tensor) -> None:
    """Raises unless `logits` is floating point, and has a last axis of at least one choice.

    >>> check_logits("Categorical", torch.zeros(3, 0))
    Traceback (most recent call last):
    ValueError: Categorical: the last axis of logits: n is 0 but must be at least 1.
    """
    check.floating(name, {"logits": logits})
    check.at_least(f"{name}: the number of axes of logits", {"ndim": logits.ndim}, 1)
    check.at_least(f"{name}: the last axis of logits", {"n": logits.shape[-1]}, 1)


def one_hot(index: Tensor, n: int) -> Tensor:
    """[*B] integers -> [*B, n], int64.

    >>> one_hot(torch.tensor([2, 0]), 3).tolist()
    [[0, 0, 1], [1, 0, 0]]
    """
    shape = (*index.shape, n)
    choices = torch.arange(n, device=index.device)
    return (index.unsqueeze(-1).expand(shape) == choices.expand(shape)).to(torch.int64)


def entropy(logits: Tensor) -> Tensor:
    """[..., n] -> [...], −Σ p log p, where 0 log 0 is 0.

    >>> round(entropy(torch.tensor([0.0, 0.0, -torch.inf])).item(), 4)
    0.6931
    """
    log_p = logits.log_softmax(-1).clamp(min=torch.finfo(logits.dtype).min)
    return -(log_p.exp() * log_p).sum(-1)


def divergence(p: Tensor, q: Tensor) -> Tensor:
    """Logits [..., n] -> [...], Σ p (log p − log q), where 0 (log 0 − log q) is 0; inf if q excludes what p does not.

    >>> round(divergence(torch.tensor([0.0, -torch.inf]), torch.tensor([0.0, 0.0])).item(), 4)
    0.6931
    """
    log_p, log_q = p.log_softmax(-1), q.log_softmax(-1)
    probability = log_p.exp()
    difference = torch.where(probability > 0, log_p - log_q, 0.0)
    return (probability * difference).sum(-1)
