"""How each algorithm of the command line is put together for an environment."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from frl.algorithms import (
    Algorithm,
    actor_critic,
    actor_q,
    ddpg,
    dqn,
    explored_by,
    ppo,
    q_network,
    redq,
    sac,
    stochastic_actor_q,
    td3,
)
from frl.cli.errors import UsageError
from frl.cli.options import Options
from frl.compilation import compile
from frl.envs import Env
from frl.nn import OrnsteinUhlenbeckProcessModule
from frl.replay import uniform
from frl.training.loop import Loop
from frl.training.off_policy import off_policy
from frl.training.on_policy import on_policy
from frl.transforms import Compose, InitTracker, TransformedEnv, make_tensordict_primer


class Recipe(NamedTuple):
    """An algorithm of the command line.

    title: how it is called in print. algorithm: what learns. loop: what trains it; compiled where the environment is
    not, if so asked. gradient_steps, samples: how many between two rollouts, and of how many steps each.
    """

    title: str
    algorithm: Callable[[Env, Any], Algorithm]
    loop: Callable[[Env, Algorithm, Any, bool], Loop]
    gradient_steps: Callable[[Any], int]
    samples: Callable[[Any], int]


def _ppo(env: Env, config: Any) -> Algorithm:
    return ppo(actor_critic(env.single_observation_spec, env.single_action_spec), config)


def _dqn(env: Env, config: Any) -> Algorithm:
    return dqn(q_network(env.single_observation_spec, env.single_action_spec), config)


def _ddpg(env: Env, config: Any) -> Algorithm:
    return ddpg(actor_q(env.single_observation_spec, env.single_action_spec), config)


def _td3(env: Env, config: Any) -> Algorithm:
    return td3(actor_q(env.single_observation_spec, env.single_action_spec), config)


def _sac(env: Env, config: Any) -> Algorithm:
    return sac(stochastic_actor_q(env.single_observation_spec, env.single_action_spec), config)


def _redq(env: Env, config: Any) -> Algorithm:
    return redq(stochastic_actor_q(env.single_observation_spec, env.single_action_spec), config)


def _on_policy(env: Env, algorithm: Algorithm, options: Options, compiled: bool) -> Loop:
    return on_policy(env, algorithm, options.rollout_length)


def _off_policy(env: Env, algorithm: Algorithm, options: Any, compiled: bool) -> Loop:
    replay = options.replay
    if getattr(options, "noise", 0.0):
        env, algorithm = _correlated(env, algorithm, options.noise)
    buffer = uniform(replay.capacity, replay.batch_size)
    if compiled:
        buffer = buffer._replace(add=compile(buffer.add, donate=True))
    return off_policy(env, algorithm, buffer, options.rollout_length, replay.updates_per_rollout, replay.warmup)


_FORGETTING = 0.1  # of the noise at each step: it is correlated over about 10


def _correlated(env: Env, algorithm: Algorithm, noise: float) -> tuple[Env, Algorithm]:
    """Both with an Ornstein-Uhlenbeck process of that standard deviation, in half-widths of the action's range."""
    spec: Any = env.single_action_spec
    if spec.domain == "discrete":
        raise UsageError(f"--noise is {noise}, which is added to continuous actions; leave it out for choices.")
    half_width = ((spec.high - spec.low) / 2).amax().item()
    sigma = noise * half_width * math.sqrt(_FORGETTING * (2 - _FORGETTING))
    process = OrnsteinUhlenbeckProcessModule(spec, eps_end=1.0, theta=_FORGETTING, sigma=sigma, dt=1.0)
    carried = TransformedEnv(env, Compose(InitTracker(), make_tensordict_primer(process)))
    return carried, explored_by(algorithm, process)


def _minibatch(options: Any) -> int:
    return options.num_envs * options.rollout_length // options.config.num_minibatches


def _updates(options: Any) -> int:
    return options.replay.updates_per_rollout


def _sample(options: Any) -> int:
    return options.replay.batch_size


RECIPES: dict[str, Recipe] = {
    "ppo": Recipe(
        "PPO", _ppo, _on_policy, lambda options: options.config.num_epochs * options.config.num_minibatches, _minibatch
    ),
    "dqn": Recipe("DQN", _dqn, _off_policy, _updates, _sample),
    "ddpg": Recipe("DDPG", _ddpg, _off_policy, _updates, _sample),
    "td3": Recipe("TD3", _td3, _off_policy, _updates, _sample),
    "sac": Recipe("SAC", _sac, _off_policy, _updates, _sample),
    "redq": Recipe("REDQ", _redq, _off_policy, _updates, _sample),
}
