"""The losses of deep deterministic policy gradients (Lillicrap et al. 2016, arXiv:1509.02971)."""

import dataclasses
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from frl.nn.params import from_module, functional_call
from frl.objectives.critics import Estimated, detached
from frl.objectives.dqn import require_entries, square
from frl.objectives.value_estimators import ValueEstimator, td0
from frl.tensordict import TensorDict, scalar

_TD0 = td0()


@dataclasses.dataclass(frozen=True)
class DDPGLoss(Estimated):
    """The error of Q(s, a) against r + γ Q′(s′, π′(s′)), and the policy's loss −Q(s, π(s)).

    `loss(params, batch)` is a pure function of `params`, {"actor", "value", "target": {"actor", "value"}} as `init`
    makes them. "loss_value" has a gradient for "value" alone and "loss_actor" for "actor" alone, so that both may be
    minimised as one sum; "loss_value" has one too for numbers of the value estimator that are tensors, as γ may be. It
    gives

        loss_actor, loss_value, pred_value_max, target_value_max     []
        pred_value, target_value, td_error                           [*B], detached; td_error is |Q − target|

    Where the batch has "_weight" [*B], as prioritised replay gives it, each error of the value counts so much.

    Args: actor: a module over TensorDicts that writes "action". value: one that reads it and writes
        "state_action_value" [*B, 1]. delay_actor, delay_value: False for a target by the trained parameters themselves.
        distance: what an error costs. value_estimator: the target; see `make_value_estimator`.
    Raises: KeyError, when called, for a missing entry.

    >>> import torch
    >>> from frl.nn import MLP, Actor, ValueOperator
    >>> loss = DDPGLoss(Actor(nn.Linear(3, 1)), ValueOperator(MLP(4, 1), in_keys=["observation", "action"]))
    >>> after = {"observation": torch.ones(10, 3), "reward": torch.ones(10, 1), "done": torch.ones(10, 1).bool()}
    >>> batch = TensorDict({"observation": torch.zeros(10, 3), "action": torch.zeros(10, 1), "next": after}, [10])
    >>> sorted((name, list(x.shape)) for name, x in loss(loss.init(), batch).items())[:3]
    [('loss_actor', []), ('loss_value', []), ('pred_value', [10])]
    """

    actor: nn.Module
    value: nn.Module
    delay_actor: bool = True
    delay_value: bool = True
    distance: Callable[[Tensor], Tensor] = square
    value_estimator: ValueEstimator = _TD0

    def init(self) -> TensorDict:
        """The networks' own parameters, and the same as those of the target."""
        params = {"actor": from_module(self.actor), "value": from_module(self.value)}
        delayed = {"actor": self.delay_actor, "value": self.delay_value}
        target = {name: params[name] for name in params if delayed[name]}
        return TensorDict({**params, "target": target} if target else params)

    def __call__(self, params: Any, batch: TensorDict, key: Tensor | None = None) -> TensorDict:
        """The losses of `batch` [*B]; nothing is drawn."""
        require_entries("DDPGLoss", batch, "action", ("next", "reward"))
        pred = self._value(params["value"], batch)
        target = self._target(params, batch)
        error = pred - target
        cost = self.distance(error)
        frozen = detached(params["value"])
        acted = functional_call(self.actor, params["actor"], batch)
        return TensorDict(
            {
                "loss_actor": -self._value(frozen, acted).mean(),
                "loss_value": (cost * batch["_weight"] if "_weight" in batch else cost).mean(),
                "td_error": error.detach().abs(),
                "pred_value": pred.detach(),
                "target_value": target.detach(),
                "pred_value_max": pred.detach().amax(),
                "target_value_max": target.detach().amax(),
            }
        )

    def _target(self, params: Any, batch: TensorDict) -> Tensor:
        actor = params["target"]["actor"] if self.delay_actor else params["actor"]
        value = params["target"]["value"] if self.delay_value else params["value"]
        after = batch["next"]
        following = self._value(value, functional_call(self.actor, actor, after))
        return self.value_estimator(after, following.detach())

    def _value(self, params: Any, td: TensorDict) -> Tensor:
        return scalar(functional_call(self.value, params, td), "state_action_value")
