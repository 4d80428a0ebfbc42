"""The part of a recurrent network that all of them share: from the observations to what is remembered of them."""

from collections.abc import Sequence

from torch import nn

from frl.algorithms.networks import flattening, observed
from frl.nn import MLP, GRUModule, TensorDictModule
from frl.specs import Composite


def memory(
    function: str,
    observation_spec: Composite,
    hidden_size: int,
    num_cells: Sequence[int],
    activation_class: type[nn.Module],
    names: tuple[str, str] = ("embed", "recurrent_state"),
) -> list[nn.Module]:
    """A perceptron over the concatenated observations and a gated recurrent unit, to be called one after the other.

    Args: function: who asks, for the messages of errors. names: the entries of the output and of the state.
    Raises: TypeError if the observation spec is no Composite; ValueError for sizes below 1.

    >>> import torch
    >>> from frl.specs import Unbounded
    >>> with torch.random.fork_rng():
    ...     _, unit = memory("q", Composite({"observation": Unbounded(3)}), 16, (8,), nn.Tanh)
    >>> unit.out_keys
    ['embed', ('next', 'recurrent_state')]
    """
    keys, size = observed(function, observation_spec)
    if not num_cells:
        raise ValueError(f"{function}: num_cells is empty; give at least one layer, as (64,).")
    *cells, last = num_cells
    embed, state = names
    before = MLP(size, last, num_cells=cells, activation_class=activation_class, activate_last_layer=True)
    unit = GRUModule(last, hidden_size, in_key=embed, out_key=embed, state_key=state)
    return [TensorDictModule(flattening(observation_spec, before), keys, [embed]), unit]
