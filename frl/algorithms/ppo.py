"""Proximal policy optimisation with a clipped ratio (Schulman et al. 2017, arXiv:1707.06347)."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from frl import optim
from frl.algorithms.advantages import advantages, rows
from frl.algorithms.base import Algorithm
from frl.algorithms.epochs import epochs
from frl.algorithms.gradient import minimized
from frl.algorithms.networks import ActorCritic
from frl.algorithms.policy_gradient import policy_gradient
from frl.algorithms.ranges import require_ranges
from frl.objectives import ClipPPOLoss
from frl.tensordict import Key, TensorDict


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


def ppo(networks: ActorCritic, config: PPOConfig = _DEFAULTS) -> Algorithm:
    """PPO over a policy and a value network, which `actor_critic(observation_spec, action_spec)` makes for specs.

    Advantages are normalised in each minibatch, and values are clipped as the ratio is. An episode cut by a time limit
    is bootstrapped with the value of its true successor; only termination makes the future worth nothing. Minibatches
    of networks with a memory are of whole sequences, one for each environment.

    Raises: ValueError for a hyperparameter out of range; KeyError, when it updates, if the batch lacks an entry.

    Metrics: "loss_objective", "loss_critic", "entropy", "kl_approx", "clip_fraction", "learning_rate".
    """

    def loss(train: TensorDict) -> ClipPPOLoss:
        hyper = train["hyper"]
        costs = {"critic_coeff": hyper["value_cost"], "entropy_coeff": hyper["entropy_cost"]}
        clips = {"clip_value": hyper["value_clip"], "clip_epsilon": hyper["clip"]}
        return ClipPPOLoss(networks.actor, networks.critic, normalize_advantage=True, **costs, **clips)

    return proximal("ppo", networks, config._asdict(), loss)


_COUNTS = ("num_epochs", "num_minibatches")


def proximal(
    name: str,
    networks: ActorCritic,
    config: Mapping[str, float],
    loss: Callable[[TensorDict], Callable[[TensorDict, TensorDict], TensorDict]],
    keep: Sequence[Key] = (),
) -> Algorithm:
    """What both forms of PPO share: several passes over minibatches, in which `loss(train)` is minimised.

    Args: name: of the algorithm, for messages. config: its settings by name. keep: see `policy_gradient`.
    Raises: ValueError for a setting out of range.
    """
    sizes = (int(config["num_epochs"]), int(config["num_minibatches"]))
    settings = {name: value for name, value in config.items() if name not in _COUNTS}
    require_ranges(name, config)

    def learn(
        train: TensorDict, batch: TensorDict, optimizer: optim.Optimizer, key: Tensor
    ) -> tuple[TensorDict, TensorDict]:
        hyper = train["hyper"]
        data = rows(networks, advantages(networks, train["params"], batch, hyper["gamma"], hyper["lambda_"]))
        return epochs(minimized(loss(train)), optimizer, train, data, key, sizes)

    return policy_gradient(networks, settings, learn, keep)
