"""Bootstrapped DQN: who acts, who learns from what, how the greedy policy comes of all, and what it explores."""

import pytest
import torch

from frl import TensorDict, random, tree
from frl.algorithms import BootstrappedDQNConfig, bootstrapped_dqn, q_network, recurrent_q_network
from frl.collectors import collect, start
from frl.envs import FunctionalEnv, make
from frl.envs.bsuite import DeepSea, DeepSeaParams
from frl.envs.probes import LateReward
from frl.nn import EnsembleMemberModule
from frl.replay import uniform
from frl.training import off_policy
from frl.transforms import Compose, InitTracker, TransformedEnv, make_tensordict_primer

KEY = random.key(0)


def carrying(env, num_members=10):
    primer = make_tensordict_primer(EnsembleMemberModule(num_members))
    return TransformedEnv(env, Compose(InitTracker(), primer))


def algorithm_of(env, cells=(16,), **settings):
    networks = q_network(env.single_observation_spec, env.single_action_spec, cells)
    return bootstrapped_dqn(networks, BootstrappedDQNConfig(**settings))


def collected(algorithm, env, num_steps=20):
    train = algorithm.init(KEY)
    return train, collect(env, algorithm.act, train, start(env, random.key(1)), random.key(2), num_steps)[1]


def test_one_member_acts_to_the_end_of_an_episode():
    base = make("DeepSea-v0", 5)
    _, batch = collected(algorithm_of(base), carrying(base), 24)
    member = batch["member"].reshape(5, 3, 8)  # three dives of eight steps
    assert bool((member == member[..., :1]).all())
    assert len(member.unique()) > 3


def test_the_action_is_the_greedy_one_of_the_member():
    base = make("DeepSea-v0", 50)
    algorithm = algorithm_of(base, num_members=3, prior_scale=0.0)
    train, batch = collected(algorithm, carrying(base, 3), 8)
    for i in range(3):
        alone = tree.map(lambda x, i=i: x[i : i + 1].expand_as(x), train["params"])
        same = algorithm.act(train.set("params", alone), batch, explore=False)["action"]
        own = batch["member"].squeeze(-1) == i
        assert bool(own.any())
        assert torch.equal(batch["action"][own], same[own])


def test_each_step_is_for_as_many_members_as_the_probability_says():
    base = make("DeepSea-v0", 100)
    _, batch = collected(algorithm_of(base, mask_probability=0.3), carrying(base))
    assert batch["bootstrap_mask"].shape == (100, 20, 10)
    assert abs(batch["bootstrap_mask"].float().mean().item() - 0.3) < 0.02


def test_a_member_learns_from_nothing_but_its_own_steps():
    base = make("DeepSea-v0", 4)
    algorithm = algorithm_of(base, num_members=2)
    train, batch = collected(algorithm, carrying(base, 2))
    mask = torch.zeros_like(batch["bootstrap_mask"])
    mask[..., 1] = True
    after, _ = algorithm.update(train, batch.set("bootstrap_mask", mask), KEY)
    moved = [
        (x - y).abs().flatten(1).amax(1)
        for x, y in zip(tree.leaves(after["params", "value"]), tree.leaves(train["params", "value"]), strict=True)
    ]
    assert all(x[0] == 0 for x in moved)
    assert any(x[1] > 0 for x in moved)


def test_priors_are_never_trained():
    base = make("DeepSea-v0", 4)
    algorithm = algorithm_of(base)
    train, batch = collected(algorithm, carrying(base))
    after, _ = algorithm.update(train, batch, KEY)
    pairs = zip(tree.leaves(after["params", "prior"]), tree.leaves(train["params", "prior"]), strict=True)
    assert all(torch.equal(x, y) for x, y in pairs)


def test_the_weight_of_prioritised_replay_multiplies_each_members_error():
    base = make("DeepSea-v0", 4)
    algorithm = algorithm_of(base)
    train, batch = collected(algorithm, carrying(base))
    loss = algorithm.update(train, batch, KEY)[1]["loss"]
    weighted = algorithm.update(train, batch.set("_weight", torch.full(batch.batch_size, 3.0)), KEY)[1]["loss"]
    torch.testing.assert_close(weighted, 3 * loss)


def test_the_greedy_policy_takes_the_action_of_the_greatest_mean():
    env = FunctionalEnv(LateReward(), 1)
    networks = q_network(env.single_observation_spec, env.single_action_spec, ())
    algorithm = bootstrapped_dqn(networks, BootstrappedDQNConfig(num_members=3, prior_scale=0.0))
    train = algorithm.init(KEY)
    bias = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 5.0]])  # two votes for the first, but the second is worth more
    value = tree.map(lambda x: bias if x.shape == (3, 2) else torch.zeros_like(x), train["params", "value"])
    acted = algorithm.act(
        train.set(("params", "value"), value), TensorDict({"observation": torch.ones(1, 1)}, [1]), explore=False
    )
    assert acted["action"].tolist() == [[0, 1]]


def test_a_reward_one_step_ahead_is_worth_gamma():
    base = FunctionalEnv(LateReward(), 4)
    algorithm = algorithm_of(base, num_members=3, learning_rate=1e-2, gamma=0.5, target_rate=0.1, prior_scale=1.0)
    loop = off_policy(carrying(base, 3), algorithm, uniform(400, 32), 8, 8, warmup=32)
    state = loop.init(KEY)
    for _ in range(25):
        state, metrics = loop.step(state)
    assert abs(metrics["value"].item() - 0.75) < 0.05  # the mean of 0.5 and 1
    assert metrics["disagreement"] < 0.1


def test_it_finds_the_treasure_under_any_map_of_actions():
    params = DeepSeaParams(action_map=random.randint(0, 2, (4, 4), random.key(4)))
    base = FunctionalEnv(DeepSea(4), 4, max_steps=4, params=params)
    algorithm = algorithm_of(base, (32,), learning_rate=3e-3)
    loop = off_policy(carrying(base), algorithm, uniform(2000, 32), 4, 8, warmup=16)
    state = loop.init(KEY)
    for _ in range(20):
        state, _ = loop.step(state)
    td = base.rollout(4, lambda td: algorithm.act(state["train"], td, explore=False), key=KEY)
    assert td["next", "reward"].sum().item() == pytest.approx(4 * 0.99)


def test_hyperparameters_are_leaves_of_the_state():
    train = algorithm_of(make("DeepSea-v0", 4)).init(KEY)
    assert set(train["hyper"]) == set(BootstrappedDQNConfig._fields) - {"double", "num_members"}


def test_a_network_with_a_memory_is_refused():
    env = make("DeepSea-v0", 4)
    networks = recurrent_q_network(env.single_observation_spec, env.single_action_spec)
    with pytest.raises(TypeError, match=r"bootstrapped_dqn: the network writes \('next', .*\), so it has a memory"):
        bootstrapped_dqn(networks)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_members": 0}, "num_members is 0 but must be at least 1"),
        ({"mask_probability": 1.5}, "mask_probability is 1.5 but must be at most 1"),
        ({"prior_scale": -1.0}, "prior_scale is -1.0 but must be at least 0"),
    ],
)
def test_a_hyperparameter_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        algorithm_of(make("DeepSea-v0", 4), **settings)
