"""The loop of offline learning: one state with its data, one step."""

import pytest
import torch

from frl import TensorDict, compilation, random, tree
from frl.algorithms import DTConfig, decision_transformer, dqn, q_network
from frl.collectors import collect, start
from frl.envs import make
from frl.nn import DecisionTransformer, DecisionTransformerActor
from frl.replay import prioritized, return_conditioned, sequence, uniform
from frl.training import evaluate, offline, population, train
from frl.transforms import Compose, InitTracker, TargetReturn, TransformedEnv, make_tensordict_primer

ENV = make("CartPole-v1", 4)


def equal(x: TensorDict, y: TensorDict) -> bool:
    return all(torch.equal(a, b) for a, b in zip(tree.leaves(x), tree.leaves(y), strict=True))


def collected(num_steps=40):
    random_actions = lambda train, td, key: ENV.rand_action(td, key)  # noqa: E731
    return collect(ENV, random_actions, TensorDict({}), start(ENV, random.key(0)), random.key(1), num_steps)[1]


def transformer():
    with torch.random.fork_rng():
        network = DecisionTransformer(4, 2, embed_dim=8, num_layers=1, max_steps=50)
    return DecisionTransformerActor(network, ENV.single_action_spec, context=5)


def dt_loop():
    data = return_conditioned(collected())
    return offline(decision_transformer(transformer(), DTConfig(1e-2)), sequence(data.numel(), 6, 5), data, 3)


def small_dqn():
    return dqn(q_network(ENV.single_observation_spec, ENV.single_action_spec, (8,)))


def test_a_step_learns_so_many_times_and_leaves_the_data_alone():
    loop = dt_loop()
    state = loop.init(random.key(0))
    after, metrics = loop.step(state)
    assert (after["step"].item(), after["train", "updates"].item()) == (3, 3)
    assert equal(after["buffer"], state["buffer"])
    assert not equal(after["train", "params"], state["train", "params"])
    assert {name: x.shape for name, x in metrics.items()} == {"loss": (), "learning_rate": ()}
    assert tree.flatten(after)[1] == tree.flatten(state)[1]


def test_every_training_has_memory_of_its_own():
    """For a compiled step with donate=True writes over it, as over the priorities here."""
    loop = offline(small_dqn(), prioritized(uniform(160, 8)), collected(), 1)
    state = loop.init(random.key(0))
    kept = tree.map(torch.clone, state)
    for x in tree.leaves(state["buffer"]):
        x.zero_()
    assert equal(loop.init(random.key(0)), kept)


def test_a_step_is_a_pure_function_of_the_state():
    loop = dt_loop()
    state = loop.init(random.key(0))
    kept = tree.map(torch.clone, state)
    first, second = loop.step(state)[0], loop.step(state)[0]
    assert equal(state, kept)
    assert equal(first, second)


@pytest.mark.usefixtures("traced_graphs")
def test_a_traced_step_is_the_eager_one():
    loop = dt_loop()
    state = loop.init(random.key(0))
    found, expected = compilation.compile(loop.step)(state), loop.step(state)
    for x, y in zip(tree.leaves(found), tree.leaves(expected), strict=True):
        torch.testing.assert_close(x, y)


def test_a_population_learns_from_the_same_data():
    loop = dt_loop()
    keys = random.split(random.key(3), 2)
    both, metrics = population(loop, 2).step(population(loop, 2).init(keys))
    alone = [loop.step(loop.init(key))[1]["loss"] for key in keys]
    torch.testing.assert_close(metrics["loss"], torch.stack(alone))
    assert both["step"].tolist() == [3, 3]


def test_what_learns_from_single_steps_learns_offline_too_and_its_errors_become_priorities():
    buffer = prioritized(uniform(160, 8))
    loop = offline(small_dqn(), buffer, collected(), 3)
    state = loop.init(random.key(0))
    after, metrics = loop.step(state)
    assert not equal(after["buffer"], state["buffer"])
    assert "td_error" not in metrics
    assert after["train", "updates"].item() == 3


def test_the_loss_falls_and_the_policy_plays_whole_episodes():
    actor = transformer()
    data = return_conditioned(collected())
    loop = offline(decision_transformer(actor, DTConfig(1e-2, 5.0)), sequence(data.numel(), 16, 5), data, 4)
    losses = []
    state = train(loop.step, loop.init(random.key(0)), 5, [lambda n, state, metrics: losses.append(metrics["loss"])])
    assert losses[-1] < losses[0]
    asked = Compose(InitTracker(), TargetReturn(20.0), make_tensordict_primer(actor))
    env = TransformedEnv(make("CartPole-v1", 3), asked)
    returns = evaluate(env, decision_transformer(actor).act, state["train"], random.key(1), 3)
    assert bool((returns >= 8).all())
