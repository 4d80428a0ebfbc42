"""From the values of actions to the greedy action: the policies of Q-learning."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from frl import check
from frl.nn.action_space import action_space as resolve
from frl.nn.exploration_type import ExplorationType
from frl.nn.modules import TensorDictModule, keys, require_keys, title
from frl.nn.printing import describe
from frl.nn.sequential import TensorDictSequential
from frl.specs import Composite, Spec
from frl.tensordict import Key, TensorDict


class QValueModule(nn.Module):
    """Reads "action_value" [*B, n] and writes the greedy "action" and its value, "chosen_action_value" [*B, 1].

    Args: action_space: "one_hot", "categorical", "binary", "mult_one_hot" or "mult_categorical", whose actions
        `frl.nn.action_space` describes, or a spec. spec: the spec of actions, instead of it; the action has its dtype.
        var_nums: the numbers of choices, for the names of several choices. action_value_key: of the values.
        action_mask_key: of booleans [*B, n], False where an action is not allowed; in a row that allows none the first
        is taken. out_keys: of action and value.
    Raises: TypeError unless exactly one of action_space and spec is given; ValueError, when called, if there are not as
        many values as actions.

    >>> from frl.specs import OneHot
    >>> module = QValueModule(spec=OneHot(3))
    >>> td = module(TensorDict({"action_value": torch.tensor([[0.0, 2.0, 1.0]])}, [1]))
    >>> td["action"], td["chosen_action_value"]
    (tensor([[0, 1, 0]]), tensor([[2.]]))
    """

    in_keys: list[Key]
    out_keys: list[Key]
    draws = False

    def __init__(
        self,
        action_space: str | Spec | Composite | None = None,
        *,
        spec: Spec | Composite | None = None,
        var_nums: Sequence[int] | int | None = None,
        action_value_key: Key = "action_value",
        action_mask_key: Key | None = None,
        out_keys: Sequence[Key] = ("action", "chosen_action_value"),
    ):
        super().__init__()
        self.action_space = resolve(type(self).__name__, action_space, spec, var_nums)
        self.action_value_key = action_value_key
        self.action_mask_key = action_mask_key
        self.in_keys = [key for key in (action_value_key, action_mask_key) if key is not None]
        self.out_keys = keys(self, "out_keys", out_keys)
        if len(self.out_keys) != 2:
            raise ValueError(
                f"{type(self).__name__}: out_keys is {self.out_keys}; expected two keys, as in "
                "['action', 'chosen_action_value']."
            )

    def forward(
        self, td: TensorDict, key: Tensor | None = None, exploration: ExplorationType | None = None
    ) -> TensorDict:
        """`td` with the greedy action and its value; neither `key` nor `exploration` is used."""
        require_keys(self, td, self.in_keys)
        value = td[self.action_value_key]
        self.action_space.check(title(self), value)
        action = self.action_space.greedy(self._allowed(td, value))
        chosen = self.action_space.value_of(value, action)
        return td.set(self.out_keys[0], action).set(self.out_keys[1], chosen)

    def _allowed(self, td: TensorDict, value: Tensor) -> Tensor:
        """The values, −inf where an action is not allowed."""
        if self.action_mask_key is None:
            return value
        mask = td[self.action_mask_key]
        check.boolean(title(self), {"the action mask": mask})
        check.shape(title(self), {"the action mask": mask}, value.shape, "pass one flag for each action value")
        return torch.where(mask, value, -torch.inf)

    def __repr__(self) -> str:
        return describe(self, f"action_space={self.action_space.kind}")


class QValueActor(TensorDictSequential):
    """A network of action values and a `QValueModule`: the greedy policy.

    Args: module: writes "action_value" [*B, n], or an `nn.Module` or function that returns it and is called on in_keys.
        The others: see `QValueModule`.

    >>> actor = QValueActor(nn.Linear(4, 2), action_space="categorical")
    >>> actor.in_keys, actor.out_keys
    (['observation'], ['action_value', 'action', 'chosen_action_value'])
    """

    def __init__(
        self,
        module: Any,
        in_keys: Sequence[Key] = ("observation",),
        *,
        action_space: str | Spec | Composite | None = None,
        spec: Spec | Composite | None = None,
        var_nums: Sequence[int] | int | None = None,
        action_value_key: Key = "action_value",
        action_mask_key: Key | None = None,
    ):
        if not hasattr(module, "out_keys"):
            module = TensorDictModule(module, in_keys, [action_value_key])
        super().__init__(
            module,
            QValueModule(
                action_space,
                spec=spec,
                var_nums=var_nums,
                action_value_key=action_value_key,
                action_mask_key=action_mask_key,
            ),
        )
