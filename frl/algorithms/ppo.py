"""Proximal policy optimisation with a clipped ratio (Schulman et al. 2017, arXiv:1707.06347)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from frl import check, optim, tree
from frl import functional as F
from frl.algorithms.base import Algorithm
from frl.algorithms.epochs import epochs
from frl.algorithms.gradient import leaves_of, linear_to_zero
from frl.algorithms.networks import ActorCritic
from frl.tensordict import TensorDict, scalar


class PPOConfig(NamedTuple):
    """Hyperparameters of `ppo`; all but the two counts become leaves of `train["hyper"]`, to be swept or annealed."""

    num_epochs: int = 4
    num_minibatches: int = 4
    learning_rate: float = 2.5e-4
    anneal_updates: float = 0.0
    """Updates over which the learning rate falls linearly to zero; 0 keeps it constant."""
    gamma: float = 0.99
    lambda_: float = 0.95
    clip: float = 0.2
    value_clip: float = 0.2
    """How far a value may move from its old one, in units of return; infinite where returns are far from 1."""
    value_cost: float = 0.5
    entropy_cost: float = 0.01
    max_grad_norm: float = 0.5


_DEFAULTS = PPOConfig()
_COUNTS = ("num_epochs", "num_minibatches")


def ppo(networks: ActorCritic, config: PPOConfig = _DEFAULTS) -> Algorithm:
    """PPO over a policy and a value network, which `actor_critic(observation_spec, action_spec)` makes for specs.

    Advantages are normalised in each minibatch, and values are clipped as the ratio is. An episode cut by a time limit
    is bootstrapped with the value of its true successor; only termination makes the future worth nothing.

    Raises: ValueError for a hyperparameter out of range; KeyError, when it updates, if the batch lacks an entry.

    Metrics: "loss_objective", "loss_critic", "entropy", "kl_approx", "clip_fraction", "learning_rate".
    """
    _check(config)
    sizes = (config.num_epochs, config.num_minibatches)
    settings = {name: value for name, value in config._asdict().items() if name not in _COUNTS}

    def init(key: Tensor) -> TensorDict:
        params = networks.init(key)
        hyper = leaves_of(settings)
        opt = _optimizer(hyper, hyper["learning_rate"]).init(tree.ravel(params)[0])
        return TensorDict({"params": params, "opt": opt, "hyper": hyper, "updates": torch.zeros(())})

    def act(train: TensorDict, td: TensorDict, key: Tensor | None = None, explore: bool = True) -> TensorDict:
        return networks.act(train["params", "actor"], td, key, explore)

    def update(train: TensorDict, batch: TensorDict, key: Tensor) -> tuple[TensorDict, TensorDict]:
        hyper = train["hyper"]
        data = _targets(networks, train["params"], batch, hyper).flatten()
        rate = linear_to_zero(hyper["learning_rate"], train["updates"], hyper["anneal_updates"])

        def loss(params: Any, data: TensorDict) -> tuple[Tensor, TensorDict]:
            return ppo_loss(networks, params, data, hyper)

        train, metrics = epochs(loss, _optimizer(hyper, rate), train, data, key, sizes)
        return train.set("updates", train["updates"] + 1), metrics.set("learning_rate", rate)

    return Algorithm(init, act, update)


def _check(config: PPOConfig) -> None:
    values = config._asdict()
    check.at_least("ppo", {name: values[name] for name in _COUNTS}, 1)
    check.at_least("ppo", {name: value for name, value in values.items() if name not in _COUNTS}, 0)
    check.at_most("ppo", {"gamma": config.gamma, "lambda_": config.lambda_}, 1)
    check.above("ppo", {"clip": config.clip, "value_clip": config.value_clip, "max_grad_norm": config.max_grad_norm}, 0)


def _optimizer(hyper: Mapping[str, Tensor], rate: Tensor) -> optim.Optimizer:
    return optim.chain(optim.clip_by_global_norm(hyper["max_grad_norm"]), optim.adam(rate, eps=1e-5))


def _targets(networks: ActorCritic, params: TensorDict, batch: TensorDict, hyper: TensorDict) -> TensorDict:
    """What the loss reads of each step, [T, *B]: the batch with "value", "advantage" and "value_target" [T, *B]."""
    for key in ("action", "sample_log_prob", *(("next", name) for name in ("reward", "terminated", "truncated"))):
        if key not in batch:
            found = list(batch.keys(include_nested=True, leaves_only=True))
            raise KeyError(
                f"ppo: the batch has no entry {key!r}, only {found}; make it by collect(env, algorithm.act, ...)."
            )
    batch = batch.permute(-1, *range(batch.batch_dims - 1))
    after = batch["next"]
    value = networks.value(params["critic"], batch)
    advantage = F.gae(
        scalar(after, "reward"),
        value,
        networks.value(params["critic"], after),
        scalar(after, "terminated"),
        scalar(after, "truncated"),
        hyper["gamma"],
        hyper["lambda_"],
    )
    return batch.exclude("next").update({"value": value, "advantage": advantage, "value_target": advantage + value})


def ppo_loss(networks: ActorCritic, params: Any, data: TensorDict, hyper: TensorDict) -> tuple[Tensor, TensorDict]:
    """The clipped objective, the clipped value loss and the entropy bonus of a minibatch [B], and their metrics."""
    distribution = networks.distribution(params["actor"], data)
    log_prob = _joint(distribution.log_prob(data["action"]), data)
    old_log_prob = _joint(data["sample_log_prob"], data)
    objective = F.clipped_surrogate(log_prob, old_log_prob, F.standardize(data["advantage"]), hyper["clip"])
    value = networks.value(params["critic"], data)
    critic = F.clipped_value_loss(value, data["value"], data["value_target"], hyper["value_clip"])
    entropy = _joint(distribution.entropy(), data).mean()
    metrics = {
        "loss_objective": objective,
        "loss_critic": critic,
        "entropy": entropy,
        "kl_approx": F.approx_kl(log_prob, old_log_prob),
        "clip_fraction": F.clip_fraction(log_prob, old_log_prob, hyper["clip"]),
    }
    return objective + hyper["value_cost"] * critic - hyper["entropy_cost"] * entropy, TensorDict(metrics)


def _joint(x: Tensor, data: TensorDict) -> Tensor:
    """Log-probability or entropy [*B] of a whole action: the sum over components that a distribution keeps apart."""
    return x.flatten(data.batch_dims).sum(-1) if x.ndim > data.batch_dims else x
