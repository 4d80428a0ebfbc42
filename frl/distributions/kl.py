"""The Kullback–Leibler divergence between two distributions of one kind."""

from functools import reduce

import torch
from torch import Tensor

from frl import check
from frl.distributions.base import Distribution, sum_last
from frl.distributions.categorical import Choice
from frl.distributions.composite import CompositeDistribution
from frl.distributions.independent import Independent
from frl.distributions.logits import divergence
from frl.distributions.multi_categorical import Choices
from frl.distributions.normal import Normal
from frl.distributions.tanh_normal import TanhNormal


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p ‖ q) = E_p[log p(x) − log q(x)], in nats, for two of the same class and shape.

    Args: p, q: both Categorical, OneHotCategorical, one of their masked kin, MultiCategorical, MultiOneHotCategorical,
        Normal, TanhNormal, or Independent or CompositeDistribution of these; two TanhNormal must have the same bounds.
    Returns: [*B], the batch shape of `p`; at least 0, and inf where `q` excludes what `p` does not.
    Raises: TypeError if there is no closed form for the classes, ValueError if the shapes or names differ.
    Source: Kullback & Leibler (1951); bijections, tanh among them, leave it as it is.

    >>> import torch
    >>> kl_divergence(Normal(torch.ones(2), torch.ones(2)), Normal(torch.zeros(2), torch.ones(2))).tolist()
    [0.5, 0.5]
    """
    if isinstance(p, Independent) and isinstance(q, Independent):
        return _independent(p, q)
    if isinstance(p, CompositeDistribution) and isinstance(q, CompositeDistribution):
        return _composite(p, q)
    if isinstance(p, Normal) and isinstance(q, Normal):
        return _normal(p, q)
    if isinstance(p, TanhNormal) and isinstance(q, TanhNormal):
        return _normal(p, q).sum(-1)
    if isinstance(p, Choice) and isinstance(q, Choice) and type(p) is type(q):
        check.same_shape("kl_divergence", {"q.logits": q.logits, "p.logits": p.logits})
        return divergence(p.logits, q.logits)
    if isinstance(p, Choices) and isinstance(q, Choices) and type(p) is type(q):
        return _choices(p, q)
    raise TypeError(
        f"kl_divergence: no closed form for p {type(p).__name__} and q {type(q).__name__}; pass two Categorical, "
        "OneHotCategorical, Normal or TanhNormal, or average p.log_prob(x) - q.log_prob(x) over samples of p."
    )


def _choices(p: Choices, q: Choices) -> Tensor:
    if p.nvec != q.nvec:
        raise ValueError(f"kl_divergence: q.nvec is {q.nvec} but p.nvec is {p.nvec}; pass two of the same choices.")
    check.same_shape("kl_divergence", {"q.logits": q.logits, "p.logits": p.logits})
    return divergence(p.parts, q.parts).sum(-1)


def _independent(p: Independent, q: Independent) -> Tensor:
    if p.event_dims != q.event_dims:
        raise ValueError(
            f"kl_divergence: q.event_dims is {q.event_dims} but p.event_dims is {p.event_dims}; pass two of one kind."
        )
    return sum_last(kl_divergence(p.base, q.base), p.event_dims)


def _composite(p: CompositeDistribution, q: CompositeDistribution) -> Tensor:
    if set(p.names) != set(q.names):
        raise ValueError(
            f"kl_divergence: q has the parts {list(q.names)} but p has {list(p.names)}; pass two with the same names."
        )
    return reduce(torch.add, [kl_divergence(p[name], q[name]) for name in p.names])


def _normal(p: Normal | TanhNormal, q: Normal | TanhNormal) -> Tensor:
    check.same_shape("kl_divergence", {"q.loc": q.loc, "p.loc": p.loc})
    ratio = p.scale / q.scale
    return 0.5 * (ratio.square() + ((p.loc - q.loc) / q.scale).square() - 1) - ratio.log()
