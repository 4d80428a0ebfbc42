"""How each algorithm of the command line is put together for an environment."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from torch import nn

from frl.algorithms import (
    ActorCritic,
    Algorithm,
    a2c,
    actor_critic,
    actor_q,
    bootstrapped_dqn,
    ddpg,
    dqn,
    explored_by,
    ppo,
    ppo_penalty,
    q_network,
    recurrent_actor_critic,
    redq,
    reinforce,
    sac,
    stochastic_actor_q,
    td3,
)
from frl.cli.errors import UsageError
from frl.compilation import compile
from frl.envs import Env
from frl.nn import EnsembleMemberModule, OrnsteinUhlenbeckProcessModule
from frl.replay import uniform
from frl.training.loop import Loop
from frl.training.off_policy import off_policy
from frl.training.on_policy import on_policy
from frl.transforms import Compose, InitTracker, TransformedEnv, make_tensordict_primer


class Recipe(NamedTuple):
    """An algorithm of the command line.

    title: how it is called in print. algorithm: what learns. loop: what trains it; compiled where the environment is
    not, if so asked. gradient_steps, samples: how many between two rollouts, and of how many steps each. around: the
    environment as its policy is to see it, in training, evaluation and video.
    """

    title: str
    algorithm: Callable[[Env, Any], Algorithm]
    loop: Callable[[Env, Algorithm, Any, bool], Loop]
    gradient_steps: Callable[[Any], int]
    samples: Callable[[Any], int]
    around: Callable[[Env, Any], Env] = lambda env, options: env


def _over(networks: Callable[..., Any], make: Callable[..., Algorithm]) -> Callable[[Env, Any], Algorithm]:
    return lambda env, config: make(networks(env.single_observation_spec, env.single_action_spec), config)


def _minibatches(options: Any) -> int:
    return getattr(options.config, "num_minibatches", 1)


def _collecting(title: str, make: Callable[..., Algorithm]) -> Recipe:
    """An algorithm that learns from each rollout, whole or in minibatches, once or in several epochs."""
    return Recipe(
        title,
        _over(actor_critic, make),
        lambda env, algorithm, options, compiled: on_policy(env, algorithm, options.rollout_length),
        lambda options: getattr(options.config, "num_epochs", 1) * _minibatches(options),
        lambda options: options.num_envs * options.rollout_length // _minibatches(options),
    )


def _remembering(env: Env, options: Any) -> Env:
    """The environment with the states of both networks, which are empty where an episode begins."""
    networks = _with_memory(options.memory.hidden_size)(env.single_observation_spec, env.single_action_spec)
    return _carrying(env, nn.ModuleList([networks.actor, networks.critic]))


def _recurrent(title: str, make: Callable[..., Algorithm]) -> Recipe:
    """An algorithm that learns from each rollout, over networks with a memory."""

    def algorithm(env: Any, config: Any) -> Algorithm:
        size: int = env.single_info_spec["actor_state"].shape[-1]  # of the states that `_remembering` carries
        return _over(_with_memory(size), make)(env, config)

    return _collecting(title, make)._replace(algorithm=algorithm, around=_remembering)


def _with_memory(size: int) -> Callable[..., ActorCritic]:
    return partial(recurrent_actor_critic, hidden_size=size, num_cells=(size,))


def _off_policy(env: Env, algorithm: Algorithm, options: Any, compiled: bool) -> Loop:
    replay = options.replay
    noise = _noise(options)
    if noise:
        algorithm = explored_by(algorithm, _process(env, noise))
    buffer = uniform(replay.capacity, replay.batch_size)
    if compiled:
        buffer = buffer._replace(add=compile(buffer.add, donate=True))
    return off_policy(env, algorithm, buffer, options.rollout_length, replay.updates_per_rollout, replay.warmup)


def _noise(options: Any) -> float:
    exploration = getattr(options, "exploration", None)
    return 0.0 if exploration is None else exploration.noise


_FORGETTING = 0.1  # of the noise at each step: it is correlated over about 10


def _process(env: Env, noise: float) -> OrnsteinUhlenbeckProcessModule:
    """An Ornstein-Uhlenbeck process of that standard deviation, in half-widths of the action's range."""
    spec: Any = env.single_action_spec
    if spec.domain == "discrete":
        raise UsageError(f"--noise is {noise}, which is added to continuous actions; leave it out for choices.")
    half_width = ((spec.high - spec.low) / 2).amax().item()
    sigma = noise * half_width * math.sqrt(_FORGETTING * (2 - _FORGETTING))
    return OrnsteinUhlenbeckProcessModule(spec, eps_end=1.0, theta=_FORGETTING, sigma=sigma, dt=1.0)


def _with_noise(env: Env, options: Any) -> Env:
    """The environment with the process that is added to its actions, if there is one."""
    return _carrying(env, _process(env, _noise(options))) if _noise(options) else env


def _with_member(env: Env, options: Any) -> Env:
    """The environment with the member of the ensemble that acts in each episode."""
    return _carrying(env, EnsembleMemberModule(options.config.num_members))


def _carrying(env: Env, module: nn.Module) -> Env:
    return TransformedEnv(env, Compose(InitTracker(), make_tensordict_primer(module)))


_small_q_network = partial(q_network, num_cells=(64, 64))  # of which an ensemble has many


def _replaying(title: str, networks: Callable[..., Any], make: Callable[..., Algorithm]) -> Recipe:
    """An algorithm that learns from samples of a replay buffer."""
    return Recipe(
        title,
        _over(networks, make),
        _off_policy,
        lambda options: options.replay.updates_per_rollout,
        lambda options: options.replay.batch_size,
        _with_noise,
    )


RECIPES: dict[str, Recipe] = {
    "ppo": _collecting("PPO", ppo),
    "ppo_penalty": _collecting("PPO with a penalty", ppo_penalty),
    "recurrent_ppo": _recurrent("Recurrent PPO", ppo),
    "a2c": _collecting("A2C", a2c),
    "recurrent_a2c": _recurrent("Recurrent A2C", a2c),
    "reinforce": _collecting("REINFORCE", reinforce),
    "dqn": _replaying("DQN", q_network, dqn),
    "bootstrapped_dqn": _replaying("Bootstrapped DQN", _small_q_network, bootstrapped_dqn)._replace(
        around=_with_member
    ),
    "ddpg": _replaying("DDPG", actor_q, ddpg),
    "td3": _replaying("TD3", actor_q, td3),
    "sac": _replaying("SAC", stochastic_actor_q, sac),
    "redq": _replaying("REDQ", stochastic_actor_q, redq),
}
