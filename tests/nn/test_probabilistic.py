import re
from functools import partial

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from frl import TensorDict, random
from frl.distributions import (
    Categorical,
    CompositeDistribution,
    MaskedOneHotCategorical,
    Normal,
    OneHotCategorical,
    TanhNormal,
)
from frl.nn import (
    ExplorationType,
    NormalParamExtractor,
    NormalParamWrapper,
    ProbabilisticTensorDictModule,
    ProbabilisticTensorDictSequential,
    TensorDictModule,
    set_exploration_type,
)

key = random.key(0)
params = TensorDict({"loc": torch.full((3, 2), 0.5), "scale": torch.ones(3, 2)}, [3])


def shapes(td):
    return {name: tuple(value.shape) for name, value in td.items()}


def module(distribution, **options):
    return ProbabilisticTensorDictModule(["loc", "scale"], ["action"], distribution, **options)


def test_a_normal_that_is_not_reduced_has_a_log_prob_for_each_number():
    td = TensorDict({"input": torch.randn(3, 4), "hidden": torch.randn(3, 8)}, [3])
    policy = ProbabilisticTensorDictSequential(
        TensorDictModule(nn.GRUCell(4, 8), in_keys=["input", "hidden"], out_keys=["hidden"]),
        TensorDictModule(NormalParamExtractor(), in_keys=["hidden"], out_keys=["loc", "scale"]),
        module(Normal, return_log_prob=True),
    )
    four = dict.fromkeys(("action", "loc", "scale", "sample_log_prob"), (3, 4))
    assert shapes(policy(td, key=key)) == {**four, "hidden": (3, 8), "input": (3, 4)}


def test_a_tanh_normal_has_one_log_prob_for_each_row():
    net = TensorDictModule(NormalParamWrapper(nn.Linear(5, 4)), in_keys=["input"], out_keys=["loc", "scale"])
    td = TensorDict({"input": torch.randn(3, 5)}, [3])
    two = {"action": (3, 2), "input": (3, 5), "loc": (3, 2), "scale": (3, 2)}
    assert shapes(ProbabilisticTensorDictSequential(net, module(TanhNormal))(td, key=key)) == two
    with_log_prob = ProbabilisticTensorDictSequential(net, module(TanhNormal, return_log_prob=True))
    assert shapes(with_log_prob(td, key=key)) == {**two, "sample_log_prob": (3,)}


def test_the_log_prob_is_that_of_the_value():
    result = module(Normal, return_log_prob=True)(params, key=key)
    assert_close(result["sample_log_prob"], Normal(loc=params["loc"], scale=params["scale"]).log_prob(result["action"]))


def test_random_draws_and_mode_and_mean_do_not():
    policy = module(TanhNormal)
    with set_exploration_type(ExplorationType.RANDOM):
        first, second = policy(params, key=random.key(1)), policy(params, key=random.key(2))
    assert not torch.equal(first["action"], second["action"])
    for kind in (ExplorationType.MODE, ExplorationType.MEAN, ExplorationType.DETERMINISTIC):
        with set_exploration_type(kind):
            assert_close(policy(params)["action"], torch.tanh(params["loc"]))


def test_the_mean_is_not_the_mode_where_it_has_a_closed_form():
    policy = ProbabilisticTensorDictModule(["logits"], ["action"], OneHotCategorical)
    td = TensorDict({"logits": torch.tensor([0.25, 0.75]).log()})
    assert policy(td, exploration=ExplorationType.MODE)["action"].tolist() == [0, 1]
    assert_close(policy(td, exploration=ExplorationType.MEAN)["action"], torch.tensor([0.25, 0.75]))


def test_a_draw_without_key_is_refused_with_both_remedies():
    with pytest.raises(
        TypeError, match=r"needs key=, as in policy\(td, key=.*set_exploration_type\(ExplorationType.DETER"
    ):
        module(Normal)(params)


def test_a_module_may_be_deterministic_by_default():
    policy = module(Normal, default_interaction_type=ExplorationType.DETERMINISTIC)
    assert torch.equal(policy(params)["action"], params["loc"])
    with set_exploration_type(ExplorationType.RANDOM):
        assert not torch.equal(policy(params, key=key)["action"], params["loc"])


def test_a_sample_is_differentiable_in_the_parameters_where_the_distribution_allows_it():
    loc = torch.zeros(3, 2, requires_grad=True)
    module(Normal)(params.set("loc", loc), key=key)["action"].sum().backward()
    assert loc.grad.tolist() == [[1.0, 1.0]] * 3
    logits = torch.zeros(3, 2, requires_grad=True)
    policy = ProbabilisticTensorDictModule(["logits"], ["action"], Categorical)
    assert not policy(TensorDict({"logits": logits}, [3]), key=key)["action"].requires_grad


def test_one_key_for_each_row_draws_each_row_from_its_own():
    keys = random.split(key, 3)
    rows = [module(Normal)(params[i], key=keys[i])["action"] for i in range(3)]
    assert_close(module(Normal)(params, key=keys)["action"], torch.stack(rows))


def test_entries_of_other_names_are_mapped_to_parameters():
    policy = ProbabilisticTensorDictModule({"loc": ("policy", "mean"), "scale": "std"}, ["action"], Normal)
    assert policy.in_keys == [("policy", "mean"), "std"]
    td = TensorDict({"policy": {"mean": torch.ones(3)}, "std": torch.ones(3)}, [3])
    assert policy(td, exploration=ExplorationType.MODE)["action"].tolist() == [1.0, 1.0, 1.0]


def test_nested_keys_give_their_last_name():
    policy = ProbabilisticTensorDictModule([("policy", "logits")], [("policy", "action")], Categorical)
    td = TensorDict({"policy": {"logits": torch.tensor([[0.0, 9.0]])}}, [1])
    assert policy(td, exploration=ExplorationType.MODE)["policy", "action"].tolist() == [1]


def test_bounds_are_given_by_partial():
    policy = module(partial(TanhNormal, low=-2.0, high=2.0))
    assert_close(policy(params, exploration=ExplorationType.MODE)["action"], 2 * torch.tanh(params["loc"]))


mixed = TensorDict(
    {"params": {"gear": {"logits": torch.zeros(3, 5)}, "torque": dict(params.items())}, "other": torch.zeros(3)}, [3]
)
parts = partial(CompositeDistribution, distribution_map={"gear": Categorical, "torque": Normal})
OUT_KEYS = {
    "names": (["gear", "torque"], ("gear", "torque")),
    "another order": (["torque", "gear"], ("gear", "torque")),
    "last names": ([("action", "gear"), ("action", "torque")], (("action", "gear"), ("action", "torque"))),
    "a mapping": ({"torque": "t", "gear": ("a", "g")}, (("a", "g"), "t")),
    "the whole": (["action"], (("action", "gear"), ("action", "torque"))),
}


@pytest.mark.parametrize(("out_keys", "places"), OUT_KEYS.values(), ids=OUT_KEYS)
def test_a_discrete_and_a_continuous_part_of_an_action_each_have_their_key(out_keys, places):
    policy = ProbabilisticTensorDictModule(["params"], out_keys, parts, return_log_prob=True)
    result = policy(mixed, key=key)
    gear, torque = (result[place] for place in places)
    assert (gear.shape, gear.dtype, torque.shape) == ((3,), torch.int64, (3, 2))
    expected = Categorical(torch.zeros(3, 5)).log_prob(gear) + Normal(**dict(params.items())).log_prob(torque).sum(-1)
    assert_close(result["sample_log_prob"], expected)
    assert_close(policy.log_prob(result), expected)
    greedy = policy(mixed, exploration=ExplorationType.DETERMINISTIC)
    assert_close(greedy[places[1]], params["loc"])


def test_only_the_parts_that_allow_it_are_differentiable():
    def total(mixed):
        result = ProbabilisticTensorDictModule(["params"], ["gear", "torque"], parts)(mixed, key=key)
        return result["torque"].sum() + result["gear"].sum()

    gradient = torch.func.grad(total)(mixed)["params"]
    assert (gradient["torque", "loc"] == 1).all()
    assert (gradient["gear", "logits"] == 0).all()


def test_where_a_part_has_no_mean_the_mode_is_taken():
    policy = ProbabilisticTensorDictModule(["params"], ["gear", "torque"], parts)
    assert_close(policy(mixed, exploration=ExplorationType.MEAN)["torque"], params["loc"])


@pytest.mark.parametrize(
    ("out_keys", "message"),
    [
        (
            ["gear", "wheel"],
            r"for the parts \['gear', 'wheel'\] but CompositeDistribution has the parts \['gear', 'tor",
        ),
        ({"gear": "a"}, r"for the parts \['gear'\] but"),
        ([("a", "gear"), ("b", "gear")], r"for the parts \['gear'\] but"),
    ],
)
def test_out_keys_that_name_no_part_are_refused(out_keys, message):
    with pytest.raises(ValueError, match=message):
        ProbabilisticTensorDictModule(["params"], out_keys, parts)(mixed, key=key)


def test_a_mask_is_an_entry_like_any_parameter():
    policy = ProbabilisticTensorDictModule(
        {"logits": "logits", "mask": ("env", "action_mask")}, ["action"], MaskedOneHotCategorical
    )
    td = TensorDict({"logits": torch.zeros(3, 2), "env": {"action_mask": torch.tensor([[False, True]] * 3)}}, [3])
    assert policy(td, key=key)["action"].tolist() == [[0, 1]] * 3


def test_parameters_that_are_missing_are_named():
    with pytest.raises(TypeError, match=r"names the parameters \['loc'\], but Normal needs \['scale'\] too; name more"):
        ProbabilisticTensorDictModule(["loc"], ["action"], Normal)
    with pytest.raises(
        TypeError, match=r"CompositeDistribution needs \['distribution_map'\] too; .* functools.partial"
    ):
        ProbabilisticTensorDictModule(["params"], ["action"], CompositeDistribution)


def test_a_distribution_of_torch_is_refused_with_the_remedy():
    with pytest.raises(
        TypeError, match=r"torch.distributions.Normal, which draws from the global generator; use .* frl"
    ):
        module(torch.distributions.Normal)


def test_keys_that_name_no_parameter_are_refused():
    with pytest.raises(TypeError, match=r"names the parameters \['logits'\], but Normal takes \['loc', 'scale'\]"):
        ProbabilisticTensorDictModule(["logits"], ["action"], Normal)


@pytest.mark.parametrize("out_keys", [["a", "b"], {"a": "b"}, []])
def test_other_than_one_out_key_is_refused_for_a_distribution_without_parts(out_keys):
    with pytest.raises(ValueError, match=rf"out_keys is {re.escape(repr(out_keys))}; expected one key"):
        ProbabilisticTensorDictModule(["loc", "scale"], out_keys, Normal)


def test_a_missing_parameter_is_named():
    with pytest.raises(KeyError, match="no entry 'scale'; it has"):
        module(Normal)(params.exclude("scale"), key=key)


def test_a_probabilistic_sequence_must_end_in_a_draw():
    with pytest.raises(
        TypeError, match="the last module is TensorDictModule; expected a ProbabilisticTensorDictModule"
    ):
        ProbabilisticTensorDictSequential(TensorDictModule(nn.Linear(1, 1), ["a"], ["b"]))
    with pytest.raises(TypeError, match="the last module is missing"):
        ProbabilisticTensorDictSequential()
