"""Modules whose results are kept within a spec."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from frl.nn.exploration_type import ExplorationType
from frl.nn.modules import TensorDictModule, title
from frl.specs import Composite, Spec
from frl.tensordict import Key, TensorDict


class SafeModule(TensorDictModule):
    """A `TensorDictModule` that knows what it may write and, if asked to, projects its results onto that.

    The projection is differentiable where the spec's is: of `Bounded`, it is a clamp.

    Args: module: an `nn.Module` or any function of tensors. spec: of the first result, or a Composite with an entry for
        each of out_keys that is to be projected. in_keys, out_keys: as in `TensorDictModule`. safe: project.
    Raises: TypeError for anything that is no spec; ValueError if a Composite has none of the out_keys.

    >>> import torch
    >>> from frl.specs import Bounded
    >>> actor = SafeModule(lambda x: 100 * x, Bounded(-1.0, 1.0, 2), in_keys=["observation"], safe=True)
    >>> actor(TensorDict({"observation": torch.tensor([0.5, -0.001])}))["action"].tolist()
    [1.0, -0.10000000149011612]
    """

    def __init__(
        self,
        module: Callable[..., Any],
        spec: Spec | Composite,
        in_keys: Sequence[Key] = ("observation",),
        out_keys: Sequence[Key] = ("action",),
        safe: bool = False,
    ):
        super().__init__(module, in_keys, out_keys)
        if not isinstance(spec, (Spec, Composite)):
            raise TypeError(
                f"{title(self)}: spec is a {type(spec).__name__}; expected a spec, such as env.action_spec."
            )
        self.spec = spec
        self.safe = safe
        self._specs: list[tuple[Key, Any]] = [(self.out_keys[0], spec)]
        if isinstance(spec, Composite):
            self._specs = [(key, spec[key]) for key in self.out_keys if _has(spec, key)]
        if not self._specs:
            raise ValueError(
                f"{title(self)}: spec has the entries {list(spec)}, none of them among out_keys; name the entries as "  # type: ignore[arg-type]
                "out_keys does."
            )

    def forward(
        self, td: TensorDict, key: Tensor | None = None, exploration: ExplorationType | None = None
    ) -> TensorDict:
        """`td` with the results, projected if `safe`."""
        td = super().forward(td, key, exploration)
        if self.safe:
            for name, spec in self._specs:
                td = td.set(name, spec.project(td[name]))
        return td


def _has(spec: Any, key: Key) -> bool:
    for name in (key,) if isinstance(key, str) else key:
        if not isinstance(spec, Composite) or name not in spec:
            return False
        spec = spec[name]
    return True
