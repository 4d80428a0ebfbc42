"""One of several environments that are stepped together, where it stands."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from frl import random
from frl.envs.base import Env, reset_where_done
from frl.envs.form import Form
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
        self._begin, self._after = Form(self.outline.begin), Form(self.outline.after)
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
        td = self._given(given)
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

    def restart(self, given: Mapping[str, Any], key: Tensor | None) -> list[Tensor]:
        """Where the environment stands, having begun afresh where "done" of what is given says so.

        Args: given: that flag and, optionally, the environment's own entries. key: [2], if its steps use one.
        """
        td = self._given(given)
        if bool(td["done"].any()):
            td = reset_where_done(td, self.env.restart(td, key))
        leaves = self._begin.leaves("a restart", td)
        self._td = td
        return leaves

    def _given(self, given: Mapping[str, Any]) -> TensorDict:
        """Where it stands, with what is given in place of its own."""
        td = self._td
        for name, value in given.items():
            td = put(td, name, value, self._events[name]) if name in self._events else td.set(name, value)
        return td
