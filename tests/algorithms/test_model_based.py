"""Imagined steps: what the model learns, what is imagined, what the algorithm inside gets to see."""

import pytest
import torch

from frl import TensorDict, random, tree
from frl.algorithms import (
    Algorithm,
    ModelBasedConfig,
    actor_q,
    ddpg,
    dynamics,
    model_based,
    redq,
    sac,
    stochastic_actor_q,
    td3,
)
from frl.collectors import collect, start
from frl.envs import make
from frl.replay import uniform
from frl.training import off_policy

KEY = random.key(0)
ENV = make("Pendulum-v1", 4)
SPECS = (ENV.single_observation_spec, ENV.single_action_spec)
SMALL = dynamics(*SPECS, (8,))


def collected(algorithm, num_steps=8):
    train = algorithm.init(KEY)
    return train, collect(ENV, algorithm.act, train, start(ENV, random.key(1)), random.key(2), num_steps)[1].flatten()


def watched(seen):
    """An algorithm that learns nothing and keeps what it is shown."""
    inner = ddpg(actor_q(*SPECS, (4,)))

    def update(train, batch, key):
        seen.append(batch)
        return train, TensorDict({"td_error": torch.zeros(batch.batch_size)})

    return Algorithm(inner.init, inner.act, update)


@pytest.mark.parametrize(("ratio", "length", "count"), [(0.5, 1, 16), (0.25, 3, 8), (1.0, 1, 32), (0.0, 2, 0)])
def test_a_part_of_the_batch_stays_real_and_the_rest_is_imagined_from_its_observations(ratio, length, count):
    seen = []
    algorithm = model_based(watched(seen), SMALL, ModelBasedConfig(real_ratio=ratio, rollout_length=length))
    train, batch = collected(algorithm)
    algorithm.update(train, batch, KEY)
    (mixed,) = seen
    assert mixed.batch_size == batch.batch_size == (32,)
    for name in ("observation", "action", ("next", "observation"), ("next", "reward")):
        assert torch.equal(mixed[name][:count], batch[name][:count])
    starts = -(-(32 - count) // length)
    assert torch.equal(mixed["observation"][count : count + starts], batch["observation"][count : count + starts])
    if count < 32:
        assert not bool((mixed["next", "observation"][count:] == batch["next", "observation"][count:]).any())
        assert not bool(mixed["next", "terminated"][count:].any())


def test_a_rollout_goes_on_where_the_step_before_has_led():
    seen = []
    algorithm = model_based(watched(seen), SMALL, ModelBasedConfig(real_ratio=0.0, rollout_length=2))
    train, batch = collected(algorithm)
    algorithm.update(train, batch, KEY)
    first, second = seen[0][:16], seen[0][16:]
    assert torch.equal(second["observation"], first["next", "observation"])


def test_where_an_episode_ends_another_begins():
    seen = []
    config = ModelBasedConfig(real_ratio=0.0, rollout_length=2)
    algorithm = model_based(watched(seen), SMALL, config, lambda td: td["observation"][..., 1:2] > 0)
    train, batch = collected(algorithm)
    algorithm.update(train, batch, KEY)
    first, second = seen[0][:16], seen[0][16:]
    ended = first["next", "terminated"].squeeze(-1)
    assert torch.equal(ended, batch["observation"][:16, 1] > 0)
    assert torch.equal(second["observation"][ended], first["observation"][ended])
    assert torch.equal(second["observation"][~ended], first["next", "observation"][~ended])


def test_a_member_learns_from_nothing_but_its_own_steps():
    algorithm = model_based(watched([]), SMALL, ModelBasedConfig(num_members=2))
    train, batch = collected(algorithm)
    mask = torch.zeros_like(batch["model_mask"])
    mask[..., 1] = True
    after, _ = algorithm.update(train, batch.set("model_mask", mask), KEY)
    pairs = zip(tree.leaves(after["model", "params"]), tree.leaves(train["model", "params"]), strict=True)
    moved = [(x - y).abs().flatten(1).amax(1) for x, y in pairs]
    assert all(x[0] == 0 for x in moved)
    assert any(x[1] > 0 for x in moved)


def test_the_model_learns_what_the_environment_does():
    algorithm = model_based(watched([]), dynamics(*SPECS, (32,)), ModelBasedConfig(model_learning_rate=1e-2))
    train, batch = collected(algorithm, 40)
    errors = []
    for key in random.split(KEY, 60):
        train, metrics = algorithm.update(train, batch, key)
        errors.append(metrics["model_error"].item())
    assert errors[-1] < 0.5 * errors[0]


@pytest.mark.parametrize("inner", [ddpg, td3, sac, redq], ids=lambda f: f.__name__)
def test_it_is_around_any_algorithm_that_learns_from_replay(inner):
    networks = stochastic_actor_q if inner in (sac, redq) else actor_q
    algorithm = model_based(inner(networks(*SPECS, (4,))), SMALL)
    loop = off_policy(ENV, algorithm, uniform(64, 8), 2, 2)
    state, metrics = loop.step(loop.init(KEY))
    assert {"model_loss", "model_error"} < set(metrics)
    assert state["train", "updates"] == 2


def test_hyperparameters_stand_beside_those_of_the_algorithm():
    inner = sac(stochastic_actor_q(*SPECS, (4,)))
    hyper, before = model_based(inner, SMALL).init(KEY)["hyper"], inner.init(KEY)["hyper"]
    assert set(hyper) - set(before) == {"model_mask_probability", "model_learning_rate", "model_max_grad_norm"}
    assert set(before) < set(hyper)


def test_the_greedy_policy_is_that_of_the_algorithm():
    inner = sac(stochastic_actor_q(*SPECS, (4,)))
    algorithm, td = model_based(inner, SMALL), ENV.reset(KEY)
    train = algorithm.init(KEY)
    acted = algorithm.act(train, td, explore=False)
    assert torch.equal(acted["action"], inner.act(train, td, explore=False)["action"])
    assert "model_mask" not in acted


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rollout_length": 0}, "rollout_length is 0 but must be at least 1"),
        ({"real_ratio": -0.5}, "real_ratio is -0.5 but must be at least 0"),
        ({"num_members": 0}, "num_members is 0 but must be at least 1"),
        ({"model_max_grad_norm": 0.0}, "model_max_grad_norm is 0.0 but must be above 0"),
    ],
)
def test_a_hyperparameter_out_of_range_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        model_based(watched([]), SMALL, ModelBasedConfig(**settings))
