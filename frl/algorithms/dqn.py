"""Deep Q-learning (Mnih et al. 2015), with double Q-learning (van Hasselt et al. 2016, arXiv:1509.06461)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from frl import tree
from frl.algorithms.base import Algorithm
from frl.algorithms.gradient import clipped_adam, descend, leaves_of, linear_to_zero
from frl.algorithms.q_network import QNetwork
from frl.algorithms.ranges import require_ranges
from frl.nn import EGreedyModule, ExplorationType, QValueModule, functional_call
from frl.objectives import DQNLoss, ValueEstimator, follow, td0
from frl.tensordict import TensorDict


class DQNConfig(NamedTuple):
    """Hyperparameters of `dqn`; all but `double` become leaves of `train["hyper"]`, to be swept or annealed."""

    double: bool = True
    """The best action at the successor is that of the trained network, and its value that of the target network."""
    learning_rate: float = 1e-3
    anneal_updates: float = 0.0
    """Updates over which the learning rate falls linearly to zero; 0 keeps it constant."""
    gamma: float = 0.99
    epsilon_start: float = 1.0
    epsilon_end: float = 0.05
    epsilon_updates: float = 4_000
    """Updates over which the chance of a random action falls linearly from `epsilon_start` to `epsilon_end`."""
    target_rate: float = 0.01
    """How far the target network moves towards the trained one; 1 copies it."""
    target_period: float = 1
    """Updates from one move of the target network to the next."""
    max_grad_norm: float = 10.0


_DEFAULTS = DQNConfig()


def dqn(
    networks: QNetwork,
    config: DQNConfig = _DEFAULTS,
    estimator: Callable[[Tensor], ValueEstimator] = td0,
) -> Algorithm:
    """DQN over a network of action values, which `q_network(observation_spec, action_spec)` makes for specs.

    It learns from batches [B] of steps, as a replay buffer samples them. Of n-step replay it uses ("next", "discount"),
    of prioritised replay "_weight". Only termination makes the future worth nothing: a step that was cut by a time
    limit counts with the value of its true successor.

    Args: estimator: makes the target from γ; `lambda gamma: td_lambda(gamma, 0.8)` that of Peng's Q(λ), which sequences
        need (Harutyunyan et al. 2016, arXiv:1602.04951, on how far that may be off the policy).
    Raises: ValueError for a hyperparameter out of range; KeyError, when it updates, if the batch lacks an entry.

    Metrics: "loss", "value", "learning_rate", and "td_error" [B], the priorities of the batch.
    """
    settings = {name: value for name, value in config._asdict().items() if name != "double"}
    require_ranges("dqn", settings)
    written: Any = networks.module.out_keys
    carried = [key for key in written if key[0] == "next"]
    greedy, explorer = QValueModule(spec=networks.action_spec), EGreedyModule(networks.action_spec)

    def init(key: Tensor) -> TensorDict:
        value, hyper = networks.init(key), leaves_of(settings)
        params = {"value": value, "target": {"value": tree.map(torch.clone, value)}}
        opt = clipped_adam(hyper["learning_rate"], hyper["max_grad_norm"]).init(tree.ravel(value)[0])
        return TensorDict({"params": params, "opt": opt, "hyper": hyper, "updates": torch.zeros(())})

    def act(train: TensorDict, td: TensorDict, key: Tensor | None = None, explore: bool = True) -> TensorDict:
        acted = greedy(functional_call(networks.module, train["params", "value"], td))
        if explore:
            acted = functional_call(explorer, _exploration(train), acted, key=key, exploration=ExplorationType.RANDOM)
        return td.update(acted.select("action", *carried))

    def update(train: TensorDict, batch: TensorDict, key: Tensor) -> tuple[TensorDict, TensorDict]:
        hyper, params = train["hyper"], train["params"]
        target = estimator(hyper["gamma"])
        loss = DQNLoss(networks.module, networks.action_spec, double_dqn=config.double, value_estimator=target)

        def objective(value: Any) -> tuple[Tensor, TensorDict]:
            losses = loss({"value": value, "target": params["target"]}, batch)
            return losses["loss"], losses

        rate = linear_to_zero(hyper["learning_rate"], train["updates"], hyper["anneal_updates"])
        value, opt, losses = descend(
            objective, clipped_adam(rate, hyper["max_grad_norm"]), params["value"], train["opt"]
        )
        count = train["updates"] + 1
        params = follow(params.set("value", value), count, hyper["target_rate"], hyper["target_period"])
        train = train.update({"params": params, "opt": opt, "updates": count})
        metrics = {"loss": losses["loss"], "value": losses["pred_value"].mean(), "td_error": losses["td_error"]}
        return train, TensorDict({**metrics, "learning_rate": rate})

    return Algorithm(init, act, update)


def _exploration(train: TensorDict) -> dict[str, Tensor]:
    """The buffers of the ε-greedy module at this moment of the training."""
    hyper = train["hyper"]
    return {
        "init": hyper["epsilon_start"],
        "end": hyper["epsilon_end"],
        "annealing_num_steps": hyper["epsilon_updates"],
        "num_frames": train["updates"],
    }
