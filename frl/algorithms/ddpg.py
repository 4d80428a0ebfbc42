"""Deep deterministic policy gradients (Lillicrap et al. 2016, arXiv:1509.02971)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from frl import tree
from frl.algorithms.actor_q import ActorQ
from frl.algorithms.base import Algorithm
from frl.algorithms.gradient import clipped_adam, descend, leaves_of, linear_to_zero
from frl.algorithms.ranges import require_ranges
from frl.nn import AdditiveGaussianModule, ExplorationType, functional_call
from frl.objectives import DDPGLoss, follow, td0
from frl.tensordict import TensorDict


class DDPGConfig(NamedTuple):
    """Hyperparameters of `ddpg`; all become leaves of `train["hyper"]`, to be swept or annealed."""

    learning_rate: float = 1e-3
    anneal_updates: float = 0.0
    """Updates over which the learning rate falls linearly to zero; 0 keeps it constant."""
    gamma: float = 0.99
    noise: float = 0.1
    """The standard deviation of the exploration noise, in half-widths of the action's range."""
    target_rate: float = 0.005
    """How far the target networks move towards the trained ones; 1 copies them."""
    target_period: float = 1
    """Updates from one move of the target networks to the next."""
    max_grad_norm: float = 10.0


_DEFAULTS = DDPGConfig()


def ddpg(networks: ActorQ, config: DDPGConfig = _DEFAULTS) -> Algorithm:
    """DDPG over a policy and an action-value network, which `actor_q(observation_spec, action_spec)` makes for specs.

    It explores by Gaussian noise, and learns from batches [B] of steps, as a replay buffer samples them. Of n-step
    replay it uses ("next", "discount"), of prioritised replay "_weight". Only termination makes the future worth
    nothing: a step that was cut by a time limit counts with the value of its true successor.

    Raises: ValueError for a hyperparameter out of range; KeyError, when it updates, if the batch lacks an entry.

    Metrics: "loss_actor", "loss_value", "value", "learning_rate", and "td_error" [B], the priorities of the batch.
    """
    require_ranges("ddpg", config._asdict())

    def init(key: Tensor) -> TensorDict:
        params, hyper = networks.init(key), leaves_of(config._asdict())
        opt = clipped_adam(hyper["learning_rate"], hyper["max_grad_norm"]).init(tree.ravel(params)[0])
        params = params.set("target", tree.map(torch.clone, params))
        return TensorDict({"params": params, "opt": opt, "hyper": hyper, "updates": torch.zeros(())})

    def update(train: TensorDict, batch: TensorDict, key: Tensor) -> tuple[TensorDict, TensorDict]:
        hyper, params = train["hyper"], train["params"]
        loss = DDPGLoss(networks.actor, networks.value, value_estimator=td0(hyper["gamma"]))

        def objective(trained: TensorDict) -> tuple[Tensor, TensorDict]:
            losses = loss(trained.set("target", params["target"]), batch)
            return losses["loss_actor"] + losses["loss_value"], losses

        rate = linear_to_zero(hyper["learning_rate"], train["updates"], hyper["anneal_updates"])
        trained, opt, losses = descend(
            objective, clipped_adam(rate, hyper["max_grad_norm"]), params.exclude("target"), train["opt"]
        )
        count = train["updates"] + 1
        params = follow(params.update(trained), count, hyper["target_rate"], hyper["target_period"])
        metrics = losses.select("loss_actor", "loss_value", "td_error")
        metrics = metrics.update({"value": losses["pred_value"].mean(), "learning_rate": rate})
        return train.update({"params": params, "opt": opt, "updates": count}), metrics

    return Algorithm(init, noisy_act(networks), update)


def noisy_act(networks: ActorQ) -> Callable[..., TensorDict]:
    """`Algorithm.act` of a deterministic policy that explores by Gaussian noise of `train["hyper", "noise"]`.

    The noise is in half-widths of the action's range.

    >>> from frl import envs, random
    >>> from frl.algorithms import actor_q
    >>> env = envs.make("Pendulum-v1", batch_size=[3])
    >>> networks = actor_q(env.single_observation_spec, env.single_action_spec)
    >>> train = ddpg(networks).init(random.key(0))
    >>> noisy_act(networks)(train, env.reset(random.key(1)), random.key(2))["action"].shape
    torch.Size([3, 1])
    """
    spec: Any = networks.action_spec
    half_width = ((spec.high - spec.low) / 2).amax().item()
    explorer = AdditiveGaussianModule(spec, std=half_width)

    def act(train: TensorDict, td: TensorDict, key: Tensor | None = None, explore: bool = True) -> TensorDict:
        acted = functional_call(networks.actor, train["params", "actor"], td)
        if explore:
            noise = _exploration(train)
            acted = functional_call(explorer, noise, acted, key=key, exploration=ExplorationType.RANDOM)
        return td.set("action", acted["action"])

    return act


def _exploration(train: TensorDict) -> dict[str, Tensor]:
    """The buffers of the noise module: a noise that does not change."""
    noise, one = train["hyper", "noise"], torch.ones(())
    return {"init": noise, "end": noise, "annealing_num_steps": one, "num_frames": train["updates"]}
