"""The loss of the Decision Transformer (Chen et al. 2021, arXiv:2106.01345)."""

import dataclasses
from typing import Any

import torch
from torch import Tensor

from frl.nn import DecisionTransformerActor
from frl.nn.params import from_module, functional_call
from frl.objectives.dqn import require_entries
from frl.tensordict import TensorDict


@dataclasses.dataclass(frozen=True)
class DTLoss:
    """How far the actions of a data set are from those predicted for the returns that they led to.

    The cross entropy of a discrete action, the mean squared error of a continuous one. `loss(params, batch)` is a pure
    function of `params`, {"actor"} as `init` makes them. It gives

        loss      [], the mean over the steps that are no padding
        error     [*B, T], detached; 0 at padding

    A batch [*B, T] holds windows of at most the actor's `context` steps, each of one episode: "observation", "action",
    "return_to_go" [*B, T, 1], "time" [*B, T, 1] integers and, optionally, "mask" [*B, T], False for padding. That is
    what the buffer `frl.replay.sequence` samples of the steps that `frl.replay.return_conditioned` makes.

    Raises: when called: KeyError for a missing entry, ValueError for one of another shape.

    >>> from frl.nn import DecisionTransformer
    >>> from frl.specs import Categorical
    >>> loss = DTLoss(DecisionTransformerActor(DecisionTransformer(4, 2, embed_dim=8), Categorical(2), context=5))
    >>> time = torch.arange(5).expand(3, 5).unsqueeze(-1)
    >>> steps = {"observation": torch.ones(3, 5, 4), "return_to_go": 5.0 - time, "time": time}
    >>> losses = loss(loss.init(), TensorDict({**steps, "action": torch.zeros(3, 5, dtype=torch.int64)}, [3, 5]))
    >>> losses["loss"].shape, losses["error"].shape
    (torch.Size([]), torch.Size([3, 5]))
    """

    actor: DecisionTransformerActor

    def __post_init__(self) -> None:
        if not isinstance(self.actor, DecisionTransformerActor):
            raise TypeError(
                f"DTLoss: actor is a {type(self.actor).__name__}; pass a DecisionTransformerActor(network, "
                "env.single_action_spec)."
            )

    def init(self) -> TensorDict:
        """The actor's own parameters."""
        return TensorDict({"actor": from_module(self.actor)})

    def __call__(self, params: Any, batch: TensorDict, key: Tensor | None = None) -> TensorDict:
        """The losses of `batch` [*B, T]; nothing is drawn."""
        require_entries("DTLoss", batch, "observation", "action", "return_to_go", "time")
        actor, action = self.actor, batch["action"]
        prediction = functional_call(actor.predict, params["actor"], batch)
        if actor.spec.domain == "discrete":
            error = -(prediction.log_softmax(-1) * actor.encode(action)).sum(-1)
        else:
            error = (actor.decode(prediction) - action).square().mean(-1)
        if "mask" not in batch:
            return TensorDict({"loss": error.mean(), "error": error.detach()})
        error = torch.where(batch["mask"], error, 0.0)
        return TensorDict({"loss": error.sum() / batch["mask"].sum().clamp(min=1), "error": error.detach()})
