"""Recurrent networks as plain tensor operations: one step, and a whole sequence with resets on its way.

`torch.nn.LSTM` and `torch.nn.GRU` hold the weights but have no vmap rule, and cannot begin afresh within a sequence.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from frl import adjoint, random

State = tuple[Tensor, ...]
"""What a cell carries from step to step: (h, c) of an LSTM, (h,) of a GRU, each [*B, L, H] for L layers."""


class Layer(NamedTuple):
    """The weights of one layer, named as torch does: G gates of H units over I inputs; a bias may be None."""

    weight_ih: Tensor  # [G·H, I]
    weight_hh: Tensor  # [G·H, H]
    bias_ih: Tensor | None  # [G·H]
    bias_hh: Tensor | None  # [G·H]


Hidden = tuple[Tensor, Tensor | None]
"""What of a layer is read in each step: weight_hh and bias_hh."""


class Cell(NamedTuple):
    """A kind of recurrent layer.

    project: `project(layer, x) -> gates` of the inputs alone, [*, I] -> [*, G·H]; a sequence does it at once.
    update: `update(hidden, gates, state) -> state` of one step, where hidden is the layer's weight_hh and bias_hh, and
        each part of the state is [*B, H], the first the output.
    """

    project: Callable[[Layer, Tensor], Tensor]
    update: Callable[[Hidden, Tensor, State], State]


def _project_lstm(layer: Layer, x: Tensor) -> Tensor:
    gates = linear(x, layer.weight_ih, layer.bias_ih)
    return gates if layer.bias_hh is None else gates + layer.bias_hh


def _update_lstm(hidden: Hidden, gates: Tensor, state: State) -> State:
    h, c = state
    i, f, g, o = (gates + linear(h, hidden[0])).chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def _project_gru(layer: Layer, x: Tensor) -> Tensor:
    return linear(x, layer.weight_ih, layer.bias_ih)


def _update_gru(hidden: Hidden, gates: Tensor, state: State) -> State:
    (h,) = state
    r_x, z_x, n_x = gates.chunk(3, -1)
    r_h, z_h, n_h = linear(h, *hidden).chunk(3, -1)
    n = (n_x + (r_x + r_h).sigmoid() * n_h).tanh()
    return (n + (z_x + z_h).sigmoid() * (h - n),)


LSTM = Cell(_project_lstm, _update_lstm)
"""Long short-term memory, Hochreiter and Schmidhuber (1997), in the form of `torch.nn.LSTM`."""

GRU = Cell(_project_gru, _update_gru)
"""The gated recurrent unit, Cho et al. (2014), arXiv:1406.1078, in the form of `torch.nn.GRU`."""


class Weights(nn.Module):
    """The parameters of an `nn.LSTM` or `nn.GRU`, under its names, in a module of no other behaviour.

    A module that contains torch's own cannot be compiled by `torch.compile`.

    Args: network: whose parameters these are.

    >>> Weights(nn.GRU(3, 5))
    Weights(GRU(3, 5))
    """

    def __init__(self, network: nn.RNNBase):
        super().__init__()
        self.input_size, self.hidden_size, self.num_layers = network.input_size, network.hidden_size, network.num_layers
        self.title = repr(network)
        for name, parameter in network.named_parameters():
            self.register_parameter(name, parameter)

    def initial_parameters(self, key: Tensor) -> dict[str, Tensor]:
        """Parameters drawn from `key` as torch's constructor draws them, uniform within ±1/√hidden_size."""
        bound = 1 / math.sqrt(self.hidden_size)
        own = dict(self.named_parameters())
        return {
            name: random.uniform(value.shape, k, low=-bound, high=bound, dtype=value.dtype)
            for (name, value), k in zip(own.items(), random.split(key, len(own)), strict=True)
        }

    def extra_repr(self) -> str:
        """The kind and the sizes, for the printed form."""
        return self.title


def layers(network: nn.RNNBase | Weights) -> list[Layer]:
    """The weights of an `nn.LSTM` or `nn.GRU`, or of the `Weights` of one, layer by layer.

    >>> [tuple(layer.weight_ih.shape) for layer in layers(nn.GRU(3, 5, num_layers=2))]
    [(15, 3), (15, 5)]
    """

    def weight(name: str) -> Tensor | None:
        return cast(Tensor | None, getattr(network, name, None))

    return [
        Layer(*[weight(f"{name}_l{i}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")])  # type: ignore[arg-type]
        for i in range(network.num_layers)
    ]


def step(cell: Cell, layers: list[Layer], x: Tensor, reset: Tensor, state: State) -> tuple[Tensor, State]:
    """One step of all layers.

    Args: x: [*B, I]. reset: [*B] boolean, where the state is taken for zero. state: each part [*B, L, H].
    Returns: the output [*B, H] of the last layer and the new state.

    >>> network = nn.LSTM(3, 5)
    >>> zero = torch.zeros(2, 1, 5)
    >>> output, state = step(LSTM, layers(network), torch.ones(2, 3), torch.zeros(2, dtype=torch.bool), (zero, zero))
    >>> output.shape, torch.equal(output, state[0][:, 0])
    (torch.Size([2, 5]), True)
    """
    state = _restarted(reset.unsqueeze(-1).unsqueeze(-1), state)
    after: list[State] = []
    for i, layer in enumerate(layers):
        before = tuple([part[..., i, :] for part in state])
        after.append(cell.update((layer.weight_hh, layer.bias_hh), cell.project(layer, x), before))
        x = after[-1][0]
    return x, tuple([torch.stack(parts, -2) for parts in zip(*after, strict=True)])


def sequence(cell: Cell, layers: list[Layer], x: Tensor, reset: Tensor, state: State) -> tuple[Tensor, State]:
    """`step` for every step of a sequence, each from the state that the one before it left.

    Args: x: [T, *B, I]. reset: [T, *B] boolean, where the state is taken for zero before the step. state: before the
        first step, each part [*B, L, H].
    Returns: the outputs [T, *B, H] of the last layer, and the states after every step, each part [T, *B, L, H].

    >>> network, xs, never = nn.GRU(3, 5), torch.ones(7, 2, 3), torch.zeros(7, 2, dtype=torch.bool)
    >>> outputs, states = sequence(GRU, layers(network), xs, never, (torch.zeros(2, 1, 5),))
    >>> torch.allclose(outputs, network(xs)[0], atol=1e-6), states[0].shape
    (True, torch.Size([7, 2, 1, 5]))
    """
    after: list[State] = []

    def body(hidden: Hidden, before: State, now: tuple[Tensor, Tensor]) -> tuple[State, State]:
        gates, reset = now
        state = cell.update(hidden, gates, _restarted(reset, before))
        return state, state

    for i, layer in enumerate(layers):
        first = tuple([part[..., i, :] for part in state])
        inputs = cell.project(layer, x), reset.unsqueeze(-1)
        after.append(adjoint.scan(body, (layer.weight_hh, layer.bias_hh), first, inputs)[1])
        x = after[-1][0]
    return x, tuple([torch.stack(parts, -2) for parts in zip(*after, strict=True)])


def _restarted(reset: Tensor, state: State) -> State:
    return tuple([torch.where(reset, 0.0, part) for part in state])
