"""What every algorithm is: three pure functions over one state."""

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor

from frl.tensordict import TensorDict


class Algorithm(NamedTuple):
    """A learning algorithm. Its state, `train`, is a TensorDict {"params", "opt", "hyper"}.

    init: `init(key) -> train`.
    act: `act(train, td, key=None, explore=True) -> td`, which reads the observation of `td` [*B] and writes "action"
        and whatever `update` needs of this moment; `explore=False` is the greedy policy and needs no key.
    update: `update(train, batch, key) -> (train, metrics)`, `batch` [*B, T] as `collect` makes it, `metrics` a
        TensorDict of 0-d tensors.
    """

    init: Callable[[Tensor], TensorDict]
    act: Callable[..., TensorDict]
    update: Callable[[TensorDict, TensorDict, Tensor], tuple[TensorDict, TensorDict]]


Loss = Callable[[Any, TensorDict], tuple[Tensor, TensorDict]]
