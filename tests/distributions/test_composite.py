import copy
import pickle
from functools import partial

import pytest
import torch
from torch.testing import assert_close

from frl import TensorDict, random, tree
from frl.distributions import (
    Categorical,
    CompositeDistribution,
    Delta,
    Independent,
    MaskedOneHotCategorical,
    Normal,
    OneHotCategorical,
    TanhNormal,
    kl_divergence,
)

key = random.key(0)
NAMES = {"gear": Categorical, ("arm", "torque"): Normal}
params = TensorDict(
    {
        "gear": {"logits": random.normal((3, 5), random.key(1))},
        "arm": {"torque": {"loc": random.normal((3, 2), random.key(2)), "scale": torch.ones(3, 2)}},
    },
    [3],
)
policy = CompositeDistribution(params, NAMES)
action = policy.sample(key)


def test_a_sample_is_a_tensordict_with_an_entry_for_each_name():
    assert action.batch_size == (3,)
    shapes = {name: (x.shape, x.dtype) for name, x in action.items(True, True)}
    assert shapes == {"gear": ((3,), torch.int64), ("arm", "torque"): ((3, 2), torch.float32)}


def test_the_joint_log_probability_is_the_sum_of_those_of_the_parts():
    gear = Categorical(params["gear", "logits"]).log_prob(action["gear"])
    torque = Normal(**dict(params["arm", "torque"].items())).log_prob(action["arm", "torque"]).sum(-1)
    assert_close(policy.log_prob(action), gear + torque)
    each = policy.log_probs(action)
    assert_close((each["gear"], each["arm", "torque"]), (gear, torque))


def test_the_entropy_is_the_sum_of_those_of_the_parts():
    each = policy.entropies()
    assert_close(policy.entropy(), each["gear"] + each["arm", "torque"])
    assert_close(each["gear"], Categorical(params["gear", "logits"]).entropy())


def test_the_batch_is_that_of_the_parameters_and_other_axes_are_the_events():
    whole = CompositeDistribution(params.with_batch_size([]), NAMES)
    assert whole.batch_shape == ()
    assert_close(whole.log_prob(action.with_batch_size([])), policy.log_prob(action).sum())


def test_a_part_is_found_by_its_name():
    assert isinstance(policy["gear"], Categorical)
    assert isinstance(policy["arm", "torque"], Independent)
    with pytest.raises(KeyError, match=r"no part 'wheel'; it has \['gear', \('arm', 'torque'\)\]"):
        policy["wheel"]


def test_the_mode_is_that_of_each_part():
    assert torch.equal(policy.mode["gear"], params["gear", "logits"].argmax(-1))
    assert torch.equal(policy.mode["arm", "torque"], params["arm", "torque", "loc"])


def test_the_mean_is_that_of_each_part_if_all_have_one():
    some = CompositeDistribution.of({"a": OneHotCategorical(torch.zeros(3, 2)), "b": Delta(torch.ones(3))})
    assert some.mean["a"][0].tolist() == [0.5, 0.5]
    with pytest.raises(NotImplementedError, match="CompositeDistribution has no mean: Categorical has no mean; take"):
        _ = policy.mean


def test_gradients_flow_through_the_parts_that_allow_it():
    def total(params):
        x = CompositeDistribution(params, NAMES).rsample(key)
        return x["arm", "torque"].sum() + x["gear"].sum()

    gradient = torch.func.grad(total)(params)
    assert (gradient["arm", "torque", "loc"] == 1).all()
    assert (gradient["gear", "logits"] == 0).all()
    with pytest.raises(NotImplementedError, match="CompositeDistribution has no reparameterised sample; take"):
        CompositeDistribution.of({"gear": policy["gear"]}).rsample(key)


def test_the_divergence_is_the_sum_of_those_of_the_parts_whatever_their_order():
    other = CompositeDistribution(tree.map(lambda x: x + 0.5, params), dict(reversed(NAMES.items())))
    expected = sum(kl_divergence(policy[name], other[name]) for name in NAMES)
    assert_close(kl_divergence(policy, other), expected)
    with pytest.raises(ValueError, match=r"q has the parts \['gear'\] but p has \['gear', .*; pass two with the same"):
        kl_divergence(policy, CompositeDistribution.of({"gear": policy["gear"]}))


def test_options_of_a_part_come_by_partial_and_a_mask_is_a_parameter():
    mask = torch.tensor([[True, False]]).expand(3, 2)
    mixed = TensorDict(
        {"gear": {"logits": torch.zeros(3, 2), "mask": mask}, "torque": dict(params["arm", "torque"].items())}, [3]
    )
    bounded = partial(TanhNormal, low=-2.0, high=2.0)
    x = CompositeDistribution(mixed, {"gear": MaskedOneHotCategorical, "torque": bounded}).sample(key)
    assert x["gear"].tolist() == [[1, 0]] * 3
    assert x["torque"].abs().max() < 2


def test_composites_nest():
    nested = CompositeDistribution.of({"left": policy, "right": policy})
    x = nested.sample(key)
    assert x["left", "arm", "torque"].shape == (3, 2)
    assert_close(nested.log_prob(x), policy.log_prob(x["left"]) + policy.log_prob(x["right"]))


def test_a_plain_dict_is_a_value_too():
    assert_close(policy.log_prob(action.to_dict()), policy.log_prob(action))


def test_copies_and_pickles_are_whole():
    for other in (copy.deepcopy(policy), pickle.loads(pickle.dumps(policy))):
        assert_close(other.log_prob(action), policy.log_prob(action))


def test_its_printed_form_names_its_parts():
    assert repr(policy) == (
        "CompositeDistribution(gear: Categorical(logits: [3, 5]), ('arm', 'torque'): Independent(base: "
        "Normal(loc: [3, 2], scale: [3, 2]), event_dims: 1))"
    )


NOT_FITTING = {
    "a plain dict of parameters": (lambda: CompositeDistribution({"gear": {}}, NAMES), TypeError, "params is a dict"),
    "no part": (lambda: CompositeDistribution(params, {}), ValueError, "there is no part; name at least one"),
    "no part to join": (lambda: CompositeDistribution.of({}), ValueError, "there is no part"),
    "a missing name": (lambda: CompositeDistribution(params, {"wheel": Normal}), KeyError, "no entry 'wheel'"),
    "parameters without names": (
        lambda: CompositeDistribution(TensorDict({"gear": torch.zeros(3)}, [3]), {"gear": Categorical}),
        TypeError,
        "has a Tensor under 'gear' but must have the parameters by their names",
    ),
    "no distribution": (lambda: CompositeDistribution(params, {"gear": dict}), TypeError, "makes a dict for 'gear'"),
    "a batch axis that is an event": (
        lambda: CompositeDistribution(TensorDict({"gear": {"logits": torch.zeros(3)}}, [3]), {"gear": Categorical}),
        ValueError,
        r"'gear' has batch shape \[\] but must have \[3\]",
    ),
    "two batch shapes": (
        lambda: CompositeDistribution.of({"a": policy["gear"], "b": Delta(torch.zeros(4))}),
        ValueError,
        r"'b' has batch shape \[4\] but must have \[3\]; give all parts one batch shape",
    ),
    "a name within a name": (
        lambda: CompositeDistribution.of({"a": policy["gear"], ("a", "b"): policy["gear"]}),
        ValueError,
        r"among the names \['a', \('a', 'b'\)\] one stands within another",
    ),
    "a tensor for a value": (lambda: policy.log_prob(torch.zeros(3)), TypeError, "x is a Tensor but must be a Tensor"),
    "a value without a part": (lambda: policy.log_prob(action.exclude("gear")), KeyError, "no entry 'gear'"),
}


@pytest.mark.parametrize(("call", "error", "message"), NOT_FITTING.values(), ids=NOT_FITTING)
def test_what_does_not_fit_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
