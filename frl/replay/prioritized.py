"""Prioritised experience replay (Schaul et al. 2016, arXiv:1511.05952), over any buffer."""

import torch
from torch import Tensor

from frl import check, random
from frl.replay import rings, sum_tree
from frl.replay.base import Buffer, labelled
from frl.tensordict import TensorDict


def prioritized(buffer: Buffer, alpha: float = 0.6, beta: float = 0.4, eps: float = 1e-8) -> Buffer:
    """`buffer` with rows drawn in proportion to their priority: P(i) = pᵢ / Σⱼ pⱼ, where pᵢ = (priorityᵢ + eps)^alpha.

    The draws of a sample are independent, not stratified. A sample has an importance "_weight", float32 of the batch
    size, (pᵢ / minⱼ pⱼ)^−beta: in (0, 1], and 1 for the rows drawn least often. New rows get the largest priority that
    was ever given, or 1 before any was.

    The state has further entries: "tree", the sum tree, whose "sum" begins with p; "max_priority", 0 at first; and
    "beta", a 0-d tensor, for a schedule to change: `state.set("beta", …)`.

    Args: buffer: `uniform(…)`, `n_step(…)`, `sequence(…)`. alpha, beta: at least 0; 0 draws uniformly, or does not
        correct for it. eps: above 0, so that no row is lost.
    Raises: ValueError for a number out of range; by `update_priority` for shapes that differ and, where values can be
        read, for a priority that is negative or not finite or an index outside the buffer.

    >>> from frl.replay.uniform import uniform
    >>> buffer = prioritized(uniform(capacity=3, batch_size=4), alpha=1.0, beta=1.0)
    >>> state = buffer.init(TensorDict({"reward": 0.0}))
    >>> state = buffer.add(state, TensorDict({"reward": torch.arange(3.0)}, [3]))
    >>> state = buffer.update_priority(state, torch.tensor([0, 1]), torch.tensor([0.0, 4.0]))
    >>> td = buffer.sample(state, random.key(0))
    >>> [0.0, 1.0, 4.0] == sorted(state["tree", "sum"][:3].round(decimals=6).tolist()), td["_weight"].shape
    (True, torch.Size([4]))
    """
    if not isinstance(buffer, Buffer):
        raise TypeError(
            f"prioritized: buffer is a {type(buffer).__name__}; pass a pure buffer, such as uniform(10_000, 256)."
        )
    check.at_least("prioritized", {"alpha": alpha, "beta": beta}, 0)
    check.above("prioritized", {"eps": eps}, 0)
    capacity = buffer.capacity

    def init(example: TensorDict) -> TensorDict:
        state = buffer.init(example)
        device = state["cursor"].device
        state = state.set("tree", sum_tree.empty(capacity, device)).set("beta", torch.tensor(beta, device=device))
        return state.set("max_priority", torch.zeros((), dtype=torch.float64, device=device))

    def add(state: TensorDict, batch: TensorDict) -> TensorDict:
        after = buffer.add(state, batch)
        rows, largest = buffer.rows(state, batch), state["max_priority"]
        value = (torch.where(largest > 0, largest, 1) + eps) ** alpha
        return after.set("tree", sum_tree.put(state["tree"], capacity, rows, value.expand(rows.shape)))

    def sample(state: TensorDict, key: Tensor) -> TensorDict:
        rings.require_rows("prioritized", state)
        tree = state["tree"]
        index = sum_tree.find(tree, capacity, random.uniform(buffer.batch_size, key, dtype=torch.float64))
        weight = (tree["sum"][index] / sum_tree.least(tree, capacity)) ** -state["beta"]
        return labelled(buffer.read(state, index), {"_weight": weight.to(torch.float32)})

    def update_priority(state: TensorDict, index: Tensor, priority: Tensor) -> TensorDict:
        require_priorities("update_priority", index, priority, capacity)
        priority = priority.detach().to(torch.float64).reshape(-1)
        tree = sum_tree.update(state["tree"], capacity, index.reshape(-1), (priority + eps) ** alpha)
        largest = torch.maximum(state["max_priority"], priority.amax())
        return state.set("tree", tree).set("max_priority", largest)

    return buffer._replace(init=init, add=add, sample=sample, update_priority=update_priority)


def require_priorities(function: str, index: Tensor, priority: Tensor, size: int) -> None:
    """Raises ValueError unless there is one finite priority of at least 0 for each index below `size`.

    >>> require_priorities("update_priority", torch.tensor([0]), torch.tensor([-1.0]), 3)
    Traceback (most recent call last):
    ValueError: update_priority: a priority is -1.0 but must be finite and at least 0; pass td_error.abs().
    """
    check.same_shape(function, {"priority": priority, "index": index}, "pass one priority for each index")
    if index.numel() == 0:
        raise ValueError(f"{function}: index has shape {list(index.shape)}, so nothing is updated; pass at least one.")
    if not check.values_readable():
        return
    fits = (priority >= 0) & priority.isfinite()
    if not bool(fits.all()):
        raise ValueError(
            f"{function}: a priority is {priority[~fits][0].item()} but must be finite and at least 0; pass "
            "td_error.abs()."
        )
    if not bool(((index >= 0) & (index < size)).all()):
        raise ValueError(
            f"{function}: index lies in [{index.min().item()}, {index.max().item()}] but the rows are 0 to {size - 1}; "
            'pass the "index" of a sample.'
        )
