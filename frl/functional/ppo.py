"""The loss kernels of proximal policy optimisation (Schulman et al. 2017, arXiv:1707.06347)."""

import torch
from torch import Tensor

from frl import check

_MAX_LOG_RATIO = 20.0  # keeps exp and its gradient finite; no trust region comes near e²⁰


def standardize(x: Tensor, eps: float = 1e-8) -> Tensor:
    """(x − mean) / (std + eps) over all elements, with the population's standard deviation.

    Args: x: [*B], floating point, at least one element. Returns: [*B], of mean 0 and standard deviation 1.
    Raises: ValueError if `x` is empty, TypeError if it is not floating point.

    >>> standardize(torch.tensor([1.0, 3.0])).tolist()
    [-1.0, 1.0]
    """
    check.floating("standardize", {"x": x})
    check.at_least("standardize: the number of elements of x", {"numel": x.numel()}, 1)
    std, mean = torch.std_mean(x, correction=0)
    return (x - mean) / (std + eps)


def clipped_surrogate(log_prob: Tensor, old_log_prob: Tensor, advantage: Tensor, epsilon: float | Tensor) -> Tensor:
    """The policy loss −mean min(ρ A, clip(ρ, 1 − ε, 1 + ε) A), to be minimised, with ρ = exp(log_prob − old_log_prob).

    Args: log_prob, old_log_prob, advantage: [*B]. epsilon: above 0, a number or a 0-d tensor.
    Returns: []. Gradients flow into all arguments: make the advantage outside the function that you differentiate.
    Raises: ValueError if the shapes differ or `epsilon` does not fit, TypeError if the dtypes differ.
    Source: arXiv:1707.06347, eq. 7.

    >>> log_prob = torch.log(torch.tensor([2.0, 0.5]))
    >>> clipped_surrogate(log_prob, torch.zeros(2), torch.tensor([1.0, -1.0]), epsilon=0.25).item()
    -0.25
    """
    _check("clipped_surrogate", {"log_prob": log_prob, "old_log_prob": old_log_prob, "advantage": advantage}, epsilon)
    ratio = _log_ratio(log_prob, old_log_prob).exp()
    return -torch.minimum(ratio * advantage, _clip(ratio, 1 - epsilon, 1 + epsilon) * advantage).mean()


def surrogate(log_prob: Tensor, old_log_prob: Tensor, advantage: Tensor) -> Tensor:
    """The policy loss −mean ρ A, with ρ = exp(log_prob − old_log_prob), to be minimised beside a penalty.

    Args: log_prob, old_log_prob, advantage: [*B].
    Returns: []. Gradients flow into all arguments: make the advantage outside the function that you differentiate.
    Raises: ValueError if the shapes differ, TypeError if the dtypes differ.
    Source: arXiv:1707.06347, eq. 6.

    >>> surrogate(torch.log(torch.tensor([2.0, 0.5])), torch.zeros(2), torch.tensor([1.0, -1.0])).item()
    -0.75
    """
    _check("surrogate", {"log_prob": log_prob, "old_log_prob": old_log_prob, "advantage": advantage})
    return -(_log_ratio(log_prob, old_log_prob).exp() * advantage).mean()


def adaptive_kl_coefficient(coefficient: Tensor, kl: Tensor, target: float | Tensor) -> Tensor:
    """The coefficient β of a penalty β·KL for the next update: halved below target / 1.5, doubled above 1.5 · target.

    Args: coefficient: []. kl: [], the mean divergence of the policy after the update from the one before it.
        target: above 0, a number or a 0-d tensor.
    Returns: [], at least 2⁻⁶⁴ and at most 2⁶⁴ so that it can always come back; a coefficient of 0 becomes 2⁻⁶⁴.
    Raises: TypeError if `coefficient` or `kl` is no tensor, ValueError if one has an axis or `target` does not fit.
    Source: arXiv:1707.06347, sec. 4.

    >>> [adaptive_kl_coefficient(torch.tensor(1.0), torch.tensor(kl), target=0.01).item() for kl in (0.1, 0.01, 0.001)]
    [2.0, 1.0, 0.5]
    """
    remedy = "pass the mean over all steps, or vmap over several"
    check.shape("adaptive_kl_coefficient", {"coefficient": coefficient, "kl": kl}, [], remedy)
    check.scalars("adaptive_kl_coefficient", {"target": target})
    check.above("adaptive_kl_coefficient", {"target": target}, 0)
    factor = torch.where(kl > 1.5 * target, 2.0, torch.where(kl < target / 1.5, 0.5, 1.0))
    return (coefficient * factor).clamp(2.0**-64, 2.0**64)


def clipped_value_loss(value: Tensor, old_value: Tensor, target: Tensor, epsilon: float | Tensor) -> Tensor:
    """The value loss ½ mean max((V − G)², (V_old + clip(V − V_old, −ε, ε) − G)²): a value moves by ε at most.

    Args: value, old_value, target: [*B]. epsilon: above 0, a number or a 0-d tensor, in units of value.
    Returns: []. Gradients flow into all arguments: make the target outside the function that you differentiate.
    Raises: ValueError if the shapes differ or `epsilon` does not fit, TypeError if the dtypes differ.
    Source: Schulman et al., openai/baselines `ppo2`; Engstrom et al. (2020), arXiv:2005.12729, sec. 3.

    >>> clipped_value_loss(torch.tensor([3.0]), torch.tensor([1.0]), torch.tensor([5.0]), epsilon=0.5).item()
    6.125
    """
    _check("clipped_value_loss", {"value": value, "old_value": old_value, "target": target}, epsilon)
    clipped = old_value + _clip(value - old_value, -epsilon, epsilon)
    return 0.5 * torch.maximum((value - target).square(), (clipped - target).square()).mean()


def approx_kl(log_prob: Tensor, old_log_prob: Tensor) -> Tensor:
    """An estimate of KL(old ‖ new) from actions of the old policy: mean (ρ − 1 − log ρ), unbiased and never negative.

    Args: log_prob, old_log_prob: [*B]. Returns: [].
    Raises: ValueError if the shapes differ, TypeError if the dtypes do.
    Source: Schulman (2020), "Approximating KL divergence", estimator k3.

    >>> round(approx_kl(torch.log(torch.tensor([0.5, 2.0])), torch.zeros(2)).item(), 4)
    0.25
    """
    _check("approx_kl", {"log_prob": log_prob, "old_log_prob": old_log_prob})
    log_ratio = _log_ratio(log_prob, old_log_prob)
    return (log_ratio.exp() - 1 - log_ratio).mean()


def clip_fraction(log_prob: Tensor, old_log_prob: Tensor, epsilon: float | Tensor) -> Tensor:
    """The fraction of actions whose probability ratio lies outside [1 − ε, 1 + ε].

    Args: log_prob, old_log_prob: [*B]. epsilon: above 0, a number or a 0-d tensor. Returns: [], no gradient.
    Raises: ValueError if the shapes differ or `epsilon` does not fit, TypeError if the dtypes differ.

    >>> clip_fraction(torch.log(torch.tensor([0.5, 1.1])), torch.zeros(2), epsilon=0.2).item()
    0.5
    """
    _check("clip_fraction", {"log_prob": log_prob, "old_log_prob": old_log_prob}, epsilon)
    ratio = _log_ratio(log_prob, old_log_prob).exp()
    return ((ratio - 1).abs() > epsilon).to(ratio.dtype).mean()


def _check(function: str, values: dict[str, Tensor], epsilon: float | Tensor = 1.0) -> None:
    check.floating(function, values)
    check.same_dtype(function, values)
    check.same_shape(function, values, "pass all as [*B]; a trailing axis of size 1 would broadcast")
    check.above(function, {"epsilon": epsilon}, 0)
    if isinstance(epsilon, Tensor):
        check.shape(function, {"epsilon": epsilon}, [], "pass one number")


def _clip(x: Tensor, low: float | Tensor, high: float | Tensor) -> Tensor:
    return x.clamp(low, high)  # type: ignore[call-overload]  # the stubs have one overload for numbers, one for tensors


def _log_ratio(log_prob: Tensor, old_log_prob: Tensor) -> Tensor:
    return (log_prob - old_log_prob).clamp(max=_MAX_LOG_RATIO)
