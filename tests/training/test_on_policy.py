"""The loop of on-policy algorithms: one state, one step."""

import pytest
import torch

from frl import TensorDict, random, tree
from frl.algorithms import PPOConfig, actor_critic, ppo
from frl.envs import make
from frl.training import on_policy

CONFIG = PPOConfig(num_epochs=2, num_minibatches=2)


def small_loop():
    env = make("CartPole-v1", 4)
    return on_policy(env, ppo(actor_critic(env.single_observation_spec, env.single_action_spec, (8,)), CONFIG), 8)


def equal(x: TensorDict, y: TensorDict) -> bool:
    return all(torch.equal(a, b) for a, b in zip(tree.leaves(x), tree.leaves(y), strict=True))


def test_a_step_counts_environment_steps_and_keeps_the_shape_of_the_state():
    loop = small_loop()
    state = loop.init(random.key(0))
    after, metrics = loop.step(state)
    assert after["step"].item() == 32
    assert tree.flatten(after)[1] == tree.flatten(state)[1]
    assert [x.shape for x in tree.leaves(after)] == [x.shape for x in tree.leaves(state)]
    assert all(x.ndim == 0 for x in tree.leaves(metrics))


def test_a_step_keeps_dtypes_and_strides_for_other_ones_would_compile_again():
    loop = small_loop()
    state = loop.init(random.key(0))
    after, _ = loop.step(state)
    assert [(x.dtype, x.stride()) for x in tree.leaves(after)] == [(x.dtype, x.stride()) for x in tree.leaves(state)]


def test_a_step_is_a_pure_function_of_the_state():
    loop = small_loop()
    state = loop.init(random.key(0))
    kept = tree.map(torch.clone, state)
    first, second = loop.step(state)[0], loop.step(state)[0]
    assert equal(state, kept)
    assert equal(first, second)


def test_compiled_step_equals_the_eager_step():
    loop = small_loop()
    state = loop.init(random.key(0))
    eager, _ = loop.step(state)
    compiled, _ = torch.compile(loop.step, backend="aot_eager", fullgraph=True)(state)
    for x, y in zip(tree.leaves(eager), tree.leaves(compiled), strict=True):
        torch.testing.assert_close(x, y, rtol=1e-4, atol=1e-5)
    assert torch.equal(eager["key"], compiled["key"])


def test_it_collects_at_least_one_step():
    env = make("CartPole-v1", 4)
    with pytest.raises(ValueError, match="num_steps is 0 but must be at least 1"):
        on_policy(env, ppo(actor_critic(env.single_observation_spec, env.single_action_spec, (8,))), 0)
