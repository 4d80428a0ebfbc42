"""Uniform experience replay (Lin 1992; Mnih et al. 2015): every stored step is drawn equally often."""

from torch import Tensor

from frl.replay import rings
from frl.replay.base import Buffer, labelled
from frl.tensordict import TensorDict


def uniform(capacity: int, batch_size: int) -> Buffer:
    """A buffer of single steps: a sample is rows as they were added, [batch_size], and their "index".

    Steps of several environments lie side by side in the order of time, so that the oldest go first.

    Raises: ValueError if a number is below 1.

    >>> import torch
    >>> from frl import random
    >>> buffer = uniform(capacity=4, batch_size=2)
    >>> state = buffer.init(TensorDict({"reward": torch.zeros(1)}))
    >>> state = buffer.add(state, TensorDict({"reward": torch.arange(6.0).reshape(2, 3, 1)}, [2, 3]))  # 2 × 3 steps
    >>> state["data"]["reward"].flatten().tolist(), state["size"].item()  # of times 0, 1, 2 only the last two
    ([2.0, 5.0, 1.0, 4.0], 4)
    >>> buffer.sample(state, random.key(0)).batch_size
    torch.Size([2])
    """
    shape = rings.rings("uniform", capacity, batch_size)

    def laid(batch: TensorDict) -> TensorDict:
        rings.require_steps("uniform", batch)
        return batch.movedim(-1, 0).reshape(1, -1)

    def read(state: TensorDict, index: Tensor) -> TensorDict:
        return labelled(state["data"][index], {"index": index})

    return rings.buffer("uniform", shape, batch_size, laid, read)
