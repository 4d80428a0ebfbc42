"""One of several environments that are stepped together, where it stands."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from frl import random, tree
from frl.envs.base import Env
from frl.envs.outline import outline, sketch
from frl.envs.shell import put
from frl.tensordict import TensorDict


class Member:
    """An environment with the TensorDict that it stands at, which says no more and no less than its outline.

    Its results are lists of leaves, in the order of the tree, whose shapes and dtypes have been checked.

    >>> from frl.envs import make
    >>> member = Member(make("CartPole-v1"))
    >>> [list(x.shape) for x in member.reset(random.key(0))]
    [[1], [4], [4], [1], [1], [1]]
    """

    def __init__(self, env: Env):
        self.env = env
        self._td = env.reset(random.key(0))  # what a reset holds, only a reset can say
        self.sketch = sketch(env, self._td)
        self.outline = outline(self.sketch)
        self._begin, self._after = _Form(self.outline.begin), _Form(self.outline.after)
        self._events = {"action": len(self.outline.action.shape)}

    def reset(self, key: Tensor) -> list[Tensor]:
        """The beginning of an episode."""
        td = self.env.reset(key)
        leaves = self._begin.leaves("a reset", td)
        self._td = td
        return leaves

    def step(
        self, given: Mapping[str, Any], key: Tensor | None, and_reset: bool
    ) -> tuple[list[Tensor], list[Tensor] | None]:
        """What the action leads to and, of a step with resets in which an episode ended, where the environment stands.

        Args: given: the action and, optionally, the environment's own entries, where it does not go on from where it
            stands. key: [2], if its steps use one.
        """
        td = self._td
        for name, value in given.items():
            td = put(td, name, value, self._events[name]) if name in self._events else td.set(name, value)
        if not and_reset:
            after = self.env.step(td, key)["next"]
            leaves = self._after.leaves("a step", after)
            self._td = after.exclude("reward")
            return leaves, None
        out, following = self.env.step_and_reset(td, key)
        leaves = self._after.leaves("a step", out["next"])
        fresh = self._begin.leaves("a reset", following) if bool(out["next", "done"].any()) else None
        self._td = following
        return leaves, fresh


class _Form:
    """What every result must look like."""

    def __init__(self, template: TensorDict):
        xs, self._structure = tree.flatten(template)
        self._names = [name for name, _ in tree.named_leaves(template)]
        self._sizes = [(x.shape, x.dtype) for x in xs]

    def leaves(self, where: str, td: TensorDict) -> list[Tensor]:
        """The leaves of `td`; raises ValueError that names the first which does not fit."""
        xs, structure = tree.flatten(td)
        if [(x.shape, x.dtype) for x in xs] == self._sizes:
            # A node's device, for one, may differ: leaves of the right names can be read all the same.
            if structure == self._structure or [name for name, _ in tree.named_leaves(td)] == self._names:
                return xs
        raise ValueError(f"{where} returned {self._complaint(td, xs)}; mend the environment.")

    def _complaint(self, td: Any, xs: list[Any]) -> str:
        if not isinstance(td, TensorDict):
            return f"a {type(td).__name__} but must return a TensorDict"
        found = {name: (x.shape, x.dtype) for name, x in tree.named_leaves(td)}
        for name, (shape, dtype) in zip(self._names, self._sizes, strict=True):
            if name not in found:
                return f"no {name!r}, only {list(found)}"
            if found[name] != (shape, dtype):
                given = f"{found[name][1]} {list(found[name][0])}"
                return f"{name!r} as {given} but must return {dtype} {list(shape)}"
        return f"{next(name for name in found if name not in self._names)!r}, which its first reset had not"
