"""Every algorithm that learns from replay, one row each: `test_laws.py` puts all of them to all laws."""

from collections.abc import Callable
from typing import NamedTuple

from frl import algorithms
from frl.envs import Env, make
from frl.nn import EnsembleMemberModule
from frl.transforms import Compose, InitTracker, TransformedEnv, make_tensordict_primer


class Case(NamedTuple):
    name: str
    algorithm: Callable[[Env], algorithms.Algorithm]
    env: str = "Pendulum-v1"
    around: Callable[[Env], Env] = lambda env: env


def _specs(env: Env):
    return env.single_observation_spec, env.single_action_spec, (4,)


def _by_members(env: Env) -> Env:
    primer = make_tensordict_primer(EnsembleMemberModule(3))
    return TransformedEnv(env, Compose(InitTracker(), primer))


THREE = algorithms.BootstrappedDQNConfig(num_members=3)
CASES = [
    Case("DQN", lambda env: algorithms.dqn(algorithms.q_network(*_specs(env))), "CartPole-v1"),
    Case(
        "bootstrapped_DQN",
        lambda env: algorithms.bootstrapped_dqn(algorithms.q_network(*_specs(env)), THREE),
        "CartPole-v1",
        _by_members,
    ),
    Case("DDPG", lambda env: algorithms.ddpg(algorithms.actor_q(*_specs(env)))),
    Case("TD3", lambda env: algorithms.td3(algorithms.actor_q(*_specs(env)))),
    Case("SAC", lambda env: algorithms.sac(algorithms.stochastic_actor_q(*_specs(env)))),
    Case("discrete SAC", lambda env: algorithms.sac(algorithms.stochastic_actor_q(*_specs(env))), "CartPole-v1"),
    Case(
        "model_based",
        lambda env: algorithms.model_based(
            algorithms.sac(algorithms.stochastic_actor_q(*_specs(env))),
            algorithms.dynamics(*_specs(env)),
            algorithms.ModelBasedConfig(num_members=3, rollout_length=2),
        ),
    ),
    Case("REDQ", lambda env: algorithms.redq(algorithms.stochastic_actor_q(*_specs(env)))),
]


def parts(case: Case):
    env = make(case.env, 2)
    return case.around(env), case.algorithm(env)
