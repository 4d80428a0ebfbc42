"""What a loop may rely on in every algorithm, each a row of the registry; and that anybody can write one."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from frl import TensorDict, envs, random, tree
from frl.algorithms import (
    ActorCritic,
    Algorithm,
    PPOConfig,
    PPOPenaltyConfig,
    a2c,
    actor_critic,
    actor_q,
    ddpg,
    dqn,
    ppo,
    ppo_penalty,
    q_network,
    recurrent_actor_critic,
    reinforce,
)
from frl.collectors import collect, start
from frl.envs import Env, FunctionalEnv, probes
from frl.training import on_policy
from frl.transforms import Compose, InitTracker, TransformedEnv, make_tensordict_primer


def small_ppo(env: Env) -> Algorithm:
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (4,))
    return ppo(networks, PPOConfig(num_epochs=1, num_minibatches=2))


def small_ppo_penalty(env: Env) -> Algorithm:
    networks = actor_critic(env.single_observation_spec, env.single_action_spec, (4,))
    return ppo_penalty(networks, PPOPenaltyConfig(num_epochs=1, num_minibatches=2))


def small_a2c(env: Env) -> Algorithm:
    return a2c(actor_critic(env.single_observation_spec, env.single_action_spec, (4,)))


def small_reinforce(env: Env) -> Algorithm:
    return reinforce(actor_critic(env.single_observation_spec, env.single_action_spec, (4,)))


SPECS = FunctionalEnv(probes.ChosenReward(), 1)
MEMORIES = recurrent_actor_critic(SPECS.single_observation_spec, SPECS.single_action_spec, 4, (4,))


def small_recurrent_ppo(env: Env) -> Algorithm:
    return ppo(MEMORIES, PPOConfig(num_epochs=1, num_minibatches=2))


def small_recurrent_ppo_penalty(env: Env) -> Algorithm:
    return ppo_penalty(MEMORIES, PPOPenaltyConfig(num_epochs=1, num_minibatches=2))


def small_recurrent_a2c(env: Env) -> Algorithm:
    return a2c(MEMORIES)


def small_recurrent_reinforce(env: Env) -> Algorithm:
    return reinforce(MEMORIES)


RECURRENT = (small_recurrent_ppo, small_recurrent_ppo_penalty, small_recurrent_a2c, small_recurrent_reinforce)


def bandit(env: Env) -> Algorithm:
    """The mean reward of each action, moved towards what was seen; the policy takes the better, or any."""

    def init(key: torch.Tensor) -> TensorDict:
        return TensorDict({"params": torch.zeros(2), "opt": {"count": torch.zeros(2)}, "hyper": {}})

    def act(train: TensorDict, td: TensorDict, key: torch.Tensor | None = None, explore: bool = True) -> TensorDict:
        if explore:
            return env.rand_action(td, key)
        best = torch.nn.functional.one_hot(train["params"].argmax(), 2)
        return td.set("action", best.expand(*td.batch_size, 2))

    def update(train: TensorDict, batch: TensorDict, key: torch.Tensor) -> tuple[TensorDict, TensorDict]:
        chosen = batch["action"].flatten(0, -2).to(torch.float32)
        total = (chosen * batch["next", "reward"].flatten(0, -2)).sum(0)
        count = train["opt", "count"] + chosen.sum(0)
        means = (train["params"] * train["opt", "count"] + total) / count.clamp(min=1)
        metrics = TensorDict({"loss": (means - train["params"]).square().sum()})
        return train.set("params", means).set(("opt", "count"), count), metrics

    return Algorithm(init, act, update)


def small_dqn(env: Env) -> Algorithm:
    return dqn(q_network(env.single_observation_spec, env.single_action_spec, (4,)))


def small_ddpg(env: Env) -> Algorithm:
    return ddpg(actor_q(env.single_observation_spec, env.single_action_spec, (4,)))


ALGORITHMS: dict[str, Callable[[Env], Algorithm]] = {
    "ppo": small_ppo,
    "recurrent_ppo": small_recurrent_ppo,
    "ppo_penalty": small_ppo_penalty,
    "recurrent_ppo_penalty": small_recurrent_ppo_penalty,
    "a2c": small_a2c,
    "recurrent_a2c": small_recurrent_a2c,
    "reinforce": small_reinforce,
    "recurrent_reinforce": small_recurrent_reinforce,
    "dqn": small_dqn,
    "ddpg": small_ddpg,
    "bandit": bandit,
}
every_algorithm = pytest.mark.parametrize("make", ALGORITHMS.values(), ids=ALGORITHMS.keys())


def world(make: Callable[[Env], Algorithm] | None = None) -> Env:
    """Four environments in which the algorithm can act."""
    if make is small_ddpg:
        return envs.make("Pendulum-v1", 4)
    env = FunctionalEnv(probes.ChosenReward(), 4)
    return remembering(env, MEMORIES) if make in RECURRENT else env


def remembering(env: Env, networks: ActorCritic) -> Env:
    """The environment with what networks with a memory need of it."""
    primer = make_tensordict_primer(nn.ModuleList([networks.actor, networks.critic]))
    return TransformedEnv(env, Compose(InitTracker(), primer))


def experience(env: Env, algorithm: Algorithm) -> tuple[TensorDict, TensorDict]:
    train = algorithm.init(random.key(0))
    return train, collect(env, algorithm.act, train, start(env, random.key(1)), random.key(2), 6)[1]


@every_algorithm
def test_the_state_has_its_parts(make: Callable[[Env], Algorithm]) -> None:
    train = make(world(make)).init(random.key(0))
    assert {"params", "opt", "hyper"} <= set(train)


@every_algorithm
def test_acting_adds_to_the_td_an_action_that_the_environment_takes(make: Callable[[Env], Algorithm]) -> None:
    env = world(make)
    algorithm, td = make(env), env.reset(random.key(1))
    acted = algorithm.act(algorithm.init(random.key(0)), td, random.key(2))
    assert env.action_spec.contains(acted["action"])
    assert acted["observation"] is td["observation"]
    assert "action" not in td


@every_algorithm
def test_the_greedy_policy_needs_no_key(make: Callable[[Env], Algorithm]) -> None:
    env = world(make)
    algorithm, td = make(env), env.reset(random.key(1))
    train = algorithm.init(random.key(0))
    once, again = (algorithm.act(train, td, explore=False)["action"] for _ in range(2))
    assert torch.equal(once, again)


@every_algorithm
def test_an_update_keeps_the_structure_of_the_state(make: Callable[[Env], Algorithm]) -> None:
    env = world(make)
    algorithm = make(env)
    train, batch = experience(env, algorithm)
    after, _ = algorithm.update(train, batch, random.key(3))
    kinds = [[(name, x.shape, x.dtype) for name, x in tree.named_leaves(td)] for td in (train, after)]
    assert kinds[0] == kinds[1]


@every_algorithm
def test_an_update_is_a_function_of_its_arguments(make: Callable[[Env], Algorithm]) -> None:
    env = world(make)
    algorithm = make(env)
    train, batch = experience(env, algorithm)
    once, again = (algorithm.update(train, batch, random.key(3))[0] for _ in range(2))
    assert all(torch.equal(x, y) for x, y in zip(tree.leaves(once), tree.leaves(again), strict=True))


@every_algorithm
def test_metrics_are_numbers(make: Callable[[Env], Algorithm]) -> None:
    env = world(make)
    algorithm = make(env)
    train, batch = experience(env, algorithm)
    _, metrics = algorithm.update(train, batch, random.key(3))
    assert all(x.shape == () and x.is_floating_point() for x in tree.leaves(metrics.exclude("td_error")))


@pytest.mark.parametrize("make", [small_dqn, small_ddpg])
def test_what_learns_from_replay_says_how_wrong_it_was_about_each_step(make: Callable[[Env], Algorithm]) -> None:
    env = world(make)
    algorithm = make(env)
    train, batch = experience(env, algorithm)
    error = algorithm.update(train, batch, random.key(3))[1]["td_error"]
    assert error.shape == batch.batch_size
    assert bool((error >= 0).all())


def test_an_algorithm_of_ones_own_learns_in_the_loop() -> None:
    env = world()
    loop = on_policy(env, bandit(env), 8)
    state, _ = loop.step(loop.init(random.key(0)))
    assert state["train", "params"].tolist() == [-1.0, 1.0]
