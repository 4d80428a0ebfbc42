"""Bad calls of algorithms, collection, loops and evaluation."""

from functools import cache
from typing import Any

import torch

from frl import TensorDict, algorithms, envs, specs, training
from frl import collectors as collect
from tests.bad_input.case import KEY, TD, bad, ints, zeros
from tests.bad_input.environments import CART


@cache
def networks() -> algorithms.ActorCritic:
    return algorithms.actor_critic(CART.single_observation_spec, CART.single_action_spec, (4,))


def ppo(**settings: Any) -> algorithms.Algorithm:
    return algorithms.ppo(networks(), algorithms.PPOConfig(**settings))


def learn(**settings: Any) -> Any:
    algorithm = ppo(**settings)
    train = algorithm.init(KEY)
    batch = collect.collect(CART, algorithm.act, train, collect.start(CART, KEY), KEY, 4)[1]
    return algorithm.update(train, batch, KEY)


def collected(act: Any, runner: TensorDict, num_steps: int = 4) -> Any:
    return collect.collect(CART, act, ppo().init(KEY), runner, KEY, num_steps)


def metrics(value: float) -> TensorDict:
    return TensorDict({"entropy": torch.tensor(value)})


LEARNING = {
    "no passes": bad(lambda: ppo(num_epochs=0), ValueError, "num_epochs", "0", "must be at least 1"),
    "no minibatches": bad(lambda: ppo(num_minibatches=0), ValueError, "num_minibatches", "0", "must be at least 1"),
    "a discount above one": bad(lambda: ppo(gamma=1.5), ValueError, "gamma", "1.5", "must be at most 1"),
    "a negative rate": bad(
        lambda: ppo(learning_rate=-1e-3), ValueError, "learning_rate", "-0.001", "must be at least 0"
    ),
    "no clip": bad(lambda: ppo(clip=0.0), ValueError, "clip", "0.0", "must be above 0"),
    "minibatches that do not divide": bad(
        lambda: learn(num_minibatches=3), ValueError, "8 steps", "3 minibatches", "choose environments × steps"
    ),
    "an action without a distribution": bad(
        lambda: algorithms.actor_critic(CART.single_observation_spec, specs.Binary(3)),
        *(TypeError, "Binary", "give OneHot, Categorical"),
    ),
    "an action spec for an observation's": bad(
        lambda: algorithms.actor_critic(CART.single_action_spec, CART.single_action_spec),
        *(TypeError, "observation_spec", "OneHot", "Composite", "pass env.single_observation_spec"),
    ),
    "a batch without successors": bad(
        lambda: ppo().update(ppo().init(KEY), TD.set("action", ints(3, 2)).set("sample_log_prob", zeros(3)), KEY),
        *(KeyError, "('next', 'reward')", "'sample_log_prob'", "make it by collect("),
    ),
    "an exploring policy without a key": bad(
        lambda: ppo().act(ppo().init(KEY), CART.reset(KEY)), TypeError, "needs key=", "DETERMINISTIC"
    ),
    "collecting no step": bad(
        lambda: collected(ppo().act, collect.start(CART, KEY), 0), ValueError, "num_steps", "0", "must be at least 1"
    ),
    "collecting by a policy without action": bad(
        lambda: collected(lambda train, td, key: td, collect.start(CART, KEY)),
        ValueError,
        '"action"',
        "must return td.set(",
    ),
    "a runner of other environments": bad(
        lambda: collected(ppo().act, collect.start(envs.make("CartPole-v1", 3), KEY)),
        *(ValueError, "runner", "batch size [3]", "batch_size=torch.Size([2])", "make it by start(env, key)"),
    ),
    "a reset for a runner": bad(
        lambda: collected(ppo().act, CART.reset(KEY)),
        ValueError,
        "runner",
        "'observation'",
        "make it by start(env, key)",
    ),
    "a loop of no step": bad(
        lambda: training.on_policy(CART, ppo(), 0), ValueError, "num_steps", "0", "must be at least 1"
    ),
    "one key for three members": bad(
        lambda: training.population(training.on_policy(CART, ppo(), 4), 3).init(KEY),
        *(ValueError, "keys", "[2]", "[3, 2]", "random.split(key, 3)"),
    ),
    "fewer environments than episodes": bad(
        lambda: training.evaluate(CART, ppo().act, ppo().init(KEY), KEY, 100),
        *(ValueError, "[2]", "num_episodes is 100", "make it with batch_size=[100]"),
    ),
    "a metric that is NaN": bad(
        lambda: training.require_finite(7, TensorDict(), metrics(torch.nan)),
        *(ValueError, "update 7", "entropy is nan", "lower the learning rate"),
    ),
    "a period of none": bad(lambda: training.every(0, print), ValueError, "period", "0", "must be at least 1"),
}
