"""The losses of twin delayed deep deterministic policy gradients (Fujimoto et al. 2018, arXiv:1802.09477)."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor, nn

from frl import check, random, tree
from frl.nn import functional_call, initialize, initialize_ensemble
from frl.objectives.critics import Estimated, action_values, critic_losses
from frl.objectives.dqn import require_entries, square
from frl.objectives.value_estimators import ValueEstimator, td0
from frl.specs import Bounded, Spec
from frl.tensordict import TensorDict, scalar

_TD0 = td0()


@dataclasses.dataclass(frozen=True)
class TD3Loss(Estimated):
    """The errors of several Q(s, a) against r + γ min Q′(s′, a′), and the policy's loss −Q₁(s, π(s)).

    a′ is π′(s′) with noise: normal, clipped to ±`noise_clip`, and the sum projected onto the action's bounds, so that
    similar actions have similar targets. `loss(params, batch, key)` is a pure function of `params`, {"actor", "qvalue",
    "target": {"actor", "qvalue"}} as `init` makes them, where each leaf of "qvalue" is [N, ...]. "loss_qvalue" has a
    gradient for "qvalue" alone, and for numbers of the value estimator that are tensors, as γ may be; "loss_actor" for
    "actor" alone, so that both may be minimised as one sum. How often the policy moves is the algorithm's choice. It
    gives

        loss_actor                            []
        loss_qvalue                           [], the sum over the N critics
        pred_value, target_value, td_error    [*B], detached: the critics' mean, and the greatest of their |Q − target|

    Where the batch has "_weight" [*B], as prioritised replay gives it, each error of the values counts so much.

    Args: actor: a module over TensorDicts that writes "action". qvalue: one that reads it and writes
        "state_action_value" [*B, 1]. action_spec: of the actions, with finite bounds. num_qvalue_nets: N.
        policy_noise, noise_clip: in half-widths of the action's range, numbers or 0-d tensors. distance: what an error
        costs. value_estimator: the target; see `make_value_estimator`.
    Raises: TypeError for a spec without finite bounds, ValueError for a number out of range; when called, TypeError
        without a key and KeyError for a missing entry.

    >>> import torch
    >>> import torch
    >>> from frl.nn import MLP, Actor, ValueOperator
    >>> qvalue = ValueOperator(MLP(4, 1), ["observation", "action"])
    >>> loss = TD3Loss(Actor(nn.Linear(3, 1)), qvalue, Bounded(-1.0, 1.0, 1))
    >>> after = {"observation": torch.ones(10, 3), "reward": torch.ones(10, 1), "done": torch.ones(10, 1).bool()}
    >>> batch = TensorDict({"observation": torch.zeros(10, 3), "action": torch.zeros(10, 1), "next": after}, [10])
    >>> losses = loss(loss.init(random.key(0)), batch, random.key(1))
    >>> losses["loss_qvalue"].shape, losses["target_value"].tolist() == [1.0] * 10
    (torch.Size([]), True)
    """

    actor: nn.Module
    qvalue: nn.Module
    action_spec: Spec
    num_qvalue_nets: int = 2
    policy_noise: float | Tensor = 0.2
    noise_clip: float | Tensor = 0.5
    distance: Callable[[Tensor], Tensor] = square
    value_estimator: ValueEstimator = _TD0

    def __post_init__(self) -> None:
        check.at_least("TD3Loss", {"num_qvalue_nets": self.num_qvalue_nets}, 1)
        check.at_least("TD3Loss", {"policy_noise": self.policy_noise, "noise_clip": self.noise_clip}, 0)
        spec = self.action_spec
        if not isinstance(spec, Bounded) or not spec.dtype.is_floating_point or not spec._finite:
            raise TypeError(
                f"TD3Loss: the action spec is {type(spec).__name__} but must be Bounded, of floats, with finite "
                "bounds; give that of one environment's action, env.single_action_spec."
            )

    def init(self, key: Tensor) -> TensorDict:
        """Fresh parameters, and the same for the targets."""
        k_actor, k_qvalue = random.split(key)
        qvalue = initialize_ensemble(partial(initialize, self.qvalue), self.num_qvalue_nets, k_qvalue)
        params = {"actor": initialize(self.actor, k_actor), "qvalue": qvalue}
        return TensorDict({**params, "target": params})

    def __call__(self, params: Any, batch: TensorDict, key: Tensor) -> TensorDict:
        """The losses of `batch` [*B]; the noise is drawn from `key` [2]."""
        require_entries("TD3Loss", batch, "action", ("next", "reward"))
        pred = action_values(self.qvalue, params["qvalue"], batch)
        target = self._target(params["target"], batch["next"], key)
        first = tree.map(lambda x: x[0].detach(), params["qvalue"])
        acted = functional_call(self.actor, params["actor"], batch)
        value = scalar(functional_call(self.qvalue, first, acted), "state_action_value")
        losses = critic_losses(pred, target, batch, self.distance)
        return TensorDict({"loss_actor": -value.mean(), **losses})

    def _target(self, params: Any, after: TensorDict, key: Tensor) -> Tensor:
        acted = functional_call(self.actor, params["actor"], after)
        smoothed = acted.set("action", self._smoothed(acted["action"], key))
        value = action_values(self.qvalue, params["qvalue"], smoothed).amin(0)
        return self.value_estimator(after, value.detach())

    def _smoothed(self, action: Tensor, key: Tensor) -> Tensor:
        """`action` [*B, *A] with noise, between the bounds."""
        spec: Any = self.action_spec
        drawn = self.policy_noise * random.normal(action.shape, key, dtype=action.dtype)
        clipped: Any = drawn.clamp(-self.noise_clip, self.noise_clip)  # type: ignore[arg-type]
        return spec.project(action + clipped * (spec.high - spec.low) / 2)
