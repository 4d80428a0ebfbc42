"""Bootstrapped DQN (Osband et al. 2016, arXiv:1602.04621), with randomised priors (2018, arXiv:1806.03335)."""

import copy
from typing import Any, NamedTuple

import torch
from torch import Tensor

from frl import random, tree
from frl.algorithms.base import Algorithm
from frl.algorithms.gradient import clipped_adam, descend, leaves_of, linear_to_zero
from frl.algorithms.q_network import QNetwork
from frl.algorithms.ranges import require_ranges
from frl.nn import (
    EnsembleMemberModule,
    ExplorationType,
    QValueModule,
    RandomizedPrior,
    ensemble_call,
    initialize_ensemble,
)
from frl.objectives import DQNLoss, follow, td0
from frl.objectives.dqn import require_entries
from frl.optim import Optimizer
from frl.tensordict import TensorDict


class BootstrappedDQNConfig(NamedTuple):
    """Hyperparameters of `bootstrapped_dqn`; all but `num_members` and `double` become leaves of `train["hyper"]`."""

    num_members: int = 10
    double: bool = True
    """The best action at the successor is that of the trained network, and its value that of the target network."""
    mask_probability: float = 0.5
    """How likely each member is to learn from a step, drawn when the step is made."""
    prior_scale: float = 3.0
    """What the values of each member's prior, a network that is never trained, are multiplied by; 0 for none."""
    learning_rate: float = 1e-3
    anneal_updates: float = 0.0
    """Updates over which the learning rate falls linearly to zero; 0 keeps it constant."""
    gamma: float = 0.99
    target_rate: float = 0.01
    """How far the target networks move towards the trained ones; 1 copies them."""
    target_period: float = 1
    """Updates from one move of the target networks to the next."""
    max_grad_norm: float = 10.0
    """Of each member's gradient."""


_DEFAULTS = BootstrappedDQNConfig()
_STATIC = ("num_members", "double")


def bootstrapped_dqn(networks: QNetwork, config: BootstrappedDQNConfig = _DEFAULTS) -> Algorithm:
    """An ensemble of DQNs, one of which acts for a whole episode; `q_network` makes the network of a member for specs.

    Each member has its own first parameters, prior, target and share of the data, so that they agree on what was tried
    and differ on what was not; who acts by one of them to the end of an episode explores what it believes in, however
    many steps away. Nothing else is random in its actions. The greedy policy takes the action of the greatest mean.

    The member that acts is carried from step to step: the environment needs the transforms `InitTracker()` and
    `make_tensordict_primer(EnsembleMemberModule(num_members))`. What it learns from is what it wrote as it acted: each
    step has a "bootstrap_mask" [*B, N], which says what members learn from it. It learns from batches [B] as `dqn`
    does, and reads of them what `dqn` reads.

    Raises: ValueError for a hyperparameter out of range; TypeError for a network with a memory or one that draws;
        KeyError, when it explores or updates, if an entry is missing.

    Metrics: "loss" and "value", the means over members, "disagreement", the deviation of the members' values of the
    actions taken, "learning_rate", and "td_error" [B], the mean over members, the priorities of the batch.
    """
    settings = {name: value for name, value in config._asdict().items() if name not in _STATIC}
    require_ranges("bootstrapped_dqn", {**settings, "num_members": config.num_members})
    _require_memoryless(networks)
    network = RandomizedPrior(networks.module, copy.deepcopy(networks.module))
    choose, greedy = EnsembleMemberModule(config.num_members), QValueModule(spec=networks.action_spec)

    def init(key: Tensor) -> TensorDict:
        value, prior = (initialize_ensemble(networks.init, config.num_members, k) for k in random.split(key))
        hyper = leaves_of(settings)
        begin = clipped_adam(hyper["learning_rate"], hyper["max_grad_norm"]).init
        opt = torch.vmap(lambda member: TensorDict(begin(tree.ravel(member)[0])))(value)
        params = {"value": value, "prior": prior, "target": {"value": tree.map(torch.clone, value)}}
        return TensorDict({"params": params, "opt": opt, "hyper": hyper, "updates": torch.zeros(())})

    def act(train: TensorDict, td: TensorDict, key: Tensor | None = None, explore: bool = True) -> TensorDict:
        params, hyper = train["params"], train["hyper"]
        scale = hyper["prior_scale"].expand(config.num_members)
        seen = td.select(*network.in_keys)
        values = ensemble_call(network, _member(params["value"], params["prior"], scale), seen)["action_value"]
        if not explore:
            return td.set("action", greedy(seen.set("action_value", values.mean(0)))["action"])
        k_member, k_mask = random.split(key) if key is not None else (None, None)
        td = choose(td, key=k_member, exploration=ExplorationType.RANDOM)
        action = greedy(seen.set("action_value", _of_member(values, td["member"])))["action"]
        shape = (*td.batch_size, config.num_members)
        mask = random.bernoulli(hyper["mask_probability"].expand(shape), k_mask)  # type: ignore[arg-type]
        return td.update({"action": action, "bootstrap_mask": mask})

    def update(train: TensorDict, batch: TensorDict, key: Tensor) -> tuple[TensorDict, TensorDict]:
        require_entries("bootstrapped_dqn", batch, "bootstrap_mask", remedy="collect it by act, which draws the mask")
        hyper, params = train["hyper"], train["params"]
        estimator = td0(hyper["gamma"])
        loss = DQNLoss(network, networks.action_spec, double_dqn=config.double, value_estimator=estimator)
        rate = linear_to_zero(hyper["learning_rate"], train["updates"], hyper["anneal_updates"])
        value, opt, losses = _learned(loss, clipped_adam(rate, hyper["max_grad_norm"]), train, batch)
        count = train["updates"] + 1
        params = follow(params.set("value", value), count, hyper["target_rate"], hyper["target_period"])
        return train.update({"params": params, "opt": opt, "updates": count}), _metrics(losses, rate)

    return Algorithm(init, act, update)


def _learned(loss: DQNLoss, optimizer: Optimizer, train: TensorDict, batch: TensorDict) -> tuple[TensorDict, ...]:
    """Each member's step down its own loss: new values, the optimiser's states, and what the losses say, [N, ...]."""
    params, scale = train["params"], train["hyper", "prior_scale"]

    def member(value: Any, target: Any, prior: Any, opt: Any, weight: Tensor) -> tuple[TensorDict, ...]:
        own, frozen = batch.set("_weight", weight), {"value": _member(target, prior, scale)}

        def objective(value: Any) -> tuple[Tensor, TensorDict]:
            losses = loss({"value": _member(value, prior, scale), "target": frozen}, own)
            return losses["loss"], losses

        return descend(objective, optimizer, value, opt)

    frozen = params["target", "value"]
    return torch.vmap(member)(params["value"], frozen, params["prior"], train["opt"], _weights(batch))


def _member(trained: Any, prior: Any, scale: Tensor) -> TensorDict:
    """The parameters of a `RandomizedPrior`."""
    return TensorDict({"module": trained, "prior": prior, "scale": scale})


def _of_member(values: Tensor, member: Tensor) -> Tensor:
    """Of the values of all members [N, *B, n] those [*B, n] of the member of each row, [*B, 1]."""
    index = member.unsqueeze(-1).expand(*member.shape, values.shape[-1])
    return values.movedim(0, -2).gather(-2, index).squeeze(-2)


def _weights(batch: TensorDict) -> Tensor:
    """How much each step counts for each member, [N, *B]."""
    mask = batch["bootstrap_mask"].movedim(-1, 0)
    return mask * batch["_weight"] if "_weight" in batch else mask.to(batch["next", "reward"].dtype)


def _metrics(losses: TensorDict, rate: Tensor) -> TensorDict:
    """Of what the losses of all members say, each with an axis for them in front."""
    value = losses["pred_value"]
    return TensorDict(
        {
            "loss": losses["loss"].mean(),
            "value": value.mean(),
            "disagreement": value.std(0, correction=0).mean(),
            "learning_rate": rate,
            "td_error": losses["td_error"].mean(0),
        }
    )


def _require_memoryless(networks: QNetwork) -> None:
    written: Any = networks.module.out_keys
    carried = [key for key in written if key[0] == "next"]
    if carried:
        raise TypeError(
            f"bootstrapped_dqn: the network writes {carried[0]!r}, so it has a memory, of which each member would need "
            "its own; give one without, as q_network makes it."
        )
