"""The loss of a model of an environment: maximum likelihood."""

import dataclasses
from typing import Any

from torch import Tensor

from frl.nn import DynamicsModule, from_module, functional_call
from frl.objectives.dqn import require_entries
from frl.tensordict import TensorDict


@dataclasses.dataclass(frozen=True)
class DynamicsLoss:
    """How unlikely a model takes what happened: −log p(s′ − s, r | s, a), the mean over its numbers.

    `loss(params, batch)` is a pure function of `params`, {"model"} as `init` makes them. It gives

        loss      [], the mean over the steps
        error     [*B], detached; the absolute error of the mean, over all numbers

    Where the batch has "_weight" [*B], each step counts so much: as often as it was drawn for a member of an ensemble,
    or as prioritised replay says. An ensemble is trained by its `vmap` over members and their weights.

    Raises: TypeError for another module; KeyError, when called, for a missing entry.
    Source: Janner et al. (2019), "When to trust your model: model-based policy optimization", arXiv:1906.08253.

    >>> import torch
    >>> from frl.nn import MLP, NormalParamWrapper
    >>> loss = DynamicsLoss(DynamicsModule(NormalParamWrapper(MLP(3 + 1, 2 * (3 + 1)))))
    >>> after = {"observation": torch.ones(5, 3), "reward": torch.ones(5, 1)}
    >>> steps = {"observation": torch.zeros(5, 3), "action": torch.ones(5, 1), "next": after}
    >>> losses = loss(loss.init(), TensorDict(steps, [5]))
    >>> losses["loss"].shape, losses["error"].shape
    (torch.Size([]), torch.Size([5]))
    """

    model: DynamicsModule

    def __post_init__(self) -> None:
        if not isinstance(self.model, DynamicsModule):
            raise TypeError(f"DynamicsLoss: model is a {type(self.model).__name__}; pass a DynamicsModule(net).")

    def init(self) -> TensorDict:
        """The model's own parameters."""
        return TensorDict({"model": from_module(self.model)})

    def __call__(self, params: Any, batch: TensorDict, key: Tensor | None = None) -> TensorDict:
        """The losses of `batch` [*B]; nothing is drawn."""
        require_entries("DynamicsLoss", batch, *self.model.in_keys, *self.model.out_keys)
        believed = functional_call(self.model.get_dist, params["model"], batch)
        happened = self.model.target(batch)
        cost = -believed.log_prob(happened).mean(-1)
        weighted = cost * batch["_weight"] if "_weight" in batch else cost
        error = (believed.loc - happened).abs().mean(-1)
        return TensorDict({"loss": weighted.mean(), "error": error.detach()})
