"""From the output of a network to the parameters of a normal distribution."""

import math
from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

from frl import check


def biased_softplus(x: Tensor, bias: float = 1.0, min_val: float = 0.01) -> Tensor:
    """softplus(x + c) + `min_val`, with c such that 0 maps to `bias`; always above `min_val`.

    With tensordict's constants. Raises: ValueError if `bias` is not above `min_val`.

    >>> import torch
    >>> biased_softplus(torch.tensor([-100.0, 0.0, 100.0]))
    tensor([1.0000e-02, 1.0000e+00, 1.0054e+02])
    """
    check.above("biased_softplus", {"bias": bias}, min_val)
    return functional.softplus(x + math.log(math.expm1(bias - min_val))) + min_val


class NormalParamExtractor(nn.Module):
    """Splits [*B, 2A] into loc [*B, A], its first half, and scale [*B, A], made positive from its second half.

    Args: scale_mapping: from any number to a positive one; by default `biased_softplus`, which gives 1 at 0.
        scale_lb: lower bound of the scale.
    Raises: ValueError for a negative bound, or, when called, if the last axis has an odd size.

    >>> import torch
    >>> NormalParamExtractor()(torch.tensor([3.0, 0.0]))
    (tensor([3.]), tensor([1.]))
    """

    def __init__(self, scale_mapping: Callable[[Tensor], Tensor] = biased_softplus, scale_lb: float = 1e-4):
        super().__init__()
        check.at_least("NormalParamExtractor", {"scale_lb": scale_lb}, 0)
        self.scale_mapping = scale_mapping
        self.scale_lb = scale_lb

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """[*B, 2A] -> loc [*B, A], scale [*B, A]."""
        if x.shape[-1] % 2:
            raise ValueError(
                f"NormalParamExtractor: the input has shape {list(x.shape)}; its last axis must be even, half of it "
                f"for loc and half for scale. Give the network twice as many outputs as there are actions."
            )
        loc, scale = x.chunk(2, dim=-1)
        return loc, self.scale_mapping(scale).clamp_min(self.scale_lb)


class NormalParamWrapper(nn.Sequential):
    """`net` followed by a `NormalParamExtractor`: [*B, n] -> loc [*B, A], scale [*B, A].

    Raises: TypeError if `net` is no module; ValueError, when called, if its outputs are odd in number.

    >>> import torch
    >>> loc, scale = NormalParamWrapper(nn.Linear(5, 4))(torch.zeros(3, 5))
    >>> loc.shape, scale.shape
    (torch.Size([3, 2]), torch.Size([3, 2]))
    """

    def __init__(self, net: nn.Module):
        if not isinstance(net, nn.Module):
            raise TypeError(
                f"NormalParamWrapper: net is a {type(net).__name__} but must be an nn.Module; make one first."
            )
        super().__init__(net, NormalParamExtractor())
