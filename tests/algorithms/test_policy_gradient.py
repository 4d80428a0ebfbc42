"""What algorithms that forget what they learnt from have in common."""

import pytest
import torch

from frl import TensorDict, random
from frl.algorithms import actor_critic
from frl.algorithms.policy_gradient import policy_gradient
from frl.envs import FunctionalEnv, probes

SETTINGS = {"learning_rate": 0.1, "anneal_updates": 4.0, "max_grad_norm": 1.0}


def made(keep=()):
    env = FunctionalEnv(probes.Probe(), 4)
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (4,))

    def learn(train, batch, optimizer, key):
        flat = torch.ones(sum(x.numel() for x in train["params"].values(True, True)))
        _, opt = optimizer.update(flat, train["opt"], flat)
        return train.set("opt", TensorDict(opt)), TensorDict({"seen": batch["x"].sum()})

    return env, policy_gradient(networks, SETTINGS, learn, keep)


def test_it_counts_updates_and_anneals_the_learning_rate():
    _, algorithm = made()
    train, batch = algorithm.init(random.key(0)), TensorDict({"x": torch.ones(3)}, [3])
    rates = []
    for _ in range(5):
        train, metrics = algorithm.update(train, batch, random.key(1))
        rates.append(metrics["learning_rate"].item())
    assert rates == pytest.approx([0.1, 0.075, 0.05, 0.025, 0.0])
    assert (train["updates"].item(), metrics["seen"].item()) == (5, 3)


def test_settings_are_leaves():
    _, algorithm = made()
    assert {name: x.item() for name, x in algorithm.init(random.key(0))["hyper"].items()} == pytest.approx(SETTINGS)


def test_what_is_to_be_kept_is_kept_when_it_explores():
    env, algorithm = made(["logits"])
    train, td = algorithm.init(random.key(0)), env.reset(random.key(1))
    assert set(algorithm.act(train, td, random.key(2))) - set(td) == {"action", "sample_log_prob", "logits"}
    assert set(algorithm.act(train, td, explore=False)) - set(td) == {"action"}
