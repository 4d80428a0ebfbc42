"""The loss of deep Q-learning (Mnih et al. 2015, "Human-level control through deep reinforcement learning")."""

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from frl import tree
from frl.nn import over_time
from frl.nn.action_space import ActionSpace, action_space
from frl.nn.params import from_module, functional_call
from frl.objectives.critics import Estimated
from frl.objectives.value_estimators import ValueEstimator, td0
from frl.specs import Composite, Spec
from frl.tensordict import TensorDict

_TD0 = td0()


def square(error: Tensor) -> Tensor:
    """error², element by element.

    >>> import torch
    >>> square(torch.tensor([-2.0, 3.0]))
    tensor([4., 9.])
    """
    return error * error


@dataclasses.dataclass(frozen=True)
class DQNLoss(Estimated):
    """The error of Q(s, a) against r + γ maxₐ′ Q′(s′, a′), where Q′ has the target parameters.

    `loss(params, batch)` is a pure function of `params`, {"value", "target": {"value"}} as `init` makes them; its
    gradient reaches "value" alone, and numbers of the value estimator that are tensors, as γ may be. It gives

        loss                                     []
        td_error, pred_value, target_value       [*B], detached; td_error is |Q − target|

    A recurrent network reads batches [*B, T] as sequences, from the state that the batch holds at their first steps.
    Where the batch has "_weight" [*B], as prioritised replay gives it, each error counts so much; where it has "mask"
    [*B], as sequence replay gives it, only the steps count at which it is true.

    Args: network: a module over TensorDicts that writes "action_value" [*B, n]; a whole policy with a `QValueModule`
        will do. action_space: a spec or a name, see `ActionSpace`. delay_value: False for a target by the trained
        parameters themselves. double_dqn: a′ is the best by the trained parameters, its value that of the target's (van
        Hasselt et al. 2016, arXiv:1509.06461). distance: what an error costs; `frl.functional.huber` grows linearly.
        value_estimator: the target; see `make_value_estimator`.
    Raises: when called: KeyError for a missing entry, ValueError for values that do not fit the action space.

    >>> import torch
    >>> from frl.nn import TensorDictModule
    >>> loss = DQNLoss(TensorDictModule(nn.Linear(4, 2), ["observation"], ["action_value"]), "one_hot")
    >>> after = {"observation": torch.ones(3, 4), "reward": torch.ones(3, 1), "done": torch.ones(3, 1).bool()}
    >>> batch = {"observation": torch.zeros(3, 4), "action": torch.tensor([[1, 0]] * 3), "next": after}
    >>> losses = loss(loss.init(), TensorDict(batch, [3]))
    >>> losses["loss"].shape, losses["target_value"].tolist()
    (torch.Size([]), [1.0, 1.0, 1.0])
    """

    network: nn.Module
    action_space: str | Spec | Composite
    delay_value: bool = True
    double_dqn: bool = False
    distance: Callable[[Tensor], Tensor] = square
    value_estimator: ValueEstimator = _TD0

    def __post_init__(self) -> None:
        self._space()

    def init(self) -> TensorDict:
        """The network's own parameters, and the same as those of the target."""
        value = from_module(self.network)
        return TensorDict({"value": value, "target": {"value": value}} if self.delay_value else {"value": value})

    def __call__(self, params: Any, batch: TensorDict, key: Tensor | None = None) -> TensorDict:
        """The losses of `batch` [*B]; nothing is drawn."""
        require_entries("DQNLoss", batch, "action", ("next", "reward"))
        acted = functional_call(over_time(self.network), params["value"], batch)
        self._space().check("DQNLoss", acted["action_value"])
        pred = self._space().value_of(acted["action_value"], batch["action"]).squeeze(-1)
        target = self._target(params, batch, acted["next"])
        error = torch.where(batch["mask"], pred - target, 0) if "mask" in batch else pred - target
        cost = self.distance(error)
        weighted = cost * batch["_weight"] if "_weight" in batch else cost
        return TensorDict(
            {
                "loss": _mean(weighted, batch),
                "td_error": error.detach().abs(),
                "pred_value": pred.detach(),
                "target_value": target.detach(),
            }
        )

    def _target(self, params: Any, batch: TensorDict, successor: TensorDict) -> Tensor:
        """`successor` is the "next" of the batch, in the state in which the trained parameters are there."""
        trained = params["value"]
        frozen = params["target"]["value"] if self.delay_value else trained
        following = self._values(frozen, self._successor(frozen, batch))
        best = self._values(trained, tree.map(torch.detach, successor)) if self.double_dqn else following
        space = self._space()
        value = space.value_of(following, space.greedy(best)).squeeze(-1)
        return self.value_estimator(_cut(batch), value.detach())

    def _values(self, params: Any, td: TensorDict) -> Tensor:
        value: Tensor = functional_call(self.network, params, td)["action_value"]
        return value

    def _successor(self, params: Any, batch: TensorDict) -> TensorDict:
        """The "next" of the batch, with the state in which these parameters would be there."""
        whole = over_time(self.network)
        if whole is self.network:
            return batch["next"]
        return functional_call(whole, params, batch)["next"]

    def _space(self) -> ActionSpace:
        named = isinstance(self.action_space, str)
        return action_space("DQNLoss", self.action_space if named else None, None if named else self.action_space)


def _mean(cost: Tensor, batch: TensorDict) -> Tensor:
    """Over the steps that count."""
    if "mask" not in batch:
        return cost.mean()
    mask = batch["mask"]
    return torch.where(mask, cost, 0).sum() / mask.sum().clamp(min=1)


def _cut(batch: TensorDict) -> TensorDict:
    """The "next" of the batch, cut where its "mask" ends: no return goes on into what stands behind."""
    if "mask" not in batch:
        return batch["next"]
    mask, after = batch["mask"], batch["next"]
    ends = (mask & ~torch.cat([mask[..., 1:], mask[..., -1:]], -1)).unsqueeze(-1)
    return after.set("truncated", after["truncated"] | ends if "truncated" in after else ends)


def require_entries(
    loss: str, batch: TensorDict, *keys: Any, remedy: str = "make it by collect or from a replay buffer"
) -> None:
    """Raises KeyError that names the first of `keys` which `batch` lacks, and the remedy.

    >>> import torch
    >>> require_entries("DQNLoss", TensorDict({"x": torch.ones(3)}), "action")
    Traceback (most recent call last):
    KeyError: "DQNLoss: the batch has no entry 'action', only ['x']; make it by collect or from a replay buffer."
    """
    for key in keys:
        if key not in batch:
            found = list(batch.keys(include_nested=True, leaves_only=True))
            raise KeyError(f"{loss}: the batch has no entry {key!r}, only {found}; {remedy}.")
