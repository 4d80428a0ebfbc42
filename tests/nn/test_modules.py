import pytest
import torch
from torch import nn

from frl import TensorDict, random
from frl.nn import ExplorationType, TensorDictModule

td = TensorDict({"a": torch.ones(5, 3), "b": torch.zeros(5, 4, 3)}, [5])


class TwoInputs(nn.Module):
    """The multi-input module of the TensorDict tutorials."""

    def __init__(self, in_1, in_2, out_1, out_2):
        super().__init__()
        self.linear_1 = nn.Linear(in_1, out_1)
        self.linear_2 = nn.Linear(in_2, out_2)

    def forward(self, x_1, x_2):
        return self.linear_1(x_1), self.linear_2(x_2)


def test_one_input_one_output():
    result = TensorDictModule(nn.Linear(3, 10), in_keys=["a"], out_keys=["a_out"])(td)
    assert repr(result) == (
        "TensorDict(\n"
        "    fields={\n"
        "        a: Tensor(shape=torch.Size([5, 3]), device=cpu, dtype=torch.float32, is_shared=False),\n"
        "        a_out: Tensor(shape=torch.Size([5, 10]), device=cpu, dtype=torch.float32, is_shared=False),\n"
        "        b: Tensor(shape=torch.Size([5, 4, 3]), device=cpu, dtype=torch.float32, is_shared=False)},\n"
        "    batch_size=torch.Size([5]),\n"
        "    device=None,\n"
        "    is_shared=False)"
    )


def test_two_inputs_two_outputs():
    result = TensorDictModule(TwoInputs(3, 3, 10, 5), in_keys=["a", "b"], out_keys=["a_out", "b_out"])(td)
    assert (result["a_out"].shape, result["b_out"].shape) == ((5, 10), (5, 4, 5))


def test_keys_may_have_spaces_and_be_nested():
    module = TensorDictModule(nn.Linear(3, 4), in_keys=[("next", "key 1")], out_keys=[("next", "key 2")])
    result = module(TensorDict({"next": {"key 1": torch.randn(10, 3)}}, [10]))
    assert result["next", "key 2"].shape == (10, 4)
    assert "key 1" in result["next"]


def test_an_out_key_may_replace_an_in_key_but_only_in_the_result():
    result = TensorDictModule(torch.neg, ["a"], ["a"])(td)
    assert (result["a"][0, 0], td["a"][0, 0]) == (-1, 1)


def test_it_takes_a_key_and_an_exploration_type_and_needs_neither():
    module = TensorDictModule(torch.neg, ["a"], ["c"])
    result = module(td, key=random.key(0), exploration=ExplorationType.RANDOM)
    assert torch.equal(result["c"], module(td)["c"])


def test_a_missing_entry_is_named_with_the_module_and_what_there_is():
    module = TensorDictModule(nn.Linear(3, 10), in_keys=["observation"], out_keys=["action"])
    with pytest.raises(
        KeyError, match=r"\['observation'\] -> \['action'\].* no entry 'observation'; it has \['a', 'b'\]"
    ):
        module(td)


def test_another_number_of_results_is_refused():
    module = TensorDictModule(TwoInputs(3, 3, 10, 5), in_keys=["a", "b"], out_keys=["out"])
    with pytest.raises(ValueError, match=r"returned 2 results, but out_keys has 1 names: \['out'\]"):
        module(td)


def test_a_result_without_the_batch_is_refused_by_name():
    with pytest.raises(ValueError, match="'total'"):
        TensorDictModule(torch.sum, ["a"], ["total"])(td)


def test_a_tensor_is_no_input():
    with pytest.raises(TypeError, match="called with a Tensor; expected a TensorDict"):
        TensorDictModule(nn.Linear(3, 1), ["a"], ["b"])(torch.ones(3))


@pytest.mark.parametrize(
    ("module", "in_keys", "out_keys", "message"),
    [
        ("tanh", ["a"], ["b"], "module is a str; expected an nn.Module or a function"),
        (torch.tanh, "a", ["b"], r"in_keys is 'a'; expected a list of keys, such as \['observation'\]"),
        (torch.tanh, ["a"], "b", "out_keys is 'b'"),
        (torch.tanh, [0], ["b"], r"in_keys is \[0\]"),
    ],
)
def test_bad_arguments_are_refused_at_construction(module, in_keys, out_keys, message):
    with pytest.raises(TypeError, match=message):
        TensorDictModule(module, in_keys, out_keys)
