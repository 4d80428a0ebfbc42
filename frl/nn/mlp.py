"""The multi-layer perceptron."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class MLP(nn.Sequential):
    """Linear layers of `num_cells` units with an activation after each, and a linear layer to the output.

    Several inputs are joined along their last axis: [*B, n1], [*B, n2], ... -> [*B, out_features].

    Args: in_features: size of the input, or None to take it from the first one. num_cells: units of each hidden layer,
        by default three layers of 32; a number stands for one layer. activation_class: makes an activation, as
        `nn.Tanh` does. activate_last_layer: an activation after the output as well. device: of the parameters.

    >>> MLP(3, 1, num_cells=[32, 64])
    MLP(
      (0): Linear(in_features=3, out_features=32, bias=True)
      (1): Tanh()
      (2): Linear(in_features=32, out_features=64, bias=True)
      (3): Tanh()
      (4): Linear(in_features=64, out_features=1, bias=True)
    )
    """

    def __init__(
        self,
        in_features: int | None = None,
        out_features: int | None = None,
        num_cells: Sequence[int] | int = (32, 32, 32),
        activation_class: type[nn.Module] = nn.Tanh,
        activate_last_layer: bool = False,
        device: torch.device | str | None = None,
    ):
        if out_features is None:
            raise TypeError("MLP: out_features is missing; write MLP(out_features=4), or MLP(3, 4) for 3 inputs.")
        hidden = [num_cells] if isinstance(num_cells, int) else list(num_cells)
        layers: list[nn.Module] = []
        for size, units in zip([in_features, *hidden], [*hidden, out_features], strict=True):
            layers.append(
                nn.LazyLinear(units, device=device) if size is None else nn.Linear(size, units, device=device)
            )
            layers.append(activation_class())
        super().__init__(*(layers if activate_last_layer else layers[:-1]))

    def forward(self, *inputs: Tensor) -> Tensor:  # type: ignore[override]
        """[*B, n] for one input, or several that are joined along their last axis -> [*B, out_features].

        Raises: ValueError if their sizes do not add up to `in_features`.
        """
        x = inputs[0] if len(inputs) == 1 else torch.cat(inputs, -1)
        first = self[0]
        if not isinstance(first, nn.LazyLinear) and x.shape[-1] != first.in_features:  # type: ignore[union-attr]
            shapes = ", ".join(str(list(each.shape)) for each in inputs)
            raise ValueError(
                f"MLP: the inputs have shape {shapes}, but their last axes must add up to {first.in_features}; build "
                f"the network with in_features={x.shape[-1]}, or pass other entries."
            )
        return super().forward(x)
