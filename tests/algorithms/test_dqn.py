"""DQN: what it learns on environments of known value, how it explores, and its hyperparameters as leaves."""

from functools import partial

import pytest
import torch

from frl import TensorDict, random
from frl.algorithms import DQNConfig, QNetwork, dqn, q_network
from frl.envs import FunctionalEnv
from frl.envs.probes import ChosenReward, LateReward
from frl.nn import MLP, Dueling, TensorDictModule, functional_call, initialize
from frl.replay import n_step, prioritized, uniform
from frl.training import off_policy


def trained(probe, config, steps=40):
    env = FunctionalEnv(probe, 4)
    algorithm = dqn(q_network(env.single_observation_spec, env.single_action_spec, (16,)), config)
    loop = off_policy(env, algorithm, uniform(capacity=400, batch_size=32), 8, 8, warmup=32)
    state = loop.init(random.key(0))
    for _ in range(steps):
        state, _ = loop.step(state)
    return env, algorithm, state


@pytest.mark.parametrize("double", [True, False])
def test_it_learns_which_action_is_rewarded(double):
    config = DQNConfig(double=double, learning_rate=1e-2, epsilon_updates=100, target_rate=0.1)
    env, algorithm, state = trained(ChosenReward(), config)
    td = algorithm.act(state["train"], env.reset(random.key(1)), explore=False)
    assert env.rand_step(env.reset(random.key(1)), random.key(2))["next", "reward"].shape == (4, 1)
    assert env.step(td, random.key(2))["next", "reward"].flatten().tolist() == [1.0] * 4


def test_a_reward_one_step_ahead_is_worth_gamma():
    config = DQNConfig(learning_rate=1e-2, gamma=0.5, epsilon_end=1.0, target_rate=0.1)
    env, _, state = trained(LateReward(), config, steps=60)
    module, params = q_network(env.single_observation_spec, env.single_action_spec, (16,)).module, state["train"]
    value = functional_call(
        module, params["params", "value"], TensorDict({"observation": torch.tensor([[0.0], [1.0]])}, [2])
    )
    torch.testing.assert_close(value["action_value"].amax(-1), torch.tensor([0.5, 1.0]), atol=0.05, rtol=0)


def dueling_network(env):
    """`q_network` with two heads."""
    with torch.random.fork_rng(devices=[]):
        heads = Dueling(torch.nn.Linear(16, 1), torch.nn.Linear(16, 2))
        net = torch.nn.Sequential(MLP(1, 16, num_cells=[], activate_last_layer=True), heads)
    module = TensorDictModule(net, ["observation"], ["action_value"])
    return QNetwork(module, env.single_action_spec, partial(initialize, module))


def test_dueling_heads_n_steps_and_priorities_compose():
    env = FunctionalEnv(LateReward(), 4)
    config = DQNConfig(learning_rate=1e-2, gamma=0.5, epsilon_end=1.0, target_rate=0.1)
    networks = dueling_network(env)
    buffer = prioritized(n_step(capacity=400, batch_size=32, n=2, gamma=0.5, num_envs=4))
    loop = off_policy(env, dqn(networks, config), buffer, 8, 8, warmup=32)
    state = loop.init(random.key(0))
    for _ in range(30):
        state, _ = loop.step(state)
    seen = TensorDict({"observation": torch.tensor([[0.0], [1.0]])}, [2])
    value = functional_call(networks.module, state["train", "params", "value"], seen)["action_value"]
    torch.testing.assert_close(value.amax(-1), torch.tensor([0.5, 1.0]), atol=0.05, rtol=0)
    assert len(set(state["buffer", "tree", "sum"][:400].tolist())) > 1  # the errors became priorities


def test_it_explores_as_often_as_epsilon_says():
    env = FunctionalEnv(ChosenReward(), 2000)
    networks = q_network(env.single_observation_spec, env.single_action_spec, (4,))
    algorithm = dqn(networks, DQNConfig(epsilon_start=0.8, epsilon_end=0.2, epsilon_updates=10))
    train, td = algorithm.init(random.key(0)), env.reset(random.key(1))
    greedy = algorithm.act(train, td, explore=False)["action"]
    for updates, epsilon in ((0.0, 0.8), (5.0, 0.5), (100.0, 0.2)):
        acted = algorithm.act(train.set("updates", torch.tensor(updates)), td, random.key(2))["action"]
        changed = (acted != greedy).any(-1).float().mean().item()
        assert abs(changed - epsilon / 2) < 0.04  # half of the random actions are the greedy one


def test_hyperparameters_are_leaves_of_the_state():
    env = FunctionalEnv(ChosenReward(), 4)
    train = dqn(q_network(env.single_observation_spec, env.single_action_spec)).init(random.key(0))
    assert set(train["hyper"]) == set(DQNConfig._fields) - {"double"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (DQNConfig(gamma=1.5), "gamma is 1.5 but must be at most 1"),
        (DQNConfig(epsilon_start=-0.1), "epsilon_start is -0.1 but must be at least 0"),
        (DQNConfig(target_period=0), "target_period is 0 but must be at least 1"),
        (DQNConfig(max_grad_norm=0.0), "max_grad_norm is 0.0 but must be above 0"),
    ],
)
def test_a_hyperparameter_out_of_range_is_named(config, message):
    env = FunctionalEnv(ChosenReward(), 4)
    with pytest.raises(ValueError, match=message):
        dqn(q_network(env.single_observation_spec, env.single_action_spec), config)
