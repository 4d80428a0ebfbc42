"""Rings of rows: where a buffer writes, which rows hold data, and which of them follow one another.

All rings are written at once, as environments are stepped at once, so that they share one cursor: the position that is
written next.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from frl import check, random, tree
from frl.replay.base import Buffer
from frl.tensordict import Key, TensorDict


class Rings(NamedTuple):
    """`num` rings of `length` rows each, one behind the other: row e·length + t is position t of ring e."""

    num: int
    length: int


def rings(function: str, capacity: int, batch_size: int, num_envs: int = 1) -> Rings:
    """As many rings as environments, which divide the capacity evenly among them.

    Raises: ValueError if a number is below 1 or there is less than a row for each environment.

    >>> rings("n_step", 100, 32, num_envs=8)
    Rings(num=8, length=12)
    """
    check.at_least(function, {"capacity": capacity, "batch_size": batch_size, "num_envs": num_envs}, 1)
    if capacity < num_envs:
        raise ValueError(
            f"{function}: capacity is {capacity} for {num_envs} environments; give at least a row for each."
        )
    return Rings(num_envs, capacity // num_envs)


def buffer(
    function: str,
    shape: Rings,
    batch_size: int,
    laid: Callable[[TensorDict], TensorDict],
    read: Callable[[TensorDict, Tensor], TensorDict],
    needed: tuple[Key, ...] = (),
) -> Buffer:
    """The buffer of these rings, without priorities.

    Args: laid: a batch [*B, T] as what goes behind one another into each ring, [num, steps]. read: as of `Buffer`.
        needed: what the example must have.

    >>> def laid(batch):
    ...     return batch.unsqueeze(0)
    >>> def read(state, index):
    ...     return state["data"][index]
    >>> numbers = buffer("numbers", Rings(1, 3), 2, laid, read)
    >>> state = numbers.add(numbers.init(TensorDict({"n": 0})), TensorDict({"n": torch.arange(4)}, [4]))
    >>> numbers.read(state, torch.tensor([0, 1]))["n"].tolist()
    [3, 1]
    """

    def init(example: TensorDict) -> TensorDict:
        return empty(function, shape, example, needed)

    def add(state: TensorDict, batch: TensorDict) -> TensorDict:
        return write(function, shape, state, laid(batch))

    def rows(state: TensorDict, batch: TensorDict) -> Tensor:
        return written(shape, state, batch.numel() // shape.num).reshape(-1)

    def sample(state: TensorDict, key: Tensor) -> TensorDict:
        require_rows(function, state)
        return read(state, draw(shape, state, batch_size, key))

    return Buffer(init, add, sample, _keep, rows, read, shape.num * shape.length, batch_size)


def _keep(state: TensorDict, index: Tensor, priority: Tensor) -> TensorDict:
    """`state` as it is: the `update_priority` of buffers without priorities."""
    del index, priority
    return state


def empty(function: str, shape: Rings, example: TensorDict, needed: tuple[Key, ...] = ()) -> TensorDict:
    """The state of empty rings {"data", "cursor", "size"} for rows like `example`.

    Raises: TypeError or ValueError if the example is not one row; KeyError if it lacks an entry of `needed`.

    >>> empty("uniform", Rings(1, 4), TensorDict({"observation": torch.ones(3)}))["data"]["observation"].shape
    torch.Size([4, 3])
    """
    if not isinstance(example, TensorDict) or example.is_empty():
        given = "has no tensor" if isinstance(example, TensorDict) else f"is a {type(example).__name__}"
        raise TypeError(f"{function}: example {given}; pass one row as a TensorDict, such as batch[0, 0].")
    if example.batch_dims:
        raise ValueError(
            f"{function}: example has batch size {list(example.batch_size)} but must be one row without batch axes; "
            f"pass example[{', '.join('0' * example.batch_dims)}]."
        )
    for key in needed:
        if key not in example:
            raise KeyError(
                f"{function}: example has no entry {key!r}, only {list(example.keys(include_nested=True))}; pass a row "
                "of what collect(...) returns."
            )
    for key in ("index", "_weight", "mask"):
        if key in example:
            raise ValueError(f"{function}: example has an entry {key!r}, which a sample adds; rename or exclude it.")
    rows = shape.num * shape.length
    zero = torch.zeros((), dtype=torch.int64, device=tree.leaves(example)[0].device)
    data = tree.map(lambda x: x.new_zeros((rows, *x.shape)), example)
    return TensorDict({"data": data, "cursor": zero, "size": zero})


def require_length(function: str, shape: Rings, name: str, length: int) -> None:
    """Raises ValueError unless so many steps, at least one, fit into each ring.

    >>> require_length("n_step", Rings(2, 3), "n", 4)
    Traceback (most recent call last):
    ValueError: n_step: n is 4 but each of 2 environments has 3 rows; raise capacity.
    """
    check.at_least(function, {name: length}, 1)
    if length > shape.length:
        raise ValueError(
            f"{function}: {name} is {length} but each of {shape.num} environments has {shape.length} rows; raise "
            "capacity."
        )


def written(shape: Rings, state: TensorDict, steps: int) -> Tensor:
    """The rows [num, min(steps, length)] that the last of `steps` further steps of each ring go to.

    >>> written(Rings(2, 3), TensorDict({"cursor": torch.tensor(2)}), 2).tolist()
    [[2, 0], [5, 3]]
    """
    kept = min(steps, shape.length)
    device = state["cursor"].device
    start = (state["cursor"] + (steps - kept)) % shape.length
    position = _around(start + torch.arange(kept, device=device), shape)
    first = torch.arange(0, shape.num * shape.length, shape.length, device=device)
    return first.unsqueeze(-1) + position.expand(shape.num, kept)


def write(function: str, shape: Rings, state: TensorDict, steps: TensorDict) -> TensorDict:
    """The state with `steps` [num, T] written behind what each ring holds.

    Raises: TypeError, KeyError or ValueError if they do not look like the example.
    """
    _require_alike(function, state["data"], steps)
    count = steps.batch_size[1]
    rows = written(shape, state, count)
    last = steps[:, count - rows.shape[1] :].reshape(-1)
    total = torch.clamp(state["size"] + shape.num * count, max=shape.num * shape.length)
    state = state.set("data", state["data"].at[rows.reshape(-1)].set(last)).set("size", total)
    return state.set("cursor", (state["cursor"] + count) % shape.length)


def draw(shape: Rings, state: TensorDict, batch_size: int, key: Tensor) -> Tensor:
    """Rows [*K, batch_size] drawn uniformly, with replacement, from those that hold data."""
    number = random.randint(0, state["size"].clamp(min=1), batch_size, key)
    if shape.num == 1:
        return number
    filled = (state["size"] // shape.num).clamp(min=1)
    return number // filled * shape.length + number % filled


def follow(shape: Rings, state: TensorDict, index: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """The `length` rows that begin with each of `index` [*I], and how many of them belong to its episode.

    Returns: [*I, length], and [*I] in 1 … length: no more than up to the end of the episode, the end included, and not
    beyond what was written last. The rest of the rows are any.

    >>> end = torch.tensor([False, True, False, False]).unsqueeze(-1)
    >>> data = TensorDict({"next": {"terminated": end, "truncated": ~end & False}}, [4])
    >>> state = TensorDict({"data": data, "cursor": torch.tensor(3)})
    >>> follow(Rings(1, 4), state, torch.tensor([0, 2]), 3)
    (tensor([[0, 1, 2],
            [2, 3, 0]]), tensor([2, 1]))
    """
    position = (index if shape.num == 1 else index % shape.length).unsqueeze(-1)
    steps = torch.arange(length, device=index.device).expand(*index.shape, length)
    rows = index.unsqueeze(-1) - position + _around(position + steps, shape)
    after = state["data"]["next"]
    ended = (after["terminated"][rows] | after["truncated"][rows]).squeeze(-1).to(torch.int64)
    up_to_newest = (state["cursor"] - 1 - position) % shape.length + 1
    belongs = (ended.cumsum(-1) == ended) & (steps < up_to_newest)
    return rows, belongs.sum(-1)


def _around(position: Tensor, shape: Rings) -> Tensor:
    """The position in the ring of one in [0, 2·length): a division costs more than all else that is done for a row."""
    return torch.where(position < shape.length, position, position - shape.length)


def streams(function: str, shape: Rings, batch: TensorDict) -> TensorDict:
    """`batch` [*B, T] as [num, T], one row of steps for each environment.

    Raises: TypeError or ValueError if it is no TensorDict, has no time axis, or comes of other environments.
    """
    require_steps(function, batch)
    num = batch.batch_size[:-1].numel()
    if num != shape.num:
        raise ValueError(
            f"{function}: the batch {list(batch.batch_size)} has {num} environments but the buffer was made for "
            f"{shape.num}; make it with num_envs={num}."
        )
    return batch.reshape(num, batch.batch_size[-1])


def require_steps(function: str, batch: Any) -> None:
    """Raises TypeError or ValueError unless `batch` is a TensorDict with a time axis of at least one step.

    >>> require_steps("uniform", TensorDict({"a": 1.0}))
    Traceback (most recent call last):
    ValueError: uniform: the batch has batch size [] but must have [*B, T] with at least one step; unsqueeze one row.
    """
    if not isinstance(batch, TensorDict):
        raise TypeError(f"{function}: the batch is a {type(batch).__name__}; add a TensorDict, as collect returns.")
    if batch.batch_dims == 0 or batch.numel() == 0:
        raise ValueError(
            f"{function}: the batch has batch size {list(batch.batch_size)} but must have [*B, T] with at least one "
            "step; unsqueeze one row."
        )


def require_rows(function: str, state: TensorDict) -> None:
    """Raises ValueError if no row holds data; vanishes where values cannot be read."""
    if check.values_readable() and int(state["size"].min()) == 0:
        raise ValueError(f"{function}: the buffer is empty, so there is nothing to sample; add a batch first.")


def _require_alike(function: str, data: TensorDict, steps: TensorDict) -> None:
    old = dict(data.items(include_nested=True, leaves_only=True))
    new = dict(steps.items(include_nested=True, leaves_only=True))
    if old.keys() != new.keys():
        missing, extra = list(old.keys() - new.keys()), list(new.keys() - old.keys())
        raise KeyError(
            f"{function}: the batch lacks {missing} and has {extra} beyond what the buffer was made for; select the "
            "entries of the example."
        )
    for key, x in new.items():
        y = old[key]
        if x.dtype != y.dtype or x.shape[2:] != y.shape[1:]:
            raise ValueError(
                f"{function}: {key!r} of the batch is {x.dtype} {list(x.shape[2:])} for each step but the buffer "
                f"holds {y.dtype} {list(y.shape[1:])}; make it with a row of this batch as the example."
            )
