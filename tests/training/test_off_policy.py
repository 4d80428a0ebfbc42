"""The loop of off-policy algorithms: one state with its memory, one step."""

import pytest
import torch

from frl import TensorDict, compilation, random, tree
from frl.algorithms import DQNConfig, dqn, q_network
from frl.envs import make
from frl.replay import prioritized, uniform
from frl.training import off_policy, population


def small_loop(buffer=None, warmup=0):
    env = make("CartPole-v1", 4)
    algorithm = dqn(q_network(env.single_observation_spec, env.single_action_spec, (8,)), DQNConfig(epsilon_updates=4))
    return off_policy(env, algorithm, buffer or uniform(capacity=40, batch_size=6), 8, 3, warmup)


def equal(x: TensorDict, y: TensorDict) -> bool:
    return all(torch.equal(a, b) for a, b in zip(tree.leaves(x), tree.leaves(y), strict=True))


def test_a_step_collects_remembers_and_learns_so_many_times():
    loop = small_loop()
    state = loop.init(random.key(0))
    after, metrics = loop.step(state)
    assert (after["step"].item(), after["buffer", "size"].item(), after["train", "updates"].item()) == (32, 32, 3)
    assert all(x.ndim == 0 for x in tree.leaves(metrics))
    assert not equal(state["train", "params"], after["train", "params"])
    assert loop.step(after)[0]["buffer", "size"].item() == 40  # full


def test_a_step_keeps_the_structure_of_the_state_for_another_one_would_compile_again():
    loop = small_loop()
    state = loop.init(random.key(0))
    after, _ = loop.step(state)
    assert tree.flatten(after)[1] == tree.flatten(state)[1]
    kinds = [[(x.shape, x.dtype, x.stride()) for x in tree.leaves(td)] for td in (state, after)]
    assert kinds[0] == kinds[1]


def test_until_it_is_warm_it_acts_and_does_not_learn():
    loop = small_loop(warmup=64)
    state = loop.init(random.key(0))
    after, metrics = loop.step(state)
    assert equal(after["train"], state["train"])
    assert after["buffer", "size"].item() == 32
    assert metrics["loss"] == 0
    again, metrics = loop.step(after)
    assert again["train", "updates"].item() == 3
    assert metrics["loss"] > 0


def test_until_it_is_warm_it_computes_no_update():
    env = make("CartPole-v1", 4)
    algorithm = dqn(q_network(env.single_observation_spec, env.single_action_spec, (8,)))
    calls = []

    def update(train, batch, key):
        calls.append(key)
        return algorithm.update(train, batch, key)

    loop = off_policy(env, algorithm._replace(update=update), uniform(capacity=40, batch_size=6), 8, 3, warmup=1000)
    state = loop.init(random.key(0))
    for _ in range(3):
        state, _ = loop.step(state)
    assert len(calls) == 3  # of the first step, which show the names of the metrics


def test_a_step_is_a_pure_function_of_the_state():
    loop = small_loop()
    state = loop.init(random.key(0))
    kept = tree.map(torch.clone, state)
    first, second = loop.step(state)[0], loop.step(state)[0]
    assert equal(state, kept)
    assert equal(first, second)


def test_errors_become_priorities():
    loop = small_loop(prioritized(uniform(capacity=40, batch_size=6), alpha=1.0))
    after, _ = loop.step(loop.init(random.key(0)))
    priority = after["buffer", "tree", "sum"][:32]
    assert 1 < len(set(priority.tolist())) <= 19  # those of at most 3 samples of 6 rows, and that of all new ones


@pytest.mark.usefixtures("traced_graphs")
@pytest.mark.parametrize("warmup", [0, 32, 64])
def test_the_traced_step_equals_the_eager_step(warmup):
    loop = small_loop(warmup=warmup)
    state = loop.init(random.key(0))
    eager, _ = loop.step(state)
    traced, _ = compilation.compile(loop.step)(state)
    for x, y in zip(tree.leaves(eager), tree.leaves(traced), strict=True):
        torch.testing.assert_close(x, y, rtol=1e-4, atol=1e-5)


def test_a_member_of_an_eager_population_is_bitwise_the_run_of_its_key_alone():
    loop, keys = small_loop(), random.split(random.key(3), 2)
    many = population(loop, 2)
    states, _ = many.step(many.init(keys))
    assert equal(tree.map(lambda x: x[1], states), loop.step(loop.init(keys[1]))[0])


@pytest.mark.parametrize(("arguments", "message"), [((0, 1), "num_steps is 0"), ((1, 0), "num_updates is 0")])
def test_numbers_out_of_range_are_named(arguments, message):
    env = make("CartPole-v1", 4)
    algorithm = dqn(q_network(env.single_observation_spec, env.single_action_spec, (8,)))
    with pytest.raises(ValueError, match=message):
        off_policy(env, algorithm, uniform(40, 6), *arguments)
