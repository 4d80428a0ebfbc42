"""Modules over TensorDicts, one after another."""

from collections.abc import Sequence
from typing import Any, cast

from torch import Tensor, nn

from frl import random
from frl.distributions import Distribution
from frl.nn.exploration_type import ExplorationType, exploration_type
from frl.nn.modules import title
from frl.nn.printing import describe
from frl.tensordict import Key, TensorDict


class TensorDictSequential(nn.Module):
    """Calls modules over TensorDicts in order, each on the result of the one before.

    `in_keys` are the entries that no earlier module writes, `out_keys` all that are written. A module that
    draws alone gets the key itself; if several draw, each gets its own of `random.split(key, n)`.

    Args: modules: of frl, or others with `in_keys`, `out_keys`, `draws` and `forward(td, key, exploration)`.

    >>> import torch
    >>> from frl.nn import TensorDictModule
    >>> double = TensorDictModule(lambda x: 2 * x, ["x"], ["y"])
    >>> total = TensorDictModule(torch.add, ["x", "y"], ["z"])
    >>> both = TensorDictSequential(double, total)
    >>> both(TensorDict({"x": torch.ones(2)}, [2]))["z"], both.in_keys, both.out_keys
    (tensor([3., 3.]), ['x'], ['y', 'z'])
    """

    in_keys: list[Key]
    out_keys: list[Key]
    draws: bool

    def __init__(self, *modules: Any):
        super().__init__()
        for i, module in enumerate(modules):
            if not isinstance(module, nn.Module) or not hasattr(module, "in_keys") or not hasattr(module, "out_keys"):
                raise TypeError(
                    f"{type(self).__name__}: module {i} is a {type(module).__name__}; wrap it as "
                    f"TensorDictModule(module, in_keys, out_keys)."
                )
        self.module = nn.ModuleList(modules)
        self.in_keys, self.out_keys = _flow(modules)
        self._drawing = [bool(module.draws) for module in modules]
        self.draws = any(self._drawing)

    def forward(
        self, td: TensorDict, key: Tensor | None = None, exploration: ExplorationType | None = None
    ) -> TensorDict:
        """`td` with all that the modules write. key: [2], if one of them draws; exploration: how they do it."""
        return self._run(len(self.module), td, key, exploration)

    def get_dist(
        self, td: TensorDict, key: Tensor | None = None, exploration: ExplorationType | None = None
    ) -> Distribution:
        """The distribution that the last module would draw from, given what the others make of `td`.

        `functional_call(policy.get_dist, params, td)` is the pure form, for losses.
        """
        if not hasattr(self.module[-1], "get_dist"):
            raise TypeError(
                f"{title(self)}: the last module is a {type(self.module[-1]).__name__}, without distribution."
            )
        td = self._run(len(self.module) - 1, td, key, exploration)
        return cast(Any, self.module[-1]).get_dist(td)

    def log_prob(self, td: TensorDict) -> Tensor:
        """The log-probability, under `get_dist(td)`, of the value that stands in `td` under the last module's keys."""
        distribution = self.get_dist(td)
        return distribution.log_prob(self._read(td, distribution))

    def _read(self, td: TensorDict, distribution: Distribution) -> Any:
        """The value of `distribution` that stands in `td`."""
        return cast(Any, self.module[-1])._read(td, distribution)

    def _run(self, count: int, td: TensorDict, key: Tensor | None, exploration: ExplorationType | None) -> TensorDict:
        """`td` after the first `count` modules."""
        exploration = exploration or exploration_type()
        keys = self._keys(key)
        for module, own in zip(list(self.module)[:count], keys, strict=False):
            td = module(td, key=own, exploration=exploration)
        return td

    def _keys(self, key: Tensor | None) -> list[Tensor | None]:
        """For each module its key, or None if it does not draw."""
        num = sum(self._drawing)
        own = iter(random.split(key, num) if key is not None and num > 1 else [key] * num)
        return [next(own) if draws else None for draws in self._drawing]

    def __getitem__(self, index: int) -> Any:
        return self.module[index]

    def __len__(self) -> int:
        return len(self.module)

    def __repr__(self) -> str:
        return describe(self, f"module={self.module}")


def _flow(modules: Sequence[Any]) -> tuple[list[Key], list[Key]]:
    """What must be there before, and what is there afterwards."""
    needed: list[Key] = []
    written: list[Key] = []
    for module in modules:
        needed += [key for key in module.in_keys if key not in needed and not any(overlap(w, key) for w in written)]
        written += [key for key in module.out_keys if key not in written]
    return needed, written


def overlap(written: Key, key: Key) -> bool:
    """Whether who writes under `written` writes what stands under `key`, or a part of it.

    >>> overlap("next", ("next", "reward")), overlap(("next", "reward"), "next"), overlap("reward", "next")
    (True, True, False)
    """
    a, b = ((x,) if isinstance(x, str) else x for x in (written, key))
    return a[: len(b)] == b[: len(a)]
