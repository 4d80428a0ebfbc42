"""Document 000, "torchrl: #1 tensordict": TensorDict, TensorDictModule and ProbabilisticTensorDictSequential.

Sampled numbers, of which the document prints none, and the laws in their stead:

- the action is loc + scale · noise with standard normal noise, and other for another key;
- `sample_log_prob` is the logarithm of the normal density at the action, element by element.
"""

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

import frl
from frl import TensorDict, distributions, optim, random
from frl.nn import (
    NormalParamExtractor,
    ProbabilisticTensorDictModule,
    ProbabilisticTensorDictSequential,
    TensorDictModule,
    biased_softplus,
    from_module,
    functional_call,
)

KEY = random.key(0)

# ---- the library


def test_every_module_of_the_library_has_its_counterpart():
    names = ("envs", "replay", "specs", "nn", "objectives", "collectors", "training", "TensorDict")
    assert [name for name in names if not hasattr(frl, name)] == []


def test_the_four_important_ones_make_a_program_in_the_usual_order_of_writing():
    env = frl.envs.GymEnv("CartPole-v1")
    rb = frl.replay.TensorDictReplayBuffer(frl.replay.LazyTensorStorage(100), batch_size=4)
    policy = frl.nn.QValueActor(nn.Linear(4, 2), spec=env.action_spec)
    loss = frl.objectives.DQNLoss(policy, env.action_spec)
    rb.extend(env.rollout(20, policy, KEY).detach())
    assert loss(loss.init(), rb.sample())["loss"].shape == ()


# ---- a carrier of data


def transition():
    return {
        "observation": torch.zeros(256, 3),
        "action": torch.zeros(256, 6),
        "reward": torch.zeros(256, 9),
        "next": {"observation": torch.ones(256, 3)},
    }


def test_a_dict_of_a_transition_becomes_a_tensordict_and_so_does_what_is_nested_in_it():
    td = TensorDict(transition(), [256])
    assert list(td) == ["action", "next", "observation", "reward"]
    assert (td.batch_size, td["next"].batch_size) == ((256,), (256,))
    assert td["next", "observation"].shape == (256, 3)
    assert td[3]["next", "observation"].tolist() == [1.0, 1.0, 1.0]


def test_the_dict_of_the_document_whose_entries_are_three_numbers_each():
    td = TensorDict({"observation": torch.tensor([256, 2, 3]), "next": {"observation": torch.tensor([256, 2, 3])}}, [3])
    assert td["next", "observation"].tolist() == [256, 2, 3]


def test_a_training_loop_is_the_one_of_torch_with_values_in_place_of_writes():
    dataset = [TensorDict({"a": x, "b": x.sum(-1, keepdim=True)}, [5]) for x in random.normal((8, 5, 3), KEY)]
    module = TensorDictModule(nn.Linear(3, 1), in_keys=["a"], out_keys=["a_out"])
    loss_module = TensorDictModule(lambda y, b: (y - b) ** 2, in_keys=["a_out", "b"], out_keys=["loss"])

    def loss(params, td):
        return loss_module(functional_call(module, params, td))["loss"].mean()

    optimizer = optim.sgd(0.1)
    params = from_module(module)
    state, losses = optimizer.init(params), []
    for td in dataset:
        losses.append(loss(params, td))
        grads = torch.func.grad(loss)(params, td)
        params, state = optim.step(optimizer, grads, state, params)

    by_torch = torch.optim.SGD(module.parameters(), lr=0.1)
    for td, expected in zip(dataset, losses, strict=True):
        value = loss_module(module(td))["loss"].mean()
        assert_close(value.detach(), expected)
        value.backward()
        by_torch.step()
        by_torch.zero_grad()
    assert_close(params["module", "weight"], module.module.weight.detach())
    assert losses[-1] < losses[0]


# ---- TensorDictModule


def before():
    return TensorDict({"a": random.normal((5, 3), KEY), "b": torch.zeros(5, 4, 3)}, batch_size=[5])


def linear():
    return TensorDictModule(nn.Linear(3, 10), in_keys=["a"], out_keys=["a_out"])


class MultiModule(nn.Module):
    def __init__(self, in_1, in_2, out_1, out_2):
        super().__init__()
        self.linear_1 = nn.Linear(in_1, out_1)
        self.linear_2 = nn.Linear(in_2, out_2)

    def forward(self, x_1, x_2):
        return self.linear_1(x_1), self.linear_2(x_2)


def multimodule():
    return TensorDictModule(MultiModule(3, 3, 10, 5), in_keys=["a", "b"], out_keys=["a_out", "b_out"])


def test_one_input_and_one_output_print():
    assert (
        repr(linear()(before()))
        == """TensorDict(
    fields={
        a: Tensor(shape=torch.Size([5, 3]), device=cpu, dtype=torch.float32, is_shared=False),
        a_out: Tensor(shape=torch.Size([5, 10]), device=cpu, dtype=torch.float32, is_shared=False),
        b: Tensor(shape=torch.Size([5, 4, 3]), device=cpu, dtype=torch.float32, is_shared=False)},
    batch_size=torch.Size([5]),
    device=None,
    is_shared=False)"""
    )


def test_the_output_is_that_of_the_wrapped_module_and_the_other_entry_is_untouched():
    td, module = before(), linear()
    after = module(td)
    assert torch.equal(after["a_out"], module.module(td["a"]))
    assert after["b"] is td["b"]


def test_a_result_may_have_a_name_of_its_own_for_the_input_stays_as_it_is():
    td, module = before(), linear()
    after = module(td)
    assert "a_out" in after
    assert list(td) == ["a", "b"]
    with pytest.raises(TypeError, match=r"TensorDict is immutable.*td = td.set\('a_out', value\)"):
        td["a_out"] = after["a_out"]


def test_two_inputs_and_two_outputs_print():
    assert (
        repr(multimodule()(linear()(before())))
        == """TensorDict(
    fields={
        a: Tensor(shape=torch.Size([5, 3]), device=cpu, dtype=torch.float32, is_shared=False),
        a_out: Tensor(shape=torch.Size([5, 10]), device=cpu, dtype=torch.float32, is_shared=False),
        b: Tensor(shape=torch.Size([5, 4, 3]), device=cpu, dtype=torch.float32, is_shared=False),
        b_out: Tensor(shape=torch.Size([5, 4, 5]), device=cpu, dtype=torch.float32, is_shared=False)},
    batch_size=torch.Size([5]),
    device=None,
    is_shared=False)"""
    )


def test_two_inputs_are_handed_over_in_order_and_two_results_are_named_in_order():
    td, module = before(), multimodule()
    after = module(td)
    assert torch.equal(after["a_out"], module.module.linear_1(td["a"]))
    assert torch.equal(after["b_out"], module.module.linear_2(td["b"]))


# ---- ProbabilisticTensorDictModule


def recurrent_input():
    k_input, k_hidden = random.split(random.key(1))
    return TensorDict({"input": random.normal((3, 4), k_input), "hidden": random.normal((3, 8), k_hidden)}, [3])


def recurrent_policy():
    return ProbabilisticTensorDictSequential(
        TensorDictModule(nn.GRUCell(4, 8), in_keys=["input", "hidden"], out_keys=["hidden"]),
        TensorDictModule(NormalParamExtractor(), in_keys=["hidden"], out_keys=["loc", "scale"]),
        ProbabilisticTensorDictModule(
            in_keys=["loc", "scale"],
            out_keys=["action"],
            distribution_class=distributions.Normal,
            return_log_prob=True,
        ),
    )


def test_before_prints():
    assert (
        repr(recurrent_input())
        == """TensorDict(
    fields={
        hidden: Tensor(shape=torch.Size([3, 8]), device=cpu, dtype=torch.float32, is_shared=False),
        input: Tensor(shape=torch.Size([3, 4]), device=cpu, dtype=torch.float32, is_shared=False)},
    batch_size=torch.Size([3]),
    device=None,
    is_shared=False)"""
    )


def test_after_prints_and_the_log_prob_of_a_normal_is_one_for_each_element():
    assert (
        repr(recurrent_policy()(recurrent_input(), key=KEY))
        == """TensorDict(
    fields={
        action: Tensor(shape=torch.Size([3, 4]), device=cpu, dtype=torch.float32, is_shared=False),
        hidden: Tensor(shape=torch.Size([3, 8]), device=cpu, dtype=torch.float32, is_shared=False),
        input: Tensor(shape=torch.Size([3, 4]), device=cpu, dtype=torch.float32, is_shared=False),
        loc: Tensor(shape=torch.Size([3, 4]), device=cpu, dtype=torch.float32, is_shared=False),
        sample_log_prob: Tensor(shape=torch.Size([3, 4]), device=cpu, dtype=torch.float32, is_shared=False),
        scale: Tensor(shape=torch.Size([3, 4]), device=cpu, dtype=torch.float32, is_shared=False)},
    batch_size=torch.Size([3]),
    device=None,
    is_shared=False)"""
    )


def test_the_hidden_state_is_replaced_in_the_result_and_stays_in_the_input():
    td, policy = recurrent_input(), recurrent_policy()
    after = policy(td, key=KEY)
    assert torch.equal(after["hidden"], policy[0].module(td["input"], td["hidden"]))
    assert not torch.equal(after["hidden"], td["hidden"])


def test_the_extractor_halves_the_last_axis_and_gives_a_scale_of_one_at_zero():
    loc, scale = NormalParamExtractor()(torch.tensor([3.0, -2.0, 0.0, -1000.0]))
    assert loc.tolist() == [3.0, -2.0]
    assert_close(scale[0], torch.tensor(1.0))
    assert 0 < scale[1] < 0.1
    after = recurrent_policy()(recurrent_input(), key=KEY)
    assert torch.equal(after["loc"], after["hidden"][:, :4])
    assert_close(after["scale"], biased_softplus(after["hidden"][:, 4:]))


def test_the_probabilistic_module_has_no_parameters():
    assert list(recurrent_policy()[2].parameters()) == []


def test_the_log_prob_is_that_of_the_normal_density_at_the_action():
    td = recurrent_policy()(recurrent_input(), key=KEY)
    z = (td["action"] - td["loc"]) / td["scale"]
    assert_close(td["sample_log_prob"], -z.square() / 2 - td["scale"].log() - math.log(2 * math.pi) / 2)


def test_samples_are_standard_normal_around_loc_and_a_key_decides_them():
    policy, td = recurrent_policy(), recurrent_input()
    keys = random.split(random.key(2), 2000)
    drawn = torch.vmap(lambda key: policy(td, key=key))(keys)
    noise = ((drawn["action"] - drawn["loc"]) / drawn["scale"]).detach()  # 24,000 numbers: 0.05 is eight deviations
    assert abs(noise.mean()) < 0.05
    assert abs(noise.std() - 1) < 0.05
    assert torch.equal(policy(td, key=keys[0])["action"], policy(td, key=keys[0])["action"])
    assert not torch.equal(policy(td, key=keys[0])["action"], policy(td, key=keys[1])["action"])


def test_a_draw_without_a_key_and_a_distribution_of_the_global_generator_are_refused():
    with pytest.raises(TypeError, match="key="):
        recurrent_policy()(recurrent_input())
    with pytest.raises(TypeError, match=r"use the class of that name in frl.distributions"):
        ProbabilisticTensorDictModule(["loc", "scale"], ["action"], torch.distributions.Normal)
