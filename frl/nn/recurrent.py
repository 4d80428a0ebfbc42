"""Recurrent modules: their state is an entry of the TensorDict, read at the root and written under "next"."""

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

from frl import check
from frl.nn import rnn
from frl.nn.exploration_type import ExplorationType
from frl.nn.modules import require_keys, title
from frl.nn.printing import describe
from frl.specs import Composite, Unbounded
from frl.tensordict import Key, TensorDict, scalar

M = TypeVar("M", bound=nn.Module)


class RecurrentModule(nn.Module):
    """What `LSTMModule` and `GRUModule` share: `step`, `sequence`, and the state that they carry."""

    in_keys: list[Key]
    out_keys: list[Key]
    draws = False
    whole_sequences = False
    """Whether a call is `sequence`, and not `step`; see `over_time`."""

    def __init__(self, cell: rnn.Cell, network: nn.RNNBase, in_key: Key, out_key: Key, state_keys: list[str]):
        super().__init__()
        self.rnn = rnn.Weights(network)
        self.cell = cell
        self.state_keys = state_keys
        self.in_keys = [in_key, *state_keys, "is_init"]
        self.out_keys = [out_key, *[("next", key) for key in state_keys]]

    @property
    def recurrent_state_spec(self) -> Composite:
        """What is carried from step to step, for one environment; it is to be zero after a reset."""
        like = rnn.layers(self.rnn)[0].weight_hh
        shape = (self.rnn.num_layers, self.rnn.hidden_size)
        return Composite({key: Unbounded(shape, like.device, like.dtype) for key in self.state_keys})

    def forward(
        self, td: TensorDict, key: Tensor | None = None, exploration: ExplorationType | None = None
    ) -> TensorDict:
        """`step(td)` or, of a module that `over_time` made, `sequence(td)`; neither `key` nor `exploration` is used."""
        return self.sequence(td) if self.whole_sequences else self.step(td)

    def step(self, td: TensorDict) -> TensorDict:
        """`td` [*B] with the output of one step [*B, H], and under "next" the new state [*B, L, H]."""
        x, reset, state = self._read(td)
        output, state = rnn.step(self.cell, rnn.layers(self.rnn), x, reset, state)
        return self._write(td, output, state)

    def sequence(self, td: TensorDict) -> TensorDict:
        """`td` [*B, T] with the outputs of T steps [*B, T, H], and under "next" the states after each.

        The state at the root counts at the first step alone. It is that of calls of `step` one after another, each on
        the state that the one before left.
        """
        time = td.batch_dims - 1
        if time < 0:
            raise ValueError(
                f"{title(self)}: a sequence has batch size [*B, T], time last, but td has []; call the module itself "
                "for one step."
            )
        x, reset, state = self._read(td)
        first = tuple([part.select(time, 0) for part in state])
        xs, resets = x.movedim(time, 0), reset.movedim(time, 0)
        output, state = rnn.sequence(self.cell, rnn.layers(self.rnn), xs, resets, first)
        return self._write(td, output.movedim(0, time), tuple([part.movedim(0, time) for part in state]))

    def _read(self, td: TensorDict) -> tuple[Tensor, Tensor, rnn.State]:
        """The input, whether an episode begins, and the state, which is zero where it is missing."""
        require_keys(self, td, [self.in_keys[0], "is_init"])
        x, batch = td[self.in_keys[0]], td.batch_size
        remedy = "build the module with the input_size of its input, and give each step one vector"
        check.shape(title(self), {str(self.in_keys[0]): x}, (*batch, self.rnn.input_size), remedy)
        shape = (*batch, self.rnn.num_layers, self.rnn.hidden_size)
        state = tuple(
            [td[key] if key in td else torch.zeros(shape, dtype=x.dtype, device=x.device) for key in self.state_keys]
        )
        remedy = "take it from the step before, or leave it out for zeros"
        check.shape(title(self), dict(zip(self.state_keys, state, strict=True)), shape, remedy)
        return x, scalar(td, "is_init"), state

    def _write(self, td: TensorDict, output: Tensor, state: rnn.State) -> TensorDict:
        for key, value in zip(self.out_keys, (output, *state), strict=True):
            td = td.set(key, value)
        return td

    def __repr__(self) -> str:
        return describe(self, f"rnn={self.rnn}")


class LSTMModule(RecurrentModule):
    """Long short-term memory: reads a vector and the state (h, c), writes its output and, under "next", the new state.

    A call is one step on [*B]; `over_time(policy)` is the policy that reads whole sequences [*B, T], with the same
    parameters. Where "is_init" [*B, 1] is set, an episode begins and the state is taken for zero. A step of the
    environment takes the state from "next" to the following root; `recurrent_state_spec` says what a reset is to put
    there. It is taken for zero where it is missing.

    Args: input_size, hidden_size, num_layers: as in `torch.nn.LSTM`, whose parameters stand under `rnn` with its names.
        in_key, out_key: of the input [*B, input_size] and the output [*B, hidden_size]. state_key: the state stands
        under this name with "_h" and "_c" behind it, [*B, num_layers, hidden_size]; two modules of one policy need
        different names.
    Raises: ValueError for sizes below 1 and, when called, for an input or a state of another shape.

    >>> lstm = LSTMModule(64, 128)
    >>> td = TensorDict({"embed": torch.zeros(3, 64), "is_init": torch.ones(3, 1, dtype=torch.bool)}, [3])
    >>> lstm(td)["next", "recurrent_state_h"].shape
    torch.Size([3, 1, 128])
    >>> lstm.out_keys
    ['embed', ('next', 'recurrent_state_h'), ('next', 'recurrent_state_c')]
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        in_key: Key = "embed",
        out_key: Key = "embed",
        state_key: str = "recurrent_state",
    ):
        _check_sizes("LSTMModule", input_size, hidden_size, num_layers)
        network = nn.LSTM(input_size, hidden_size, num_layers)
        super().__init__(rnn.LSTM, network, in_key, out_key, [f"{state_key}_h", f"{state_key}_c"])


class GRUModule(RecurrentModule):
    """The gated recurrent unit: as `LSTMModule`, but its state is one tensor, which stands under `state_key` itself.

    >>> gru = GRUModule(64, 128)
    >>> gru.in_keys, gru.out_keys
    (['embed', 'recurrent_state', 'is_init'], ['embed', ('next', 'recurrent_state')])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        in_key: Key = "embed",
        out_key: Key = "embed",
        state_key: str = "recurrent_state",
    ):
        _check_sizes("GRUModule", input_size, hidden_size, num_layers)
        super().__init__(rnn.GRU, nn.GRU(input_size, hidden_size, num_layers), in_key, out_key, [state_key])


def over_time(module: M) -> M:
    """`module` with each recurrent module in it called on whole sequences [*B, T] instead of single steps [*B].

    The two share their parameters, whose names and order stay, so what `functional_call` takes for one it takes for the
    other. A module without recurrent parts is returned as it is. Raises: TypeError for what is no module.

    >>> from frl.nn import TensorDictModule, TensorDictSequential
    >>> policy = TensorDictSequential(GRUModule(3, 8), TensorDictModule(nn.Linear(8, 2), ["embed"], ["action_value"]))
    >>> batch = TensorDict({"embed": torch.ones(4, 50, 3), "is_init": torch.zeros(4, 50, 1, dtype=torch.bool)}, [4, 50])
    >>> over_time(policy)(batch)["action_value"].shape
    torch.Size([4, 50, 2])
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"over_time: module is a {type(module).__name__} but must be an nn.Module; make one first.")
    if not any(isinstance(part, RecurrentModule) for part in module.modules()):
        return module
    same = copy.copy(module)  # shallow: the dictionaries of parameters and buffers are those of `module`
    same._modules = {name: part and over_time(part) for name, part in module._modules.items()}
    if isinstance(same, RecurrentModule):
        same.whole_sequences = True
    return same


def _check_sizes(owner: str, input_size: int, hidden_size: int, num_layers: int) -> None:
    check.at_least(owner, {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}, 1)
