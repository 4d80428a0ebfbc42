"""The recurrent network of action values, and DQN over it: what only a memory can know."""

import pytest
import torch

from frl import TensorDict, random, specs, transforms
from frl.algorithms import DQNConfig, dqn, q_network, recurrent_q_network
from frl.envs import Env, FunctionalEnv
from frl.envs.probes import Remembered
from frl.nn import functional_call
from frl.replay import sequence
from frl.training import off_policy

SEEN = specs.Composite({"observation": specs.Unbounded(3)})


def recurrent(base: Env):
    networks = recurrent_q_network(base.single_observation_spec, base.single_action_spec, 8, (8,))
    primer = transforms.make_tensordict_primer(networks.module)
    return networks, transforms.TransformedEnv(base, transforms.Compose(transforms.InitTracker(), primer))


def test_an_agent_with_a_memory_learns_what_one_without_cannot():
    base = FunctionalEnv(Remembered(), 8)
    networks, env = recurrent(base)
    config = DQNConfig(learning_rate=2e-2, gamma=0.5, epsilon_end=1.0, target_rate=0.2)
    algorithm = dqn(networks, config)
    loop = off_policy(env, algorithm, sequence(400, batch_size=16, length=2, num_envs=8), 8, 8, warmup=64)
    state = loop.init(random.key(0))
    for _ in range(8):
        state, _ = loop.step(state)
    td = env.reset(random.key(1))
    for key in random.split(random.key(2)):
        td, following = env.step_and_reset(algorithm.act(state["train"], td, explore=False), key)
        reward, td = td["next", "reward"], following
    assert reward.flatten().tolist() == [1.0] * 8  # by chance, half of them


def test_an_action_carries_the_state_on():
    networks, env = recurrent(FunctionalEnv(Remembered(), 3))
    algorithm, td = dqn(networks), env.reset(random.key(0))
    acted = algorithm.act(algorithm.init(random.key(1)), td, random.key(2))
    assert set(acted) - set(td) == {"action", "next"}
    after = env.step(acted, random.key(3))["next"]
    assert torch.equal(after["recurrent_state"], acted["next", "recurrent_state"])
    assert after["recurrent_state"].any()


def test_a_network_without_memory_writes_nothing_to_carry():
    env = FunctionalEnv(Remembered(), 3)
    algorithm = dqn(q_network(env.single_observation_spec, env.single_action_spec, (4,)))
    td = env.reset(random.key(0))
    assert set(algorithm.act(algorithm.init(random.key(1)), td, explore=False)) - set(td) == {"action"}


def test_a_key_fixes_the_first_parameters():
    networks = recurrent_q_network(SEEN, specs.OneHot(2), 4, (4,))
    first, same, other = (networks.init(random.key(seed))["module", "1", "rnn"] for seed in (0, 0, 1))
    assert bool((first == same).all())
    assert not bool((first == other).all())


def test_there_is_a_value_for_each_choice():
    networks = recurrent_q_network(SEEN, specs.MultiCategorical([2, 3]), 4, (4,))
    td = TensorDict({"observation": torch.ones(5, 3), "is_init": torch.ones(5, 1, dtype=torch.bool)}, [5])
    acted = functional_call(networks.module, networks.init(random.key(0)), td)
    assert acted["action_value"].shape == (5, 5)


def test_specs_and_sizes_that_do_not_fit_are_refused():
    with pytest.raises(TypeError, match="observation_spec is a Unbounded but must be a Composite"):
        recurrent_q_network(specs.Unbounded(3), specs.OneHot(2))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="num_cells is empty"):
        recurrent_q_network(SEEN, specs.OneHot(2), num_cells=())
