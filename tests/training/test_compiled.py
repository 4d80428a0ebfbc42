"""Each algorithm's step in machine code: it is the step. What is compiled otherwise is only traced in the tests."""

import pytest
import torch

import frl
from frl import random, replay, transforms, tree
from frl.algorithms import (
    A2CConfig,
    PPOConfig,
    a2c,
    actor_critic,
    actor_q,
    ddpg,
    dqn,
    maml,
    ppo,
    q_network,
    recurrent_actor_critic,
    recurrent_q_network,
    sac,
    stochastic_actor_q,
)
from frl.compilation import compiler_available
from frl.envs import make, uniform_tasks
from frl.objectives import td_lambda
from frl.optim import pgpe
from frl.training import evolution, few_shot, meta_gradient, off_policy, on_policy, policy_gradient_reference
from tests.algorithms.test_base import remembering


def ppo_loop():
    env = make("CartPole-v1", 4)
    return on_policy(env, ppo(actor_critic(env.single_observation_spec, env.single_action_spec, (8,))), 8)


def recurrent_ppo_loop():
    env = make("CartPole-v1", 4)
    networks = recurrent_actor_critic(env.single_observation_spec, env.single_action_spec, 8, (8,))
    return on_policy(remembering(env, networks), ppo(networks, PPOConfig(num_epochs=2, num_minibatches=2)), 8)


def dqn_loop():
    env = make("CartPole-v1", 4)
    algorithm = dqn(q_network(env.single_observation_spec, env.single_action_spec, (8,)))
    return off_policy(env, algorithm, replay.prioritized(replay.uniform(64, 8)), 4, 3)


def recurrent_dqn_loop():
    env = make("CartPole-v1", 4)
    network = recurrent_q_network(env.single_observation_spec, env.single_action_spec, 8, (8,))
    memory = transforms.make_tensordict_primer(network.module)
    env = transforms.TransformedEnv(env, transforms.Compose(transforms.InitTracker(), memory))
    algorithm = dqn(network, estimator=lambda gamma: td_lambda(gamma, 0.8))
    return off_policy(env, algorithm, replay.sequence(64, 4, 3, 4), 4, 3, warmup=16)


def ddpg_loop():
    env = make("Pendulum-v1", 4)
    algorithm = ddpg(actor_q(env.single_observation_spec, env.single_action_spec, (8,)))
    return off_policy(env, algorithm, replay.n_step(64, 8, 2, num_envs=4), 4, 3, warmup=32)


def sac_loop():
    env = make("Pendulum-v1", 4)
    algorithm = sac(stochastic_actor_q(env.single_observation_spec, env.single_action_spec, (8,)))
    return off_policy(env, algorithm, replay.uniform(64, 8), 4, 3)


def meta_gradient_loop():
    env = make("CartPole-v1", 4)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (8,))
    algorithm = a2c(networks, A2CConfig(lambda_=0.9))
    return meta_gradient(env, algorithm, policy_gradient_reference(networks), 4, 2)


def evolution_loop():
    env = make("Catch-v0", 2)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (4,))
    return evolution(env, networks.actor, pgpe(4))


def maml_loop():
    env = make("CartPole-v1", 4)
    algorithm = maml(actor_critic(env.single_observation_spec, env.single_action_spec, (8,)))
    return few_shot(env, algorithm, uniform_tasks(env.params, {"length": (0.25, 1.0)}), num_tasks=2, num_steps=8)


LOOPS = {
    "PPO": ppo_loop,
    "recurrent PPO": recurrent_ppo_loop,
    "DQN": dqn_loop,
    "recurrent DQN": recurrent_dqn_loop,
    "DDPG": ddpg_loop,
    "SAC": sac_loop,
    "meta-gradient of A2C": meta_gradient_loop,
    "evolution": evolution_loop,
    "MAML": maml_loop,
}
SLOW = "recurrent PPO", "SAC", "meta-gradient of A2C", "evolution", "MAML"  # a minute of C++ each; see pytest -m slow
CASES = [
    pytest.param(make_loop, id=name, marks=[pytest.mark.slow] if name in SLOW else [])
    for name, make_loop in LOOPS.items()
]


@pytest.mark.skipif(not compiler_available(), reason="no C++ compiler")
@pytest.mark.parametrize("make_loop", CASES)
def test_the_compiled_step_is_the_step(make_loop):
    loop = make_loop()
    compiled = frl.compile(loop.step, donate=True)
    expected = loop.init(random.key(0))
    state = tree.map(torch.clone, expected)
    for _ in range(2):
        expected, metrics = loop.step(expected)
        state, compiled_metrics = compiled(state)
    for (name, x), (_, y) in zip(
        tree.named_leaves((expected, metrics)), tree.named_leaves((state, compiled_metrics)), strict=True
    ):
        torch.testing.assert_close(y, x, atol=1e-4, rtol=1e-4, msg=lambda text, name=name: f"{name}: {text}")
