"""Document 002, "TorchRL Modules": policies on the pendulum and CartPole, their exploration, Q-values.

It prints `device=None` for a rollout; frl's environments name theirs, as those of 004 do, and `without_device()` is the
same data without one. `torch.distributions.Normal` draws from a global generator: here it is that of
`frl.distributions`.

Sampled numbers, of which the document prints none, and the laws in their stead:

- RANDOM: the action of the normal policy is loc + scale · noise with standard normal noise;
- ε-greedy: an action is replaced with probability ε, by one that is uniform in the box [-2, 2] or among two actions;
- DETERMINISTIC: neither draws, and two rollouts from one key are equal.
"""

import re

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from frl import TensorDict, random
from frl.nn import (
    MLP,
    Actor,
    ActorCriticOperator,
    ActorValueOperator,
    AdditiveGaussianModule,
    EGreedyModule,
    ExplorationType,
    NormalParamExtractor,
    OrnsteinUhlenbeckProcessModule,
    QValueActor,
    QValueModule,
    TensorDictModule,
    TensorDictSequential,
    ValueOperator,
    advance,
    buffers,
    set_exploration_type,
)
from frl.specs import OneHot
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


def without_layout(value: object) -> str:
    """The text of `value` without line breaks and indents, which other versions and editors set elsewhere."""
    return re.sub(r"(?<=[({\[]) | (?=[)}\]])", "", re.sub(r"\s+", " ", str(value)))


# ---- TensorDictModules


def test_a_lazy_policy_finds_its_input_at_the_first_call_and_its_rollout_prints(pendulum):
    policy = lazy_policy(pendulum)
    assert isinstance(policy.module, nn.LazyLinear)
    rollout = pendulum.rollout(max_steps=10, policy=policy)
    assert (policy.module.in_features, policy.module.out_features) == (3, 1)
    assert without_layout(rollout.without_device()) == without_layout(pendulum_rollout(None))
    assert repr(rollout) == pendulum_rollout("cpu")


def test_any_function_can_be_wrapped_too(pendulum):
    swing = TensorDictModule(lambda x: 2 * x[..., 2:].sign(), in_keys=["observation"], out_keys=["action"])
    rollout = pendulum.rollout(max_steps=10, policy=swing)
    assert torch.equal(rollout["action"], 2 * rollout["observation"][:, 2:].sign())


def test_a_rollout_is_a_chain_of_steps(pendulum):
    rollout = pendulum.rollout(max_steps=10, policy=lazy_policy(pendulum))
    assert torch.equal(rollout["next", "observation"][:-1], rollout["observation"][1:])
    assert not rollout["next", "done"].any()


# ---- special modules


def test_an_actor_has_the_keys_of_common_environments(pendulum):
    policy = Actor(lazy_policy(pendulum).module)
    assert (policy.in_keys, policy.out_keys) == (["observation"], ["action"])
    assert repr(pendulum.rollout(max_steps=10, policy=policy)) == pendulum_rollout("cpu")


@pytest.mark.parametrize("operator_class", [ActorValueOperator, ActorCriticOperator])
def test_policy_and_value_share_a_trunk(operator_class):
    reads = ["hidden"] if operator_class is ActorValueOperator else ["hidden", "action"]
    head = ValueOperator(MLP(4 + len(reads) - 1, 1), reads)
    trunk = TensorDictModule(nn.Linear(3, 4), ["observation"], ["hidden"])
    td = operator_class(trunk, Actor(nn.Linear(4, 1), ["hidden"]), head)(
        TensorDict({"observation": torch.ones(5, 3)}, [5])
    )
    assert {key: list(value.shape) for key, value in td.items()} == {
        "action": [5, 1],
        "hidden": [5, 4],
        "observation": [5, 3],
        head.out_keys[0]: [5, 1],
    }


# ---- networks


def test_an_mlp_takes_the_place_of_the_layer(pendulum):
    policy = mlp_policy(pendulum)
    assert repr(pendulum.rollout(max_steps=10, policy=policy)) == pendulum_rollout("cpu")
    assert (
        repr(policy.module)
        == """MLP(
  (0): Linear(in_features=3, out_features=32, bias=True)
  (1): Tanh()
  (2): Linear(in_features=32, out_features=64, bias=True)
  (3): Tanh()
  (4): Linear(in_features=64, out_features=1, bias=True)
)"""
    )


# ---- probabilistic policies


def test_the_rollout_of_a_normal_policy_prints_with_its_parameters_and_log_probs(pendulum):
    rollout = pendulum.rollout(max_steps=10, policy=normal_policy())
    assert without_layout(rollout.without_device()) == without_layout(stochastic_rollout(None))
    assert repr(rollout) == stochastic_rollout("cpu")


def test_an_mlp_without_num_cells_has_three_hidden_layers_of_32():
    assert [tuple(x.shape) for x in MLP(in_features=3, out_features=2).parameters() if x.ndim == 2] == [
        (32, 3),
        (32, 32),
        (32, 32),
        (2, 32),
    ]


def test_the_extractor_makes_a_mean_and_a_positive_deviation_of_two_numbers():
    loc, scale = NormalParamExtractor()(torch.tensor([[-5.0, -5.0], [5.0, 0.0]]))
    assert loc.tolist() == [[-5.0], [5.0]]
    assert (scale > 0).all()
    assert_close(scale[1], torch.ones(1))


def test_log_probs_are_those_of_the_distribution_in_the_rollout(pendulum):
    rollout = pendulum.rollout(max_steps=10, policy=normal_policy())
    expected = torch.distributions.Normal(rollout["loc"], rollout["scale"]).log_prob(rollout["action"])
    assert_close(rollout["sample_log_prob"], expected)


def test_the_exploration_type_decides_between_the_mode_and_samples(pendulum):
    policy = normal_policy()
    with set_exploration_type(ExplorationType.DETERMINISTIC):
        rollout = pendulum.rollout(max_steps=10, policy=policy)
    assert torch.equal(rollout["action"], rollout["loc"])
    with set_exploration_type(ExplorationType.RANDOM):
        rollout = pendulum.rollout(max_steps=10, policy=policy)
    assert (rollout["action"] != rollout["loc"]).all()


def test_samples_are_standard_normal_around_loc():
    td = normal_policy()(TensorDict({"observation": torch.ones(20_000, 3)}, [20_000]), key=KEY)
    noise = ((td["action"] - td["loc"]) / td["scale"]).detach()
    assert abs(noise.mean()) < 0.03  # four deviations
    assert abs(noise.std() - 1) < 0.02


# ---- exploration


def explorative(spec, **options):
    policy = Actor(MLP(3, 1, num_cells=[32, 64]))
    return policy, TensorDictSequential(policy, EGreedyModule(spec=spec, **options))


def test_exploration_is_a_module_at_the_end_of_a_sequence_and_can_be_turned_off(pendulum):
    policy, exploration_policy = explorative(pendulum.action_spec, annealing_num_steps=1000, eps_init=0.5)
    with set_exploration_type(ExplorationType.DETERMINISTIC):
        rollout = pendulum.rollout(max_steps=10, policy=exploration_policy)
    assert_close(rollout["action"], policy(rollout)["action"])
    with set_exploration_type(ExplorationType.RANDOM):
        rollout = pendulum.rollout(max_steps=10, policy=exploration_policy)
    assert repr(rollout) == pendulum_rollout("cpu")
    assert ((rollout["action"] - policy(rollout)["action"]).abs() > 1e-4).any()


def test_two_rollouts_from_one_key_are_equal(pendulum):
    policy = explorative(pendulum.action_spec, eps_init=0.5)[1]
    first, second = (pendulum.rollout(10, policy, KEY) for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize("eps", [0.0, 0.5, 1.0])
def test_an_action_is_replaced_with_probability_eps_by_a_uniform_one_in_the_box(pendulum, eps):
    policy, exploration_policy = explorative(pendulum.action_spec, eps_init=eps, eps_end=0.0)
    td = TensorDict({"observation": torch.ones(20_000, 3)}, [20_000])
    action = exploration_policy(td, key=KEY)["action"]
    replaced = (action != policy(td)["action"]).squeeze(-1)
    assert abs(replaced.float().mean() - eps) < 0.02
    drawn = action[replaced].detach()
    if eps:
        assert (drawn.abs() <= 2).all()
        assert abs(drawn.mean()) < 0.06  # four deviations of the mean of 10,000 numbers with variance 4/3
        assert abs(drawn.var() - 4 / 3) < 0.06


def test_annealing_gives_the_next_state_in_place_of_a_step_in_the_module(pendulum):
    _, policy = explorative(pendulum.action_spec, annealing_num_steps=1000, eps_init=0.5)
    state = buffers(policy)
    eps = []
    for _ in range(3):
        state = advance(policy, state, 500)
        policy.load_state_dict(state.flatten_keys(".").to_dict(), strict=False)
        eps.append(float(policy[1].eps))
    assert eps == pytest.approx([0.3, 0.1, 0.1])


@pytest.mark.parametrize("noise_class", [AdditiveGaussianModule, OrnsteinUhlenbeckProcessModule])
def test_the_noise_modules_change_actions_within_the_box_and_can_be_turned_off(pendulum, noise_class):
    actor = Actor(MLP(3, 1, num_cells=[32, 64]))
    policy = TensorDictSequential(actor, noise_class(pendulum.action_spec))
    td = TensorDict({"observation": torch.ones(100, 3), "is_init": torch.ones(100, 1, dtype=torch.bool)}, [100])
    action = policy(td, key=KEY)["action"]
    assert (action != actor(td)["action"]).all()
    assert (action.abs() <= 2).all()
    with set_exploration_type(ExplorationType.DETERMINISTIC):
        assert torch.equal(policy(td)["action"], actor(td)["action"])


# ---- Q-value actors


def test_the_action_spec_of_cartpole_prints(cartpole):
    assert without_layout(cartpole.action_spec) == without_layout("""OneHot(
    shape=torch.Size([2]),
    space=CategoricalBox(n=2),
    device=cpu,
    dtype=torch.int64,
    domain=discrete
)""")


def test_the_rollout_of_a_q_value_actor_prints(cartpole):
    policy = TensorDictSequential(value_net(), QValueModule(spec=cartpole.action_spec))
    rollout = cartpole.rollout(max_steps=3, policy=policy)
    assert without_layout(rollout.without_device()) == without_layout(cartpole_rollout(None))
    assert repr(rollout) == cartpole_rollout("cpu")


def test_the_chosen_action_is_the_one_of_the_highest_value(cartpole):
    rollout = cartpole.rollout(3, TensorDictSequential(value_net(), QValueModule(spec=cartpole.action_spec)))
    highest, index = rollout["action_value"].max(-1, keepdim=True)
    assert torch.equal(rollout["action"].argmax(-1, keepdim=True), index)
    assert torch.equal(rollout["chosen_action_value"], highest)


def test_the_action_space_may_be_a_spec_or_its_name():
    td = TensorDict({"action_value": torch.tensor([[0.0, 1.0]])}, [1])
    modules = [QValueModule(spec=OneHot(2)), QValueModule(None, spec=OneHot(2)), QValueModule("one_hot")]
    assert [module(td)["action"].tolist() for module in modules] == [[[0, 1]]] * 3


def test_a_q_value_actor_is_the_sequence_of_both(cartpole):
    net = value_net()
    sequence = TensorDictSequential(net, QValueModule(spec=cartpole.action_spec))
    rollout = cartpole.rollout(3, sequence, KEY)
    assert (rollout == cartpole.rollout(3, QValueActor(net.module, spec=cartpole.action_spec), KEY)).all()


def test_a_q_value_actor_explores_with_an_exploration_module_behind_it(cartpole):
    policy_explore = TensorDictSequential(
        value_net(), QValueModule(spec=cartpole.action_spec), EGreedyModule(spec=cartpole.action_spec)
    )
    with set_exploration_type(ExplorationType.RANDOM):
        rollout = cartpole.rollout(max_steps=3, policy=policy_explore)
    assert repr(rollout) == cartpole_rollout("cpu")
    td = TensorDict({"observation": torch.zeros(20_000, 4)}, [20_000])
    action = policy_explore(td, key=KEY)["action"].float()  # ε is 1
    assert (action.sum(-1) == 1).all()
    assert abs(action.mean(0)[0] - 0.5) < 0.015  # four deviations
