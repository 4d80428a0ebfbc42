"""Twin delayed deep deterministic policy gradients (Fujimoto et al. 2018, arXiv:1802.09477)."""

from typing import NamedTuple

from torch import Tensor

from frl.algorithms.actor_q import ActorQ
from frl.algorithms.base import Algorithm
from frl.algorithms.ddpg import noisy_act
from frl.algorithms.delayed import begin, improve
from frl.algorithms.ranges import require_ranges
from frl.objectives import TD3Loss, td0
from frl.tensordict import TensorDict

_TWIN = 2


class TD3Config(NamedTuple):
    """Hyperparameters of `td3`; all become leaves of `train["hyper"]`, to be swept or annealed."""

    learning_rate: float = 1e-3
    anneal_updates: float = 0.0
    """Updates over which the learning rate falls linearly to zero; 0 keeps it constant."""
    gamma: float = 0.99
    noise: float = 0.1
    """The standard deviation of the exploration noise, in half-widths of the action's range."""
    policy_noise: float = 0.2
    """The standard deviation of the noise on the targets' actions, in half-widths of the action's range."""
    noise_clip: float = 0.5
    """Where that noise is clipped, in half-widths of the action's range."""
    policy_period: float = 2
    """Updates of the critics from one update of the policy to the next."""
    target_rate: float = 0.005
    """How far the target networks move towards the trained ones; 1 copies them."""
    target_period: float = 2
    """Updates from one move of the target networks to the next."""
    max_grad_norm: float = 10.0
    """Of the critics' gradient, and of the policy's."""


_DEFAULTS = TD3Config()


def td3(networks: ActorQ, config: TD3Config = _DEFAULTS) -> Algorithm:
    """TD3 over a policy and an action-value network, which `actor_q(observation_spec, action_spec)` makes for specs.

    It is DDPG with two critics, the lesser of which makes the target; with noise on the target's actions; and with a
    policy that moves less often than the critics. It learns from batches [B] of steps, as a replay buffer samples them.
    Of n-step replay it uses ("next", "discount"), of prioritised replay "_weight". Only termination makes the future
    worth nothing: a step that was cut by a time limit counts with the value of its true successor.

    Raises: ValueError for a hyperparameter out of range; KeyError, when it updates, if the batch lacks an entry.

    Metrics: "loss_actor", "loss_qvalue", "value", "learning_rate", and "td_error" [B], the priorities of the batch.
    """
    settings = config._asdict()
    require_ranges("td3", settings)

    def init(key: Tensor) -> TensorDict:
        return begin(networks.init_ensemble(_TWIN, key), ("actor", "qvalue"), settings)

    def update(train: TensorDict, batch: TensorDict, key: Tensor) -> tuple[TensorDict, TensorDict]:
        hyper = train["hyper"]
        loss = TD3Loss(
            networks.actor,
            networks.value,
            networks.action_spec,
            _TWIN,
            hyper["policy_noise"],
            hyper["noise_clip"],
            value_estimator=td0(hyper["gamma"]),
        )
        return improve(loss, train, batch, key)

    return Algorithm(init, noisy_act(networks), update)
