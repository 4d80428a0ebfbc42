"""Target parameters that follow the trained ones: pure functions from parameters to parameters."""

from typing import NamedTuple

import torch
from torch import Tensor

from frl import check, tree
from frl.tensordict import TensorDict


class SoftUpdate(NamedTuple):
    """Moves each target a little towards what it follows: θ′ ← eps · θ′ + (1 − eps) · θ.

    Give either `eps` or `tau` = 1 − eps. Source: Lillicrap et al. (2016), arXiv:1509.02971, algorithm 1.

    >>> params = TensorDict({"value": {"w": torch.tensor(1.0)}, "target": {"value": {"w": torch.tensor(0.0)}}})
    >>> SoftUpdate(eps=0.75)(params)["target", "value", "w"].item()
    0.25
    """

    eps: float | Tensor | None = None
    tau: float | Tensor | None = None

    def __call__(self, params: TensorDict) -> TensorDict:
        """`params` with a new "target". Its entries are followed by those of `params` under the same names."""
        if (self.eps is None) == (self.tau is None):
            given = "neither" if self.eps is None else "both"
            raise TypeError(f"SoftUpdate: {given} of eps and tau is given; pass one of them: tau is 1 - eps.")
        tau = 1 - self.eps if self.tau is None else self.tau  # type: ignore[operator]
        check.at_least("SoftUpdate", {"tau": tau}, 0)
        check.at_most("SoftUpdate", {"tau": tau}, 1)

        def nearer(new: Tensor, old: Tensor) -> Tensor:
            return (1 - tau) * old + tau * new

        return params.set("target", tree.map(nearer, *_pair(params)))


class HardUpdate(NamedTuple):
    """Sets each target to what it follows, at every `value_network_update_interval`-th update.

    >>> params = TensorDict({"value": {"w": torch.tensor(1.0)}, "target": {"value": {"w": torch.tensor(0.0)}}})
    >>> update = HardUpdate(value_network_update_interval=2)
    >>> [update(params, torch.tensor(count))["target", "value", "w"].item() for count in (1, 2, 3, 4)]
    [0.0, 1.0, 0.0, 1.0]
    """

    value_network_update_interval: int | Tensor = 1000

    def __call__(self, params: TensorDict, count: Tensor) -> TensorDict:
        """`params` with a new "target" if `count`, the updates made so far, a 0-d tensor, is a multiple."""
        check.at_least("HardUpdate", {"value_network_update_interval": self.value_network_update_interval}, 1)
        return params.set("target", tree.where(count % self.value_network_update_interval == 0, *_pair(params)))


def follow(params: TensorDict, count: Tensor, rate: Tensor, period: Tensor) -> TensorDict:
    """`SoftUpdate(tau=rate)` at every `period`-th update, as a compiled training makes it: all numbers are tensors.

    Raises: TypeError if one is not; KeyError if `params` has no "target".

    >>> params = TensorDict({"value": {"w": torch.tensor(1.0)}, "target": {"value": {"w": torch.tensor(0.0)}}})
    >>> follow(params, torch.tensor(2), torch.tensor(0.5), torch.tensor(2.0))["target", "value", "w"].item()
    0.5
    """
    check.tensors("follow", {"count": count, "rate": rate, "period": period})
    due = torch.remainder(count, period) < 1
    return SoftUpdate(tau=torch.where(due, rate, torch.zeros_like(rate)))(params)


def _pair(params: TensorDict) -> tuple[TensorDict, TensorDict]:
    """The followed parameters and the targets."""
    if "target" not in params:
        raise KeyError(
            f"target update: params has no entry 'target', only {list(params)}; make it by loss.init() of a loss with "
            "delay_value=True."
        )
    return params.select(*params["target"]), params["target"]
