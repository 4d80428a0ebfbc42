"""The losses of the soft actor-critic with a learnt temperature (Haarnoja et al. 2018, arXiv:1812.05905)."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from frl import check, random
from frl.nn import ProbabilisticActor, functional_call, initialize, initialize_ensemble
from frl.objectives.actor_critic import require_policy
from frl.objectives.critics import Estimated, action_values, critic_losses, detached
from frl.objectives.dqn import require_entries, square
from frl.objectives.value_estimators import ValueEstimator, td0
from frl.tensordict import TensorDict

_TD0 = td0()


@dataclasses.dataclass(frozen=True)
class SACLoss(Estimated):
    """The errors of several Q(s, a) against r + γ (min Q′(s′, a′) − α log π(a′|s′)), and what is best for π and α.

    a′ is drawn from the policy. Its loss is α log π(a|s) − min Q(s, a) of an action drawn anew; that of the temperature
    α, log α (−log π(a|s) − H̄), makes the entropy H̄ on average. `loss(params, batch, key)` is a pure function of
    `params`, {"actor", "qvalue", "log_alpha", "target": {"qvalue"}} as `init` makes them, where each leaf of "qvalue"
    is [N, ...]. "loss_qvalue" has a gradient for "qvalue" alone, and for numbers of the value estimator that are
    tensors, as γ may be; "loss_actor" for "actor" alone, "loss_alpha" for "log_alpha" alone, so that all may be
    minimised as one sum. It gives

        loss_actor, loss_alpha                []
        loss_qvalue                           [], the sum over the N critics
        alpha, entropy                        [], detached; the mean of −log π(a|s)
        pred_value, target_value, td_error    [*B], detached: the critics' mean, and the greatest of their |Q − target|

    Where the batch has "_weight" [*B], as prioritised replay gives it, each error of the values counts so much.

    Args: actor: writes "action", from a distribution that has `rsample`. qvalue: a module over TensorDicts that reads
        it and writes "state_action_value" [*B, 1]. num_qvalue_nets: N. target_entropy: H̄, a number or a 0-d tensor;
        None for −|A|, the negative number of an action's elements. distance: what an error costs. value_estimator: the
        target; see `make_value_estimator`.
    Raises: TypeError for an actor without a distribution, ValueError for a number out of range; when called, KeyError
        for a missing entry and NotImplementedError for a distribution without `rsample`.

    >>> from frl.distributions import TanhNormal
    >>> from frl.nn import MLP, NormalParamWrapper, TensorDictModule, ValueOperator
    >>> net = TensorDictModule(NormalParamWrapper(MLP(3, 2)), ["observation"], ["loc", "scale"])
    >>> actor = ProbabilisticActor(net, ["loc", "scale"], distribution_class=TanhNormal)
    >>> loss = SACLoss(actor, ValueOperator(MLP(4, 1), ["observation", "action"]))
    >>> after = {"observation": torch.ones(10, 3), "reward": torch.ones(10, 1), "done": torch.ones(10, 1).bool()}
    >>> batch = TensorDict({"observation": torch.zeros(10, 3), "action": torch.zeros(10, 1), "next": after}, [10])
    >>> losses = loss(loss.init(random.key(0)), batch, random.key(1))
    >>> losses["loss_qvalue"].shape, losses["alpha"].item(), losses["target_value"].tolist() == [1.0] * 10
    (torch.Size([]), 1.0, True)
    """

    actor: ProbabilisticActor
    qvalue: nn.Module
    num_qvalue_nets: int = 2
    target_entropy: float | Tensor | None = None
    distance: Callable[[Tensor], Tensor] = square
    value_estimator: ValueEstimator = _TD0

    def __post_init__(self) -> None:
        require_policy(type(self).__name__, self.actor)
        check.at_least(type(self).__name__, {"num_qvalue_nets": self.num_qvalue_nets}, 1)

    def init(self, key: Tensor) -> TensorDict:
        """Fresh parameters, the same critics for the target, and the temperature 1."""
        return soft_parameters(self.actor, self.qvalue, self.num_qvalue_nets, key)

    def __call__(self, params: Any, batch: TensorDict, key: Tensor) -> TensorDict:
        """The losses of `batch` [*B]; actions are drawn from `key` [2]."""
        require_entries(type(self).__name__, batch, "action", ("next", "reward"))
        k_target, k_actor = random.split(key)
        alpha = params["log_alpha"].detach().exp()
        pred = action_values(self.qvalue, params["qvalue"], batch)
        losses = critic_losses(pred, self._target(params, batch["next"], alpha, k_target), batch, self.distance)
        acted, log_prob = self._act(params["actor"], batch, k_actor)
        value = self.policy_value(action_values(self.qvalue, detached(params["qvalue"]), acted))
        aim = self.target_entropy
        if aim is None:
            aim = -float(batch["action"][(0,) * batch.batch_dims].numel())
        return TensorDict(
            {
                "loss_actor": (alpha * log_prob - value).mean(),
                **losses,
                **temperature(params["log_alpha"], -log_prob, aim),
            }
        )

    def target_value(self, values: Tensor, key: Tensor) -> Tensor:
        """Of the values [N, *B] of the successors' actions, those [*B] that make the target: here the least."""
        return values.amin(0)

    def policy_value(self, values: Tensor) -> Tensor:
        """Of the values [N, *B] of the policy's actions, those [*B] that it maximises: here the least."""
        return values.amin(0)

    def _target(self, params: Any, after: TensorDict, alpha: Tensor, key: Tensor) -> Tensor:
        k_act, k_value = random.split(key)
        acted, log_prob = self._act(detached(params["actor"]), after, k_act)
        value = self.target_value(action_values(self.qvalue, params["target"]["qvalue"], acted), k_value)
        return self.value_estimator(after, (value - alpha * log_prob).detach())

    def _act(self, params: Any, td: TensorDict, key: Tensor) -> tuple[TensorDict, Tensor]:
        """`td` [*B] with actions of the policy, and the log-probability [*B] of each as a whole."""
        action, log_prob = functional_call(self.actor.get_dist, params, td).rsample_and_log_prob(key)
        return td.set("action", action), log_prob.reshape(*td.batch_size, -1).sum(-1)


def soft_parameters(actor: nn.Module, qvalue: nn.Module, num_qvalue_nets: int, key: Tensor) -> TensorDict:
    """Fresh parameters {"actor", "qvalue", "log_alpha", "target": {"qvalue"}} with the temperature 1.

    >>> list(soft_parameters(nn.Linear(3, 2), nn.Linear(3, 2), 2, random.key(0)))
    ['actor', 'log_alpha', 'qvalue', 'target']
    """
    k_actor, k_qvalue = random.split(key)
    critics = initialize_ensemble(partial(initialize, qvalue), num_qvalue_nets, k_qvalue)
    params = {"actor": initialize(actor, k_actor), "qvalue": critics, "log_alpha": torch.zeros(())}
    return TensorDict({**params, "target": {"qvalue": critics}})


def temperature(log_alpha: Tensor, entropy: Tensor, target_entropy: float | Tensor) -> dict[str, Tensor]:
    """The loss of the temperature, itself, and the mean entropy, from the entropies [*B] of the policy.

    >>> found = temperature(torch.tensor(0.0), torch.tensor([1.0, 3.0]), 0.5)
    >>> [found[name].item() for name in ("loss_alpha", "alpha", "entropy")]
    [0.0, 1.0, 2.0]
    """
    mean = entropy.detach().mean()
    return {"loss_alpha": log_alpha * (mean - target_entropy), "alpha": log_alpha.detach().exp(), "entropy": mean}
