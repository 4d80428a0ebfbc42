"""The dueling architecture of action values."""

from torch import Tensor, nn


class Dueling(nn.Module):
    """Action values as the value of the state plus the advantage of each action over their mean: V + A − mean A.

    Both heads read the same features. For distributions over atoms, [*B, 1, atoms] and [*B, n, atoms], `dim` is −2.

    Args: value: to [*B, 1]. advantage: to [*B, n]. dim: the axis of actions, counted from the end.
    Source: Wang et al. (2016), "Dueling network architectures for deep reinforcement learning", arXiv:1511.06581,
        equation 9.

    >>> import torch
    >>> from frl.nn import MLP
    >>> heads = Dueling(value=nn.Linear(64, 1), advantage=nn.Linear(64, 2))
    >>> net = nn.Sequential(MLP(4, 64, num_cells=[], activate_last_layer=True), heads)
    >>> net(torch.ones(7, 4)).shape
    torch.Size([7, 2])
    """

    def __init__(self, value: nn.Module, advantage: nn.Module, dim: int = -1):
        super().__init__()
        if dim >= 0:
            raise ValueError(f"Dueling: dim is {dim} but must be counted from the end; pass -1, or -2 before atoms.")
        self.value = value
        self.advantage = advantage
        self.dim = dim

    def forward(self, features: Tensor) -> Tensor:
        """[*B, features] -> action values [*B, n].

        Raises: ValueError if the value head gives more than one value.
        """
        value, advantage = self.value(features), self.advantage(features)
        if value.ndim != advantage.ndim or value.shape[self.dim] != 1:
            raise ValueError(
                f"Dueling: the value head gives {list(value.shape)} and the advantage head {list(advantage.shape)}; "
                f"the value must have size 1 at axis {self.dim}, and the two as many axes."
            )
        return value + advantage - advantage.mean(self.dim, keepdim=True)
