"""Populations: many trainings as one state with a leading axis, over seeds, hyperparameters or both."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from frl import check, control, tree
from frl.algorithms.ranges import require_ranges
from frl.tensordict import TensorDict
from frl.training.loop import Loop

T = TypeVar("T")


def population(loop: Loop, n: int, chunk: int | None = None) -> Loop:
    """`n` trainings at once: the same two functions over states that have one more, leading, axis.

    `init` takes keys [n, 2]. Compiled, the members are one vmapped program, which `frl.compile(loop.step, shards=2)`
    runs on two cores, half of the members on each; in eager mode they take turns, so that each is bitwise the run of
    its key alone. In either, member i draws the same random integers as that run.

    Args: chunk: compiled, so many members go together and the chunks take turns, within the one program: a step then
        needs memory for what one chunk collects, and computes in what fits into the processor's caches. It must divide
        `n`, and the members of a shard if these are more. For loops without replay, whose states are copied from chunk
        to chunk.
    Raises: ValueError if a number is out of range, or, when called, if the keys are not one for each member.
    """
    size = n if chunk is None else chunk
    check.at_least("population", {"n": n, "chunk": size}, 1)
    if n % size:
        raise ValueError(f"population: chunk is {chunk}, which does not divide the {n} members; choose a divisor.")

    def init(keys: Tensor) -> TensorDict:
        if keys.shape != (n, 2):
            raise ValueError(
                f"population: keys have shape {list(keys.shape)}, expected {[n, 2]}; use random.split(key, {n})."
            )
        return control.members(loop.init)(keys)

    return Loop(init, _in_chunks(control.members(loop.step), size))


def _in_chunks(f: Callable[[T], Any], size: int) -> Callable[[T], Any]:
    def every(states: T) -> Any:
        members = len(tree.leaves(states)[0])
        if members <= size or not control.being_traced():
            return f(states)
        if members % size:
            raise ValueError(f"population: chunk is {size}, which does not divide the {members} members of a shard.")
        parts = tree.map(lambda x: x.unflatten(0, (-1, size)), states)
        _, results = control.scan(lambda nothing, part: (nothing, f(part)), (), parts)
        return tree.map(lambda x: x.flatten(0, 1), results)

    return every


def member(states: TensorDict, index: int) -> TensorDict:
    """The state of one member, a training of its own: to go on with alone, to evaluate, to save.

    Raises: IndexError if there is no such member.

    >>> member(TensorDict({"step": torch.tensor([3, 5])}), 1)["step"]
    tensor(5)
    """
    count = size_of("member", states)
    if not -count <= index < count:
        raise IndexError(f"member: index is {index} but the population has {count} members, 0 to {count - 1}.")
    return tree.map(lambda x: x[index].clone(), states)


def assemble(states: Sequence[TensorDict]) -> TensorDict:
    """The population of these trainings, one state for each member: what `member` takes apart.

    So its members may differ in all that a loop's `init` makes of its settings: in the temperature at which SAC begins,
    say, which is no leaf of `train["hyper"]`.

    Raises: ValueError without a state, or, naming the leaf, if the states differ in structure, shape or dtype.

    >>> assemble([TensorDict({"step": torch.tensor(3)}), TensorDict({"step": torch.tensor(5)})])["step"]
    tensor([3, 5])
    """
    states = list(states)
    if not states:
        raise ValueError("assemble: there is no state; pass one for each member, at least one.")
    first = dict(tree.named_leaves(states[0]))
    for i, state in enumerate(states):
        leaves = dict(tree.named_leaves(state))
        for name in (*first, *leaves):
            mine, theirs = _form(leaves.get(name)), _form(first.get(name))
            if mine != theirs:
                raise ValueError(
                    f"assemble: {name} is {mine} in member {i} but {theirs} in member 0; members are one program: make "
                    "all with the same networks and sizes."
                )
    return tree.stack(states)


def _form(x: Tensor | None) -> str:
    return "missing" if x is None else f"{str(x.dtype).removeprefix('torch.')} {list(x.shape)}"


def size_of(function: str, states: TensorDict) -> int:
    """How many members a population has. Raises: ValueError, which names `function`, if leaves disagree about it."""
    sizes = {name: x.shape[0] if x.ndim else None for name, x in tree.named_leaves(states)}
    if len(set(sizes.values())) != 1 or None in sizes.values():
        raise ValueError(
            f"{function}: the leading axes of the leaves differ: {sizes}; pass the states of a population, each leaf "
            "[n, ...]."
        )
    return next(iter(sizes.values()))  # type: ignore[return-value]


def vary(states: TensorDict, values: Mapping[str, Tensor | Sequence[float]]) -> TensorDict:
    """The states of a population in which member i has the hyperparameters `values[name][i]`.

    What may vary are the leaves of `train["hyper"]`; sizes and counts (minibatches, network widths) are the same in
    all members, because these are one program. What only begins a training is in its state: see `assemble`.

    Raises: KeyError for what is no such leaf; ValueError unless there is one value for each member, in the range of
        its name.

    >>> states = TensorDict({"train": {"hyper": {"gamma": torch.full((2,), 0.99)}}})
    >>> vary(states, {"gamma": [0.9, 0.95]})["train", "hyper", "gamma"]
    tensor([0.9000, 0.9500])
    """
    count = size_of("vary", states)
    hyper = states["train", "hyper"]
    changed: dict[str, Tensor] = {}
    require_leaves("vary", hyper, values)
    for name, value in values.items():
        given = torch.as_tensor(value, dtype=hyper[name].dtype, device=hyper[name].device)
        if given.shape != (count,):
            raise ValueError(
                f"vary: {name!r} has shape {list(given.shape)}, expected {[count]}; give one value for each member."
            )
        for number in given.tolist() if check.values_readable() else ():
            require_ranges("vary", {name: number})
        changed[name] = given.clone()
    return states.set(("train", "hyper"), hyper.update(changed))


def require_leaves(function: str, hyper: TensorDict, names: Iterable[str]) -> None:
    """Raises KeyError, which names `function`, unless each of `names` is a hyperparameter in which members can differ.

    >>> require_leaves("vary", TensorDict({"gamma": torch.ones(2)}), ["num_epochs"])
    Traceback (most recent call last):
    KeyError: "vary: there is no hyperparameter 'num_epochs' that can differ between members, only ['gamma']."
    """
    for name in names:
        if name not in hyper:
            raise KeyError(
                f"{function}: there is no hyperparameter {name!r} that can differ between members, only {list(hyper)}."
            )


def grid(values: Mapping[str, Sequence[float]], num_seeds: int = 1) -> tuple[dict[str, Tensor], Tensor]:
    """Every combination of the values, each with every seed, for `vary`: hyperparameters {name: [n]} and seeds [n].

    Members of one combination are neighbours: seeds change fastest, the values of the last name next.

    Raises: ValueError if a name has no value or there is no seed.

    >>> values, seeds = grid({"gamma": [0.9, 0.99]}, num_seeds=3)
    >>> values["gamma"], seeds
    (tensor([0.9000, 0.9000, 0.9000, 0.9900, 0.9900, 0.9900]), tensor([0, 1, 2, 0, 1, 2]))
    """
    check.at_least("grid", {"num_seeds": num_seeds, **{f"values of {name}": len(values[name]) for name in values}}, 1)
    counts = [*(len(value) for value in values.values()), num_seeds]
    *places, seeds = (x.flatten() for x in torch.meshgrid(*map(torch.arange, counts), indexing="ij"))
    found = {name: torch.tensor(list(value)) for name, value in values.items()}
    return {name: found[name][place] for name, place in zip(values, places, strict=True)}, seeds
