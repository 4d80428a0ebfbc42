"""What the command line trains with, by algorithm and environment, unless a flag says otherwise."""

import math
from typing import NamedTuple

from frl.algorithms import (
    A2CConfig,
    BootstrappedDQNConfig,
    DDPGConfig,
    DQNConfig,
    PPOConfig,
    PPOPenaltyConfig,
    REDQConfig,
    ReinforceConfig,
    SACConfig,
    TD3Config,
)

Config = (
    PPOConfig
    | PPOPenaltyConfig
    | A2CConfig
    | ReinforceConfig
    | DQNConfig
    | BootstrappedDQNConfig
    | DDPGConfig
    | TD3Config
    | SACConfig
    | REDQConfig
)


class Replay(NamedTuple):
    """The replay buffer of an off-policy algorithm, and how much is learnt from it."""

    capacity: int = 50_000
    """Steps that are remembered; the oldest are forgotten first."""
    batch_size: int = 128
    """Steps of one update."""
    updates_per_rollout: int = 32
    """Updates after each rollout."""
    warmup: int = 1_000
    """Environment steps before the first update."""


class Exploration(NamedTuple):
    """What is added to the actions while exploring."""

    noise: float = 0.0
    """The standard deviation, in half-widths of the range of continuous actions, of noise that is correlated over about
    10 steps."""


class Memory(NamedTuple):
    """What a policy and a value network with a memory are like."""

    hidden_size: int = 64
    """Units of the gated recurrent unit of each, and of the layer before it."""


class Preset(NamedTuple):
    """A training: steps in all, environments at once, steps of each between two updates, and hyperparameters.

    With `anneal` the learning rate falls linearly to zero over the training. An evaluation has more episodes where the
    return differs more from task to task than from policy to policy.
    """

    config: Config
    replay: Replay | None = None
    steps: int = 100_000
    num_envs: int = 8
    rollout_length: int = 128
    anneal: bool = True
    exploration: Exploration | None = None
    memory: Memory | None = None
    eval_episodes: int = 100


DEFAULTS: dict[str, Preset] = {
    "ppo": Preset(PPOConfig()),
    "ppo_penalty": Preset(PPOPenaltyConfig()),
    "recurrent_ppo": Preset(PPOConfig(), memory=Memory()),
    "a2c": Preset(A2CConfig(), steps=500_000, rollout_length=16),
    "recurrent_a2c": Preset(A2CConfig(), steps=500_000, rollout_length=16, memory=Memory()),
    "reinforce": Preset(ReinforceConfig(), steps=500_000),
    "dqn": Preset(DQNConfig(), Replay(), rollout_length=32, anneal=False),
    "bootstrapped_dqn": Preset(BootstrappedDQNConfig(), Replay(), rollout_length=32, anneal=False),
    "ddpg": Preset(DDPGConfig(), Replay(), num_envs=4, rollout_length=8, anneal=False),
    "td3": Preset(TD3Config(), Replay(), num_envs=4, rollout_length=8, anneal=False),
    "sac": Preset(SACConfig(), Replay(), num_envs=4, rollout_length=8, anneal=False, exploration=Exploration()),
    "redq": Preset(REDQConfig(), Replay(updates_per_rollout=320), num_envs=4, rollout_length=4, anneal=False),
}

_SMALL = Replay(capacity=20_000)

PRESETS: dict[str, dict[str, Preset]] = {
    "ppo": {
        "CartPole-v1": Preset(
            PPOConfig(num_epochs=5, num_minibatches=1, learning_rate=3e-3, gamma=0.98, lambda_=0.8, entropy_cost=0.0),
            rollout_length=32,
        ),
        "Pendulum-v1": Preset(
            PPOConfig(
                num_epochs=10,
                num_minibatches=16,
                learning_rate=1e-3,
                gamma=0.9,
                entropy_cost=0.0,
                value_clip=math.inf,
            ),
            steps=200_000,
            num_envs=16,
        ),
        "Acrobot-v1": Preset(PPOConfig(), steps=500_000),
    },
    "ppo_penalty": {},
    "recurrent_ppo": {
        "MemoryChain-v0": DEFAULTS["recurrent_ppo"]._replace(
            config=PPOConfig(num_minibatches=2, learning_rate=5e-3),
            steps=50_000,
            num_envs=128,
            rollout_length=12,
            memory=Memory(16),
        ),
        "BernoulliBandit-v0": DEFAULTS["recurrent_ppo"]._replace(
            config=PPOConfig(num_minibatches=2, learning_rate=5e-3, value_clip=math.inf, value_cost=0.005),
            steps=320_000,
            num_envs=64,
            rollout_length=100,
            memory=Memory(16),
            eval_episodes=1_000,
        ),
        "GaussianBandit-v0": DEFAULTS["recurrent_ppo"]._replace(
            config=PPOConfig(
                num_epochs=2,
                num_minibatches=2,
                learning_rate=2e-2,
                gamma=1.0,
                value_clip=math.inf,
                value_cost=0.005,
                entropy_cost=0.03,
            ),
            steps=384_000,
            num_envs=64,
            rollout_length=100,
            memory=Memory(16),
            eval_episodes=1_000,
        ),
    },
    "a2c": {"CartPole-v1": DEFAULTS["a2c"]._replace(config=A2CConfig(gamma=0.98, lambda_=0.9, entropy_cost=0.0))},
    "recurrent_a2c": {},
    "reinforce": {
        "CartPole-v1": DEFAULTS["reinforce"]._replace(
            config=ReinforceConfig(learning_rate=1e-2, gamma=0.98), num_envs=16
        ),
    },
    "dqn": {
        "CartPole-v1": DEFAULTS["dqn"]._replace(replay=Replay(batch_size=64, updates_per_rollout=128), steps=50_000),
    },
    "bootstrapped_dqn": {
        "DeepSea-v0": Preset(
            BootstrappedDQNConfig(),
            Replay(capacity=5_000, batch_size=32, updates_per_rollout=16, warmup=128),
            steps=4_000,
            num_envs=4,
            rollout_length=8,
            anneal=False,
        )
    },
    "ddpg": {"Pendulum-v1": DEFAULTS["ddpg"]._replace(replay=_SMALL, steps=20_000)},
    "td3": {"Pendulum-v1": DEFAULTS["td3"]._replace(replay=_SMALL, steps=20_000)},
    "sac": {
        "CartPole-v1": DEFAULTS["sac"]._replace(config=SACConfig(target_rate=0.01, target_entropy=0.2), steps=30_000),
        "Pendulum-v1": DEFAULTS["sac"]._replace(replay=_SMALL, steps=20_000),
        "MountainCarContinuous-v0": DEFAULTS["sac"]._replace(
            config=SACConfig(target_rate=0.01),
            replay=Replay(batch_size=256),
            steps=50_000,
            exploration=Exploration(noise=0.7),
        ),
    },
    "redq": {
        "Pendulum-v1": DEFAULTS["redq"]._replace(
            config=REDQConfig(num_critics=5, policy_period=4),
            replay=_SMALL._replace(updates_per_rollout=64),
            steps=8_000,
        ),
    },
}


def preset(algorithm: str, env: str) -> Preset:
    """The preset of an environment id; Gymnasium's has that of the pure one of its name, others the default.

    >>> preset("ppo", "gym:CartPole-v1") == preset("ppo", "CartPole-v1")
    True
    >>> preset("ppo", "gym:FrozenLake-v1").num_envs
    8
    """
    return PRESETS[algorithm].get(env.removeprefix("gym:"), DEFAULTS[algorithm])
