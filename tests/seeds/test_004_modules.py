"""Document 004, "Get started with TorchRL's modules": the tutorial that 002 retells, with the names of its time.

Its names → those of frl: `OneHotDiscreteTensorSpec` with `DiscreteBox` → `OneHot` with `CategoricalBox`;
`AdditiveGaussianWrapper`, `OrnsteinUhlenbeckProcessWrapper` → `AdditiveGaussianModule`,
`OrnsteinUhlenbeckProcessModule`, behind the policy and not around it; `torch.distributions.Normal` →
`frl.distributions.Normal`, whose draws take a key.

Sampled numbers, of which the document prints none, and the laws in their stead:

- RANDOM: the quantiles of the normal policy's actions are those of the distribution in the rollout;
- ε-greedy: with ε = 1 the actions are spread over the box like a uniform draw, with ε = 0 they are the policy's own;
- MEAN: neither draws, and no key is needed.
"""

import pytest
import torch
from torch.testing import assert_close

from frl import TensorDict, random
from frl.nn import (
    MLP,
    Actor,
    AdditiveGaussianModule,
    ConvNet,
    EGreedyModule,
    ExplorationType,
    LSTMModule,
    OrnsteinUhlenbeckProcessModule,
    ProbabilisticTensorDictModule,
    QValueModule,
    TensorDictSequential,
    advance,
    buffers,
    set_exploration_type,
)
from tests.nn import registry
from tests.seeds.tutorial import (
    cartpole_rollout,
    lazy_policy,
    mlp_policy,
    normal_policy,
    pendulum_rollout,
    stochastic_rollout,
    value_net,
)

KEY = random.key(0)
MANY = TensorDict({"observation": torch.ones(10_000, 3)}, [10_000])


def shapes(td):
    return {key: list(value.shape) for key, value in td.items(True, True)}


# ---- TensorDictModules and special ones


def test_the_rollout_of_a_lazy_policy_prints(pendulum):
    assert repr(pendulum.rollout(max_steps=10, policy=lazy_policy(pendulum))) == pendulum_rollout("cpu")


def test_a_lazy_policy_gets_the_shape_of_its_first_input(pendulum):
    policy = lazy_policy(pendulum)
    assert policy.module.has_uninitialized_params()
    pendulum.rollout(max_steps=1, policy=policy)
    assert policy.module.weight.shape == (1, 3)


def test_an_actor_of_the_same_module_prints_the_same(pendulum):
    module = lazy_policy(pendulum).module
    rollout = pendulum.rollout(max_steps=10, policy=Actor(module))
    assert repr(rollout) == pendulum_rollout("cpu")
    assert_close(rollout["action"], module(rollout["observation"]))


def test_policy_and_value_with_a_shared_trunk():
    td = registry.td_of(registry.Case("", registry.shared))
    assert shapes(registry.shared()(td, key=KEY)) == {
        "action": [3],
        "hidden": [3, 8],
        "logits": [3, 3],
        "observation": [3, 5],
        "state_value": [3, 1],
    }
    assert shapes(registry.actor_critic()(td)) == {
        "action": [3, 2],
        "hidden": [3, 8],
        "observation": [3, 5],
        "state_action_value": [3, 1],
    }


# ---- networks


def test_an_mlp_policy_runs(pendulum):
    policy = mlp_policy(pendulum)
    assert repr(pendulum.rollout(max_steps=10, policy=policy)) == pendulum_rollout("cpu")
    assert [type(layer).__name__ for layer in policy.module] == ["Linear", "Tanh", "Linear", "Tanh", "Linear"]
    assert [tuple(layer.weight.shape) for layer in list(policy.module)[::2]] == [(32, 3), (64, 32), (1, 64)]


def test_networks_work_on_plain_tensors_too():
    assert MLP(out_features=4, num_cells=[32, 64])(torch.zeros(10, 3)).shape == (10, 4)
    assert ConvNet(num_cells=[4], kernel_sizes=[3], strides=[1])(torch.zeros(10, 3, 8, 8)).shape == (10, 4 * 6 * 6)


def test_an_mlp_without_num_cells_has_three_hidden_layers_of_32():
    assert (
        repr(MLP(in_features=3, out_features=2))
        == """MLP(
  (0): Linear(in_features=3, out_features=32, bias=True)
  (1): Tanh()
  (2): Linear(in_features=32, out_features=32, bias=True)
  (3): Tanh()
  (4): Linear(in_features=32, out_features=32, bias=True)
  (5): Tanh()
  (6): Linear(in_features=32, out_features=2, bias=True)
)"""
    )


def test_policies_with_memory_are_named_and_run():
    memory = registry.memory(LSTMModule(4, 6, 2))
    case = registry.Case("", lambda: memory, {"observation": (5,), **registry.LSTM_STATE})
    td = memory(registry.td_of(case))
    assert td["next", "recurrent_state_h"].shape == (3, 2, 6)
    actor = registry.decision_transformer()
    case = registry.Case(
        "", lambda: actor, {"observation": (5,), "return_to_go": (1,), "is_init": (1,), **registry.CONTEXT}
    )
    assert actor(registry.td_of(case))["action"].shape == (3, 2)


# ---- probabilistic policies


def test_the_rollout_of_a_normal_policy_prints(pendulum):
    assert repr(pendulum.rollout(max_steps=10, policy=normal_policy())) == stochastic_rollout("cpu")


def test_the_rollout_holds_what_a_ratio_of_policies_needs(pendulum):
    policy = normal_policy()
    rollout = pendulum.rollout(max_steps=10, policy=policy)
    again = policy.get_dist(rollout).log_prob(rollout["action"])
    assert_close(again, rollout["sample_log_prob"])
    assert_close(policy.log_prob(rollout), rollout["sample_log_prob"])


def test_the_backbone_writes_a_mean_and_a_deviation_of_size_one():
    module = normal_policy()[0]
    assert module.out_keys == ["loc", "scale"]
    assert shapes(module(TensorDict({"observation": torch.ones(3)}))) == {"loc": [1], "observation": [3], "scale": [1]}


def test_the_exploration_type_decides_between_the_mean_and_samples(pendulum):
    policy = normal_policy()
    with set_exploration_type(ExplorationType.MEAN):
        rollout = pendulum.rollout(max_steps=10, policy=policy)
    assert torch.equal(rollout["action"], rollout["loc"])
    with set_exploration_type(ExplorationType.RANDOM):
        rollout = pendulum.rollout(max_steps=10, policy=policy)
    assert (rollout["action"] != rollout["loc"]).all()


def test_samples_have_the_quantiles_of_the_distribution():
    td = normal_policy()(MANY, key=KEY)
    below = torch.distributions.Normal(td["loc"], td["scale"]).cdf(td["action"]).flatten().sort().values.detach()
    assert (
        below - torch.linspace(0, 1, 10_000)
    ).abs().max() < 0.02  # Kolmogorov and Smirnov: one in a thousand is so far


def test_an_interaction_type_by_default_is_an_argument():
    module = ProbabilisticTensorDictModule(
        in_keys=["loc", "scale"],
        out_keys=["action"],
        distribution_class=registry.Normal,
        default_interaction_type=ExplorationType.MEAN,
    )
    td = TensorDict({"loc": torch.ones(3), "scale": torch.ones(3)}, [3])
    assert module(td)["action"].tolist() == [1.0, 1.0, 1.0]
    with set_exploration_type(ExplorationType.RANDOM):
        assert (module(td, key=KEY)["action"] != 1.0).all()


def test_a_composite_distribution_draws_a_discrete_and_a_continuous_part():
    td = registry.composite()(registry.td_of(registry.Case("", registry.composite)), key=KEY)
    assert (td["gear"].shape, td["gear"].dtype) == ((3,), torch.int64)
    assert (td["torque"].shape, td["torque"].dtype) == ((3, 2), torch.float32)
    assert td["sample_log_prob"].shape == (3,)


# ---- exploration


def test_exploration_behind_a_policy_is_turned_off_and_on(pendulum):
    policy = Actor(MLP(3, 1, num_cells=[32, 64]))
    exploration_module = EGreedyModule(spec=pendulum.action_spec, annealing_num_steps=1000, eps_init=0.5)
    exploration_policy = TensorDictSequential(policy, exploration_module)
    with set_exploration_type(ExplorationType.MEAN):
        rollout = pendulum.rollout(max_steps=10, policy=exploration_policy)
    assert_close(rollout["action"], policy(rollout)["action"])
    with set_exploration_type(ExplorationType.RANDOM):
        rollout = pendulum.rollout(max_steps=10, policy=exploration_policy)
    assert ((rollout["action"] - policy(rollout)["action"]).abs() > 1e-4).any()
    assert (rollout["action"].abs() <= 2).all()


@pytest.mark.parametrize("off", [ExplorationType.MEAN, ExplorationType.MODE, ExplorationType.DETERMINISTIC])
def test_exploration_in_a_box_is_uniform_at_eps_1_and_off_at_eps_0_or_by_its_type(pendulum, off):
    td = MANY.set("action", torch.full((10_000, 1), 0.5))
    certain = EGreedyModule(pendulum.action_spec, eps_init=1.0)
    drawn = ((certain(td, key=KEY)["action"] + 2) / 4).flatten().sort().values
    assert (drawn - torch.linspace(0, 1, 10_000)).abs().max() < 0.02
    assert torch.equal(certain(td, exploration=off)["action"], td["action"])
    never = EGreedyModule(pendulum.action_spec, eps_init=0.0, eps_end=0.0)
    assert torch.equal(never(td, key=KEY)["action"], td["action"])


def test_eps_is_annealed_by_frames_that_are_counted_in_the_state(pendulum):
    module = EGreedyModule(pendulum.action_spec, annealing_num_steps=1000, eps_init=0.5)
    assert float(module.eps) == 0.5
    state = advance(module, buffers(module), 250)
    assert int(state["num_frames"]) == 250
    with state.to_module(module):
        assert float(module.eps) == pytest.approx(0.4)
    assert float(module.eps) == 0.5


def test_by_default_eps_falls_from_1_to_a_tenth_in_1000_frames(cartpole):
    module = EGreedyModule(cartpole.action_spec)
    eps = []
    for num in (0, 500, 1000, 5000):
        with advance(module, buffers(module), num).to_module(module):
            eps.append(float(module.eps))
    assert eps == pytest.approx([1.0, 0.55, 0.1, 0.1])


@pytest.mark.parametrize("noise_class", [AdditiveGaussianModule, OrnsteinUhlenbeckProcessModule])
def test_the_noise_modules_stand_behind_the_policy(pendulum, noise_class):
    policy = TensorDictSequential(Actor(MLP(3, 1, num_cells=[32, 64])), noise_class(pendulum.action_spec))
    td = MANY.set("is_init", torch.ones(10_000, 1, dtype=torch.bool))
    with set_exploration_type(ExplorationType.MEAN):
        action = policy(td)["action"]
    noise = (policy(td, key=KEY)["action"] - action).detach()
    deviation = {"AdditiveGaussianModule": 1.0, "OrnsteinUhlenbeckProcessModule": 0.02}[noise_class.__name__]
    assert abs(noise.mean()) < 0.1 * deviation
    assert noise.std() == pytest.approx(deviation, rel=0.1)  # σ = 1, cut at the box; σ √dt = 0.2 · 0.1


# ---- Q-value actors


def test_the_action_spec_of_cartpole_prints_with_the_names_of_today(cartpole):
    in_the_document = """OneHotDiscreteTensorSpec(
    shape=torch.Size([2]),
    space=DiscreteBox(n=2),
    device=cpu,
    dtype=torch.int64,
    domain=discrete)"""
    today = in_the_document.replace("OneHotDiscreteTensorSpec", "OneHot").replace("DiscreteBox", "CategoricalBox")
    assert repr(cartpole.action_spec) == today


def test_the_rollout_of_a_q_value_actor_prints(cartpole):
    policy = TensorDictSequential(value_net(), QValueModule(action_space=cartpole.action_spec))
    assert repr(cartpole.rollout(max_steps=3, policy=policy)) == cartpole_rollout("cpu")


def test_values_and_the_greedy_choice_by_hand():
    td = QValueModule("one_hot")(TensorDict({"action_value": torch.tensor([[3.0, -1.0], [0.0, 2.0]])}, [2]))
    assert td["action"].tolist() == [[1, 0], [0, 1]]
    assert td["chosen_action_value"].tolist() == [[3.0], [2.0]]


def test_the_action_space_is_given_by_name_or_as_a_spec(cartpole):
    net, spec = value_net(), cartpole.action_spec
    modules = (QValueModule(action_space=spec), QValueModule(spec=spec), QValueModule("one_hot"))
    rollouts = [cartpole.rollout(3, TensorDictSequential(net, module), KEY) for module in modules]
    assert (rollouts[0] == rollouts[1]).all()
    assert (rollouts[0] == rollouts[2]).all()


def test_a_sequence_may_stand_in_a_sequence_to_explore(cartpole):
    policy = TensorDictSequential(value_net(), QValueModule(action_space=cartpole.action_spec))
    policy_explore = TensorDictSequential(policy, EGreedyModule(cartpole.action_spec))
    with set_exploration_type(ExplorationType.RANDOM):
        rollout_explore = cartpole.rollout(max_steps=3, policy=policy_explore)
    assert repr(rollout_explore) == cartpole_rollout("cpu")
    assert policy_explore.in_keys == ["observation"]
    assert policy_explore.out_keys == ["action_value", "action", "chosen_action_value"]
    with set_exploration_type(ExplorationType.MEAN):
        assert (cartpole.rollout(3, policy_explore, KEY) == cartpole.rollout(3, policy, KEY)).all()
