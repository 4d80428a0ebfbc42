"""The Kullback–Leibler divergence between two distributions of one kind."""

from torch import Tensor

from frl import check
from frl.distributions.base import Distribution
from frl.distributions.categorical import Choice
from frl.distributions.logits import divergence
from frl.distributions.normal import Normal
from frl.distributions.tanh_normal import TanhNormal


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p ‖ q) = E_p[log p(x) − log q(x)], in nats, for two of the same class and shape.

    Args: p, q: both Categorical, OneHotCategorical, Normal or TanhNormal; two TanhNormal must have the same bounds.
    Returns: [*B], the batch shape of `p`; at least 0, and inf where `q` excludes what `p` does not.
    Raises: TypeError if there is no closed form for the classes, ValueError if the shapes differ.
    Source: Kullback & Leibler (1951); bijections, tanh among them, leave it as it is.

    >>> import torch
    >>> kl_divergence(Normal(torch.ones(2), torch.ones(2)), Normal(torch.zeros(2), torch.ones(2))).tolist()
    [0.5, 0.5]
    """
    if isinstance(p, Normal) and isinstance(q, Normal):
        return _normal(p, q)
    if isinstance(p, TanhNormal) and isinstance(q, TanhNormal):
        return _normal(p, q).sum(-1)
    if isinstance(p, Choice) and isinstance(q, Choice) and type(p) is type(q):
        check.same_shape("kl_divergence", {"q.logits": q.logits, "p.logits": p.logits})
        return divergence(p.logits, q.logits)
    raise TypeError(
        f"kl_divergence: no closed form for p {type(p).__name__} and q {type(q).__name__}; pass two Categorical, "
        "OneHotCategorical, Normal or TanhNormal, or average p.log_prob(x) - q.log_prob(x) over samples of p."
    )


def _normal(p: Normal | TanhNormal, q: Normal | TanhNormal) -> Tensor:
    check.same_shape("kl_divergence", {"q.loc": q.loc, "p.loc": p.loc})
    ratio = p.scale / q.scale
    return 0.5 * (ratio.square() + ((p.loc - q.loc) / q.scale).square() - 1) - ratio.log()
