"""Distributional action values: a network gives the distribution of each action's return, its mean chooses."""

from collections.abc import Sequence

from torch import Tensor, nn

from frl import check
from frl.nn.modules import TensorDictModule
from frl.nn.qvalue import QValueModule
from frl.nn.sequential import TensorDictSequential
from frl.specs import Composite, Spec
from frl.tensordict import Key


class DistributionalQValueModule(TensorDictSequential):
    """Reads the logits of returns on fixed atoms, [*B, n, atoms], and writes what a `QValueModule` does of their means.

    The mean return of each action goes to "action_value" [*B, n], and the greedy one to "action" and
    "chosen_action_value" [*B, 1].

    Args: support: the returns that the atoms stand for, [atoms], increasing; a buffer. action_space, spec, var_nums,
        action_mask_key: see `QValueModule`. logits_key: of the logits, which need not be normalised.
    Raises: ValueError unless the support is increasing, of two atoms or more.
    Source: Bellemare et al. (2017), "A distributional perspective on reinforcement learning", arXiv:1707.06887 (C51).

    >>> import torch
    >>> from frl import TensorDict
    >>> module = DistributionalQValueModule(torch.linspace(-10.0, 10.0, 51), action_space="one_hot")
    >>> td = module(TensorDict({"action_value_logits": torch.zeros(7, 2, 51)}, [7]))
    >>> td["action_value"].shape, td["chosen_action_value"].shape
    (torch.Size([7, 2]), torch.Size([7, 1]))
    """

    def __init__(
        self,
        support: Tensor,
        action_space: str | Spec | Composite | None = None,
        *,
        spec: Spec | Composite | None = None,
        var_nums: Sequence[int] | int | None = None,
        action_mask_key: Key | None = None,
        logits_key: Key = "action_value_logits",
    ):
        choice = QValueModule(action_space, spec=spec, var_nums=var_nums, action_mask_key=action_mask_key)
        super().__init__(TensorDictModule(_Mean(support), [logits_key], ["action_value"]), choice)

    @property
    def support(self) -> Tensor:
        """The returns that the atoms stand for, [atoms]."""
        return self.module[0].module.support  # type: ignore[union-attr,return-value]


class QuantileQValueModule(TensorDictSequential):
    """Reads quantiles of the returns, [*B, n, quantiles], and writes what a `QValueModule` does of their means.

    Args: action_space, spec, var_nums, action_mask_key: see `QValueModule`. quantiles_key: of the quantiles.
    Source: Dabney et al. (2018), "Distributional reinforcement learning with quantile regression", arXiv:1710.10044.

    >>> import torch
    >>> from frl import TensorDict
    >>> module = QuantileQValueModule(action_space="categorical")
    >>> td = module(TensorDict({"action_value_quantiles": torch.tensor([[0.0, 4.0], [1.0, 2.0]])}))
    >>> td["action_value"], td["action"]
    (tensor([2.0000, 1.5000]), tensor(0))
    """

    def __init__(
        self,
        action_space: str | Spec | Composite | None = None,
        *,
        spec: Spec | Composite | None = None,
        var_nums: Sequence[int] | int | None = None,
        action_mask_key: Key | None = None,
        quantiles_key: Key = "action_value_quantiles",
    ):
        choice = QValueModule(action_space, spec=spec, var_nums=var_nums, action_mask_key=action_mask_key)
        super().__init__(TensorDictModule(_mean, [quantiles_key], ["action_value"]), choice)


class _Mean(nn.Module):
    """[*B, n, atoms] logits -> [*B, n], the means on the support."""

    support: Tensor

    def __init__(self, support: Tensor):
        super().__init__()
        check.floating("DistributionalQValueModule", {"support": support})
        if support.ndim != 1 or len(support) < 2 or not bool((support.diff() > 0).all()):
            raise ValueError(
                f"DistributionalQValueModule: support has shape {list(support.shape)} but must be increasing returns "
                "[atoms], two or more; pass torch.linspace(low, high, atoms)."
            )
        self.register_buffer("support", support.detach().clone())

    def forward(self, logits: Tensor) -> Tensor:
        if logits.ndim < 2 or logits.shape[-1] != len(self.support):
            raise ValueError(
                f"DistributionalQValueModule: the logits have shape {list(logits.shape)} but must be "
                f"[*B, n, {len(self.support)}], one for each atom; end the network with nn.Unflatten(-1, (n, atoms))."
            )
        return (logits.softmax(-1) * self.support).sum(-1)


def _mean(quantiles: Tensor) -> Tensor:
    if quantiles.ndim < 2:
        raise ValueError(
            f"QuantileQValueModule: the quantiles have shape {list(quantiles.shape)} but must be [*B, n, quantiles]; "
            "end the network with nn.Unflatten(-1, (n, quantiles))."
        )
    return quantiles.mean(-1)
