"""What every pure buffer is: pure functions over one state."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor

from frl.tensordict import TensorDict


class Buffer(NamedTuple):
    """A replay buffer for compiled loops. Its state is one TensorDict {"data" [capacity, ...], "cursor", "size", …}.

    "size" counts the rows that hold data. A pure `add` copies the storage in eager mode; inside
    `frl.compile(step, donate=True)` it writes into it, in a time that does not depend on the capacity. Roll out, add
    once, then sample: a state that is the carry of a `scan` would be copied in every step of it.

    init: `init(example) -> state`, where `example` is one row without batch axes, read for its shapes and dtypes alone.
    add: `add(state, batch) -> state`, `batch` [*B, T] as `collect` makes it, with the entries of the example. Once the
        buffer is full, the oldest rows are written over.
    sample: `sample(state, key) -> batch` [*K, batch_size] for a key [*K, 2]: rows drawn with replacement, their "index"
        and, of a prioritised buffer, the "_weight" of each. Of an empty buffer it raises ValueError; where values
        cannot be read (compiled, vmapped) it returns a row of zeros: see to it that "size" is positive.
    update_priority: `update_priority(state, index, priority) -> state` for the "index" of a sample and priorities of
        the same shape, at least 0; of several for one row the largest counts. Without priorities, `state` as it is.
    rows: `rows(state, batch) -> index` [M] of the rows that `add` would write.
    read: `read(state, index) -> batch`: what `sample` returns for these rows.
    capacity, batch_size: the number of rows kept, and of rows in a sample.
    """

    init: Callable[[TensorDict], TensorDict]
    add: Callable[[TensorDict, TensorDict], TensorDict]
    sample: Callable[[TensorDict, Tensor], TensorDict]
    update_priority: Callable[[TensorDict, Tensor, Tensor], TensorDict]
    rows: Callable[[TensorDict, TensorDict], Tensor]
    read: Callable[[TensorDict, Tensor], TensorDict]
    capacity: int
    batch_size: int


def labelled(batch: TensorDict, labels: Mapping[str, Tensor]) -> TensorDict:
    """`batch` [*I, ...] with further entries [*I], each repeated over the batch axes that it lacks.

    >>> import torch
    >>> labelled(TensorDict({"a": torch.zeros(2, 3)}, [2, 3]), {"index": torch.tensor([5, 7])})["index"].tolist()
    [[5, 5, 5], [7, 7, 7]]
    """
    rank, data = batch.batch_dims, dict(batch._data)
    events = dict(zip(data, batch._events, strict=True))
    for name, value in labels.items():
        if value.ndim < rank:
            value = value.reshape(value.shape + (1,) * (rank - value.ndim)).expand(batch.batch_size)
        data[name], events[name] = value, 0
    names = sorted(data)
    return TensorDict._make({name: data[name] for name in names}, tuple([events[name] for name in names]), None, None)
