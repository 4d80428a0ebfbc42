"""The form of a TensorDict that is read and built at every step: taken apart into leaves, and put together again."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from frl import tree
from frl.tensordict import TensorDict


class Form:
    """The keys, shapes and dtypes of a TensorDict.

    >>> import torch
    >>> form = Form(TensorDict({"a": torch.zeros(2, 3), "b": {"c": torch.zeros(2)}}, [2]))
    >>> form.names, form.build([torch.ones(2, 3), torch.ones(2)])["b", "c"]
    (['a', 'b.c'], tensor([1., 1.]))
    >>> form.leaves("a step", TensorDict({"a": torch.zeros(2, 3)}, [2]))
    Traceback (most recent call last):
    ValueError: a step returned no 'b.c', only ['a']; mend the environment.
    """

    def __init__(self, template: TensorDict):
        xs, self._structure = tree.flatten(template)
        self.names = [name for name, _ in tree.named_leaves(template)]
        self.sizes = [(x.shape, x.dtype) for x in xs]
        self._flat = all(isinstance(value, Tensor) for value in template.values()) and bool(xs)
        self._keys, self._events, self._device = tuple(template), template._events, template._device

    def build(self, leaves: Sequence[Tensor]) -> TensorDict:
        """The TensorDict of these leaves, which are known to fit."""
        if self._flat:  # as the tree would, in a third of the time
            return TensorDict._make(dict(zip(self._keys, leaves, strict=True)), self._events, None, self._device)
        return tree.unflatten(self._structure, leaves)

    def leaves(self, where: str, td: TensorDict) -> list[Tensor]:
        """The leaves of `td`; raises ValueError that names the first which does not fit."""
        xs, structure = tree.flatten(td)
        # A node's device, for one, may differ: leaves of the right names can be read all the same.
        fits = structure == self._structure or [name for name, _ in tree.named_leaves(td)] == self.names
        if fits and [(x.shape, x.dtype) for x in xs] == self.sizes:
            return xs
        raise ValueError(f"{where} returned {self._complaint(td)}; mend the environment.")

    def _complaint(self, td: Any) -> str:
        if not isinstance(td, TensorDict):
            return f"a {type(td).__name__} but must return a TensorDict"
        found = {name: (x.shape, x.dtype) for name, x in tree.named_leaves(td)}
        for name, (shape, dtype) in zip(self.names, self.sizes, strict=True):
            if name not in found:
                return f"no {name!r}, only {list(found)}"
            if found[name] != (shape, dtype):
                given = f"{found[name][1]} {list(found[name][0])}"
                return f"{name!r} as {given} but must return {dtype} {list(shape)}"
        return f"{next(name for name in found if name not in self.names)!r}, which its first reset had not"
