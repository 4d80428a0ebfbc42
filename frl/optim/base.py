"""What an optimizer is: two pure functions over trees of tensors, and how they compose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, NamedTuple

import torch
from torch import Tensor

from frl import check, tree

Tree = Any  # a pytree of tensors: a TensorDict, a dict, one flat vector
State = Mapping[str, Any]  # a pytree of tensors under names, fit to be an entry of a TensorDict
Schedule = Callable[[Tensor], Tensor]
Rate = float | Tensor | Schedule


class Optimizer(NamedTuple):
    """A gradient transformation: `init` makes the state, `update` turns gradients into updates of the parameters.

    Everything that changes from step to step is a tensor in the state, so one compiled step serves the whole training,
    and `torch.vmap` over states, gradients and parameters trains a population. `update` is differentiable in all its
    arguments and in the hyperparameters that were given as tensors, which is what meta-learning needs.

    >>> optimizer = Optimizer(lambda params: {}, lambda grads, state, params: (tree.map(torch.neg, grads), state))
    >>> params = {"w": torch.tensor(3.0)}
    >>> step(optimizer, {"w": torch.tensor(1.0)}, optimizer.init(params), params)
    ({'w': tensor(2.)}, {})
    """

    init: Callable[[Tree], State]
    update: Callable[[Tree, Any, Tree], tuple[Tree, State]]


def apply_updates(params: Tree, updates: Tree) -> Tree:
    """The parameters after one step: `params + updates`, leaf by leaf.

    Raises: ValueError that names the path at which structures, shapes or dtypes differ.

    >>> apply_updates({"w": torch.tensor(1.0)}, {"w": torch.tensor(-0.25)})
    {'w': tensor(0.7500)}
    """

    def add(p: Tensor, u: Tensor) -> Tensor:
        require_like("apply_updates", "updates", u, p, params)
        return p + u

    return tree.map(add, params, updates)


def step(optimizer: Optimizer, grads: Tree, state: State, params: Tree) -> tuple[Tree, State]:
    """One step of `optimizer`: the new parameters and the new state.

    Args: grads: a tree with the structure, shapes and dtypes of `params`. state: from `optimizer.init(params)` or from
        the step before.
    Raises: ValueError that names the path at which `grads` and `params` differ.

    >>> from frl import optim
    >>> params, grads = torch.tensor([1.0, 2.0]), torch.tensor([10.0, -10.0])
    >>> sgd = optim.sgd(0.1)
    >>> step(sgd, grads, sgd.init(params), params)[0]
    tensor([0., 3.])
    """
    updates, state = optimizer.update(grads, state, params)
    return apply_updates(params, updates), state


def chain(*optimizers: Optimizer) -> Optimizer:
    """The optimizer that hands the gradients through each of `optimizers` in turn; its state numbers theirs.

    Raises: TypeError if one of them is no Optimizer.

    >>> from frl import optim
    >>> clipped = chain(optim.clip_by_value(1.0), optim.sgd(0.1))
    >>> params = torch.tensor([1.0, 2.0])
    >>> step(clipped, torch.tensor([10.0, -10.0]), clipped.init(params), params)[0]
    tensor([0.9000, 2.1000])
    """
    for i, optimizer in enumerate(optimizers):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"chain: optimizer {i} is a {type(optimizer).__name__}; pass Optimizers one by one, as in chain(clip, "
                "adam(1e-3))."
            )

    def init(params: Tree) -> State:
        return {str(i): optimizer.init(params) for i, optimizer in enumerate(optimizers)}

    def update(grads: Tree, state: State, params: Tree) -> tuple[Tree, State]:
        new: dict[str, State] = {}
        for i, optimizer in enumerate(optimizers):
            grads, new[str(i)] = optimizer.update(grads, state[str(i)], params)
        return grads, new

    return Optimizer(init, update)


def stateless(f: Callable[[Tree], Tree]) -> Optimizer:
    """The optimizer without state whose updates are `f(grads)`.

    Raises: TypeError if `f` cannot be called.

    >>> step(stateless(lambda grads: -grads), torch.tensor(1.0), {}, torch.tensor(3.0))
    (tensor(2.), {})
    """
    check.callables("stateless", {"f": f}, "pass a function of the gradients, or use an Optimizer as it is")
    return Optimizer(lambda params: {}, lambda grads, state, params: (f(grads), {}))


def as_schedule(function: str, learning_rate: Rate) -> Callable[[Tensor], float | Tensor]:
    """The learning rate, however it was given, as a function of the step, for the optimizer called `function`.

    Raises: ValueError if it is a negative number or a tensor with axes.

    >>> as_schedule("sgd", 0.1)(torch.tensor(7))
    0.1
    """
    if not isinstance(learning_rate, float | int | Tensor):
        return learning_rate
    check.at_least(function, {"learning_rate": learning_rate}, 0)
    if isinstance(learning_rate, Tensor):
        check.shape(function, {"learning_rate": learning_rate}, (), "pass a 0-d tensor, or vmap over several")
    return lambda step: learning_rate


def scalar(value: float, params: Tree, dtype: torch.dtype | None = None) -> Tensor:
    """A 0-d tensor beside `params`, for a state: on their device and of their widest dtype, float32 at the least.

    Raises: ValueError if there are no parameters.

    >>> scalar(0, {"w": torch.ones(2, dtype=torch.float64)}), scalar(0, torch.ones(2), torch.int64)
    (tensor(0., dtype=torch.float64), tensor(0))
    """
    leaves = tree.leaves(params)
    if not leaves:
        raise ValueError("optim: there is nothing to optimize; params holds no tensor.")
    widest = reduce(torch.promote_types, (leaf.dtype for leaf in leaves), torch.float32)
    return torch.full((), value, dtype=dtype or widest, device=leaves[0].device)


def like(value: float | Tensor, leaf: Tensor) -> float | Tensor:
    """A hyperparameter as it may meet `leaf` without changing its dtype.

    >>> like(torch.tensor(0.5, dtype=torch.float64), torch.tensor(1.0)) * torch.tensor(1.0)
    tensor(0.5000)
    """
    return value.to(leaf.dtype) if isinstance(value, Tensor) else value


def is_zero(value: float | Tensor) -> bool:
    """Whether a hyperparameter is the number zero, so that its term can be left out; a tensor never is.

    >>> is_zero(0.0), is_zero(torch.tensor(0.0))
    (True, False)
    """
    return not isinstance(value, Tensor) and value == 0


def require_like(function: str, argument: str, value: Tensor, param: Tensor, params: Tree) -> None:
    """Raises ValueError that names `param`, a leaf of `params`, unless `value` has its shape and dtype.

    >>> params = {"w": torch.ones(3)}
    >>> require_like("sgd", "grads", torch.ones(1), params["w"], params)
    Traceback (most recent call last):
    ValueError: sgd: grads has float32 [1] at "w" but params has float32 [3]; pass one tensor like each parameter.
    """
    if value.shape == param.shape and value.dtype == param.dtype:
        return
    name = next(name for name, leaf in tree.named_leaves(params) if leaf is param)
    raise ValueError(
        f'{function}: {argument} has {_kind(value)} at "{name}" but params has {_kind(param)}; '
        "pass one tensor like each parameter."
    )


def _kind(x: Tensor) -> str:
    return f"{str(x.dtype).removeprefix('torch.')} {list(x.shape)}"
