"""What the losses of a stochastic policy and a value of states have in common."""

import dataclasses
from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn

from frl import check
from frl import functional as F
from frl.distributions import Distribution
from frl.nn import over_time
from frl.nn.params import from_module, functional_call
from frl.objectives.dqn import require_entries
from frl.tensordict import TensorDict, scalar

REMEDY = "collect by the policy itself, and add the advantages by frl.algorithms.advantages"


@dataclasses.dataclass(frozen=True)
class ActorCriticLoss(ABC):
    """A policy's objective, the error of its values, and a bonus for entropy; each subclass says its objective.

    Args: actor: a probabilistic module over TensorDicts, such as `ProbabilisticActor`, whose value is "action". critic:
        a module that writes "state_value" [*B, 1]. critic_coeff, entropy_coeff: how much the two other terms count.
        clip_value: how far a value may move from "state_value" of the batch; None for any distance.
        normalize_advantage: whether the advantages of the batch are brought to mean 0 and standard deviation 1.
    """

    actor: Any
    critic: nn.Module
    critic_coeff: float | Tensor = 1.0
    entropy_coeff: float | Tensor = 0.01
    clip_value: float | Tensor | None = None
    normalize_advantage: bool = False

    def __post_init__(self) -> None:
        name = type(self).__name__
        require_policy(name, self.actor)
        check.at_least(name, {"critic_coeff": self.critic_coeff, "entropy_coeff": self.entropy_coeff}, 0)
        if self.clip_value is not None:
            check.above(name, {"clip_value": self.clip_value}, 0)

    def init(self) -> TensorDict:
        """The networks' own parameters, {"actor", "critic"}."""
        return TensorDict({"actor": from_module(self.actor), "critic": from_module(self.critic)})

    def __call__(self, params: Any, batch: TensorDict, key: Tensor | None = None) -> TensorDict:
        """The losses of `batch` [*B]; nothing is drawn."""
        old = () if self.clip_value is None else ("state_value",)
        reads = ("action", "advantage", "value_target", *old, *self._reads())
        require_entries(type(self).__name__, batch, *reads, remedy=REMEDY)
        policy = distribution(self.actor, params["actor"], batch)
        log_prob = joint(policy.log_prob(batch["action"]), batch)
        advantage = scalar(batch, "advantage")
        advantage = F.standardize(advantage) if self.normalize_advantage else advantage
        objective, said = self._objective(policy, log_prob, advantage, batch)
        critic = value_loss(self.critic, params["critic"], batch, self.clip_value)
        entropy = joint(policy.entropy(), batch).mean()
        loss = objective + self.critic_coeff * critic - self.entropy_coeff * entropy
        return TensorDict(
            {"loss": loss, "loss_objective": objective, "loss_critic": critic, "entropy": entropy, **said}
        )

    @abstractmethod
    def _objective(
        self, policy: Distribution, log_prob: Tensor, advantage: Tensor, batch: TensorDict
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of the policy, [], and what else is to be known of it."""

    def _reads(self) -> tuple[Any, ...]:
        """What the objective reads of the batch, besides "action" and "advantage"."""
        return ()


def distribution(actor: Any, params: Any, batch: TensorDict) -> Distribution:
    """The policy's distribution of actions in the states of `batch` [*B]; a recurrent one reads sequences [*B, T].

    >>> import torch
    >>> from frl.distributions import Categorical
    >>> from frl.nn import ProbabilisticActor, TensorDictModule
    >>> net = TensorDictModule(nn.Linear(4, 2), ["observation"], ["logits"])
    >>> actor = ProbabilisticActor(net, ["logits"], distribution_class=Categorical)
    >>> distribution(actor, from_module(actor), TensorDict({"observation": torch.ones(3, 4)}, [3]))
    Categorical(logits: [3, 2])
    """
    found: Distribution = functional_call(over_time(actor).get_dist, params, batch)
    return found


def value_loss(critic: nn.Module, params: Any, batch: TensorDict, clip: float | Tensor | None = None) -> Tensor:
    """½ mean (V − "value_target")² over `batch` [*B], with V clipped around "state_value" if there is a clip.

    A recurrent critic reads sequences [*B, T].

    >>> import torch
    >>> from frl.nn import TensorDictModule
    >>> critic = TensorDictModule(lambda x: 2 * x, ["x"], ["state_value"])
    >>> batch = TensorDict({"x": torch.ones(3, 1), "value_target": torch.zeros(3, 1)}, [3])
    >>> value_loss(critic, {}, batch).item()
    2.0
    """
    value = scalar(functional_call(over_time(critic), params, batch), "state_value")
    target = scalar(batch, "value_target")
    if clip is None:
        return 0.5 * (value - target).square().mean()
    return F.clipped_value_loss(value, scalar(batch, "state_value"), target, clip)


def joint(x: Tensor, batch: TensorDict) -> Tensor:
    """Log-probability or entropy [*B] of a whole action: the sum over components that a distribution keeps apart.

    >>> import torch
    >>> joint(torch.ones(3, 2), TensorDict({"action": torch.ones(3, 2)}, [3])).tolist()
    [2.0, 2.0, 2.0]
    """
    return x.flatten(batch.batch_dims).sum(-1) if x.ndim > batch.batch_dims else x


def require_policy(loss: str, actor: Any) -> None:
    """Raises TypeError, which names `loss`, unless `actor` is a module that has a distribution.

    >>> require_policy("A2CLoss", nn.Linear(4, 2))
    Traceback (most recent call last):
    TypeError: A2CLoss: actor is a Linear, which has no distribution; pass a ProbabilisticActor.
    """
    if not isinstance(actor, nn.Module) or not hasattr(actor, "get_dist"):
        raise TypeError(
            f"{loss}: actor is a {type(actor).__name__}, which has no distribution; pass a ProbabilisticActor."
        )
