"""Any function of tensors as a function of TensorDicts."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from torch import Tensor, nn

from frl.nn.exploration_type import ExplorationType
from frl.nn.lazy import is_lazy, lazy_parts, materialize
from frl.nn.printing import describe
from frl.tensordict import Key, TensorDict


class TensorDictModule(nn.Module):
    """Reads entries of a TensorDict, calls `module` on them, and writes what it returns under other keys.

    The input stays as it is: the call returns a new TensorDict with all its entries and the results.

    Args: module: an `nn.Module` or any function of tensors; several results come as a tuple. in_keys: its arguments, in
        order. out_keys: one for each result. A key is a name or a tuple of names.
    Raises: KeyError, when called, if an entry is missing; ValueError if the number of results is not that of out_keys.

    >>> import torch
    >>> double = TensorDictModule(lambda x: 2 * x, in_keys=["x"], out_keys=["y"])
    >>> double(TensorDict({"x": torch.ones(3)}, [3]))["y"]
    tensor([2., 2., 2.])
    """

    in_keys: list[Key]
    out_keys: list[Key]
    draws = False
    """Whether a call may need a random key."""

    def __init__(self, module: Callable[..., Any], in_keys: Sequence[Key], out_keys: Sequence[Key]):
        super().__init__()
        if not callable(module):
            raise TypeError(
                f"{type(self).__name__}: module is a {type(module).__name__}; expected an nn.Module or a function."
            )
        self.module = module
        self.in_keys = keys(self, "in_keys", in_keys)
        self.out_keys = keys(self, "out_keys", out_keys)
        self._lazy = lazy_parts(module) if isinstance(module, nn.Module) else []

    def forward(
        self, td: TensorDict, key: Tensor | None = None, exploration: ExplorationType | None = None
    ) -> TensorDict:
        """`td` with the results; neither `key` nor `exploration` is used, for nothing is drawn."""
        inputs = [td[name] for name in require_keys(self, td, self.in_keys)]
        if any(is_lazy(part) for part in self._lazy):
            materialize(cast(nn.Module, self.module), *inputs)
        result = self.module(*inputs)
        results = result if isinstance(result, tuple) else (result,)
        if len(results) != len(self.out_keys):
            raise ValueError(
                f"{title(self)}: the module returned {len(results)} results, but out_keys has "
                f"{len(self.out_keys)} names: {self.out_keys}."
            )
        for name, value in zip(self.out_keys, results, strict=True):
            td = td.set(name, value)
        return td

    def __repr__(self) -> str:
        return describe(self, f"module={self.module}")


def keys(owner: nn.Module, argument: str, given: Any) -> list[Key]:
    """`given` as a list of keys; TypeError if it is one key alone, whose letters would pass for keys.

    >>> keys(nn.Identity(), "in_keys", ["a", ("next", "a")])
    ['a', ('next', 'a')]
    """
    if isinstance(given, str) or not all(isinstance(key, (str, tuple)) for key in given):
        raise TypeError(
            f"{type(owner).__name__}: {argument} is {given!r}; expected a list of keys, such as ['observation']."
        )
    return list(given)


def require_keys(module: Any, td: TensorDict, wanted: Sequence[Key]) -> Sequence[Key]:
    """`wanted`, or KeyError that names the module, the first of them that `td` lacks, and what it has.

    >>> module = TensorDictModule(nn.Tanh(), ["a"], ["b"])
    >>> require_keys(module, TensorDict({"a": 0.0}), ["a"])
    ['a']
    """
    if not isinstance(td, TensorDict):
        raise TypeError(f"{title(module)}: called with a {type(td).__name__}; expected a TensorDict.")
    for key in wanted:
        if key not in td:
            raise KeyError(
                f"{title(module)}: the input has no entry {key!r}; it has {list(td.keys(include_nested=True))}."
            )
    return wanted


def title(module: Any) -> str:
    """The module by its class and, unless they are many, its keys, for messages.

    >>> title(TensorDictModule(nn.Tanh(), ["a"], ["b"]))
    "TensorDictModule(['a'] -> ['b'])"
    """
    many = len(module.in_keys) + len(module.out_keys) > 10
    return type(module).__name__ + ("" if many else f"({module.in_keys} -> {module.out_keys})")


def require_key(module: Any, key: Tensor | None) -> Tensor:
    """`key`, or TypeError that names the module and says how to give one.

    >>> require_key(TensorDictModule(nn.Tanh(), ["a"], ["b"]), None)
    Traceback (most recent call last):
    TypeError: TensorDictModule(['a'] -> ['b']): draws a sample and needs key=, as in policy(td, \
key=frl.random.key(0)); without one, call it under set_exploration_type(ExplorationType.DETERMINISTIC).
    """
    if key is None:
        raise TypeError(
            f"{title(module)}: draws a sample and needs key=, as in policy(td, key=frl.random.key(0)); without one, "
            f"call it under set_exploration_type(ExplorationType.DETERMINISTIC)."
        )
    return key
