"""How the values of finitely many actions become an action, for each way to write one."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import torch
from torch import Tensor

from frl import check
from frl.specs import Composite, Spec

_KINDS = {
    "OneHot": "one_hot",
    "Categorical": "categorical",
    "Binary": "binary",
    "MultiOneHot": "mult_one_hot",
    "MultiCategorical": "mult_categorical",
}
_NAMES = tuple(_KINDS.values())


class ActionSpace(NamedTuple):
    """How an action is written, and how many values there are to choose from.

    "one_hot": a vector [*B, n] with a single 1. "categorical": an integer [*B]. "binary": n flags [*B, n], each set for
    itself. "mult_one_hot": several one-hot vectors end to end, [*B, n1 + n2 + ...]. "mult_categorical": several
    integers, [*B, k]. Values are [*B, n], those of several choices end to end; the value of an action is the sum over
    what it chooses, so a flag that is not set is worth 0.

    Fields: kind: one of these names. sizes: the number of choices of each component, () if not known. dtype: of the
        action.

    >>> space = ActionSpace("categorical", (3,))
    >>> value = torch.tensor([[0.0, 2.0, 1.0]])
    >>> space.greedy(value), space.value_of(value, torch.tensor([2]))
    (tensor([1]), tensor([[1.]]))
    """

    kind: str
    sizes: tuple[int, ...] = ()
    dtype: torch.dtype = torch.int64

    def greedy(self, value: Tensor) -> Tensor:
        """Values [*B, n] -> the action of the greatest value, the first among equals."""
        if self.kind == "binary":
            return (value > 0).to(self.dtype)
        if self.kind == "categorical":
            return value.argmax(-1).to(self.dtype)
        if self.kind == "one_hot":
            return self._one_hot(value)
        parts = value.split(list(self.sizes), -1)
        if self.kind == "mult_one_hot":
            return torch.cat([self._one_hot(part) for part in parts], -1)
        return torch.stack([part.argmax(-1) for part in parts], -1).to(self.dtype)

    def value_of(self, value: Tensor, action: Tensor) -> Tensor:
        """Values [*B, n] of all choices -> the value [*B, 1] of `action`.

        Raises: ValueError if the action has another shape than the kind says.
        """
        batch, event = value.shape[:-1], {"categorical": (), "mult_categorical": (len(self.sizes),)}
        expected = (*batch, *event.get(self.kind, value.shape[-1:]))
        check.shape("value_of", {"action": action}, expected, f"pass {self.kind} actions, one for each row of values")
        if self.kind == "categorical":
            return value.gather(-1, action.long().unsqueeze(-1))
        if self.kind == "mult_categorical":
            first = torch.tensor([0, *accumulate(self.sizes[:-1])], device=action.device)
            return value.gather(-1, action.long() + first).sum(-1, keepdim=True)
        return torch.where(action != 0, value, 0.0).sum(-1, keepdim=True)

    def check(self, owner: str, value: Tensor) -> None:
        """ValueError, which names `owner`, if there are not as many values as choices."""
        expected = sum(self.sizes)
        if value.ndim == 0 or (expected and value.shape[-1] != expected):
            shape = list(value.shape)
            raise ValueError(
                f"{owner}: the action values have shape {shape}, but the action space {self.kind!r} has "
                f"{expected or 'n'} choices; build the network with one output for each."
            )

    def _one_hot(self, value: Tensor) -> Tensor:
        return (value.argmax(-1, keepdim=True) == torch.arange(value.shape[-1], device=value.device)).to(self.dtype)


def action_space(
    owner: str, given: str | Spec | Composite | None, spec: Any = None, var_nums: Sequence[int] | int | None = None
) -> ActionSpace:
    """The action space that a name or a spec stands for; exactly one of `given` and `spec` is to be there.

    Args: owner: who asks, for messages. given: a name of `ActionSpace` or a spec. spec: a spec; of a Composite, its
        "action". var_nums: the numbers of choices, for the names of several choices.
    Raises: TypeError if there is none or there are two, or for a spec that is no choice; ValueError for another name.

    >>> from frl.specs import OneHot
    >>> action_space("QValueModule", OneHot(2)).sizes, action_space("QValueModule", "one-hot").sizes
    ((2,), ())
    """
    if (given is None) == (spec is None):
        found = "neither action_space nor spec is" if given is None else "both action_space and spec are"
        raise TypeError(f"{owner}: {found} given; pass one of them, as in {owner}(spec=env.action_spec).")
    found = spec if given is None else given
    if isinstance(found, str):
        return _named(owner, found, var_nums)
    return _of_spec(owner, found["action"] if isinstance(found, Composite) else found)


def _named(owner: str, name: str, var_nums: Sequence[int] | int | None) -> ActionSpace:
    kind = name.replace("-", "_")
    if kind not in _NAMES:
        raise ValueError(f"{owner}: action_space is {name!r}; expected a spec or one of {list(_NAMES)}.")
    if kind.startswith("mult") and var_nums is None:
        raise ValueError(
            f"{owner}: action_space is {name!r} and var_nums is missing; pass the number of choices of each component, "
            "as in var_nums=[2, 3]."
        )
    sizes = () if var_nums is None else (var_nums,) if isinstance(var_nums, int) else tuple(var_nums)
    return ActionSpace(kind, sizes)


def _of_spec(owner: str, spec: Any) -> ActionSpace:
    kind = _KINDS.get(type(spec).__name__)
    if kind is None or (kind == "binary" and not spec.shape):
        raise TypeError(
            f"{owner}: the action spec is a {type(spec).__name__}, no choice among finitely many; give one of "
            f"{list(_KINDS)}, or use Actor for continuous actions."
        )
    sizes = (spec.shape[-1],) if kind == "binary" else tuple(spec.nvec) if kind.startswith("mult") else (spec.n,)
    return ActionSpace(kind, sizes, spec.dtype)
