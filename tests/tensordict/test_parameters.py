"""Parameters out of a module and lent to one; that they are used rightly is the matter of `tests/nn/test_params.py`."""

import pytest
import torch
from torch import nn
from torch.func import grad, vmap
from torch.testing import assert_close

from frl import TensorDict
from frl.nn import functional_call
from tests.nn.registry import Tied, demo
from tests.traced import traced

X = torch.arange(6.0).reshape(2, 3)


def linear(weight, bias):
    return TensorDict({"weight": torch.tensor(weight), "bias": torch.tensor(bias)})


def exec_sequence(module):
    def call(params, td):
        with params.to_module(module):
            return module(td)

    return call


def test_from_module_is_a_method_of_the_class():
    module = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    params = TensorDict.from_module(module)
    assert type(params) is TensorDict
    assert (list(params), list(params["0"]), len(params["1"])) == (["0", "1"], ["bias", "weight"], 0)
    assert not params["0", "weight"].requires_grad
    assert TensorDict.from_module(module, live=True)["0", "weight"] is module[0].weight


def test_inside_the_module_has_the_given_parameters_and_afterwards_its_own():
    module = nn.Linear(3, 1)
    weight, before = module.weight, module(X)
    with linear([[1.0, 2.0, 3.0]], [10.0]).to_module(module):
        assert module(X).tolist() == [[18.0], [36.0]]
    assert module.weight is weight
    assert torch.equal(module(X), before)


def test_its_own_parameters_are_back_after_an_error():
    module = nn.Linear(3, 1)
    weight, bias = module.weight, module.bias
    with pytest.raises(RuntimeError, match="shapes"), linear([[1.0, 2.0, 3.0]], [0.0]).to_module(module):
        module(torch.ones(2, 7))
    assert module.weight is weight
    assert module.bias is bias
    assert list(module.state_dict()) == ["weight", "bias"]


def test_contexts_nest():
    module = nn.Linear(1, 1)
    one, two = linear([[1.0]], [0.0]), linear([[2.0]], [0.0])
    x = torch.ones(1)
    with one.to_module(module):
        with two.to_module(module):
            assert module(x).item() == 2.0
        assert module(x).item() == 1.0


@pytest.mark.parametrize("transform", [lambda f: f, grad], ids=["call", "grad"])
def test_a_submodule_that_is_used_twice_has_its_own_parameters_afterwards(transform):
    """As an encoder that actor and critic share; it was lent twice, and given back once."""
    shared = nn.Linear(2, 2)
    weight, module = shared.weight, nn.ModuleDict({"actor": nn.Sequential(shared), "critic": nn.Sequential(shared)})

    def total(params):
        with params.to_module(module):
            return (module["actor"](torch.ones(2)) + module["critic"](torch.ones(2))).sum()

    params = TensorDict.from_module(module)
    assert list(params["critic", "0"]) == []
    transform(total)(params)
    assert shared.weight is weight


def test_a_tied_parameter_reaches_every_use_and_is_tied_again_afterwards():
    module, ones = Tied(), torch.ones(5)
    params = TensorDict(
        {"first": {"weight": 2 * torch.eye(5), "bias": torch.zeros(5)}, "second": {"bias": torch.ones(5)}}
    )
    with params.to_module(module):
        assert_close(module(ones), 2 * torch.tanh(2 * ones) + 1)
    assert module.first.weight is module.second.weight


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (TensorDict({"weight": torch.ones(1, 3)}), r"to_module: params has no tensor bias of shape \[1\]"),
        (linear([[1.0, 2.0]], [0.0]), r"to_module: weight has shape \[1, 2\], but Linear needs \[1, 3\]"),
        (linear([[1.0, 2.0, 3.0]], [0.0]).set("gain", torch.ones(1)), "to_module: params has an entry gain"),
        (linear([[1.0, 2.0, 3.0]], [0.0]).expand(4), r"weight has shape \[4, 1, 3\].* vmap over a leading axis"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_by_name_and_change_nothing(params, message):
    module = nn.Linear(3, 1)
    weight = module.weight
    with pytest.raises(ValueError, match=message), params.to_module(module):
        pass
    assert module.weight is weight


def test_an_impure_module_is_refused():
    module = nn.Sequential(nn.Dropout(0.5))
    with pytest.raises(ValueError, match=r"to_module: 0 \(Dropout\) draws .* call module.eval\(\)"):
        TensorDict({}).to_module(module)


def test_an_ensemble_shares_its_input():
    module = demo()
    td = TensorDict({"observation": torch.ones(3, 5)}, [3])
    params = TensorDict.from_module(module)
    result = vmap(exec_sequence(module), (0, None))(params.expand(4), td)
    assert result.batch_size == (4, 3)
    shapes = {"action": (4, 3, 4), "hidden": (4, 3, 3), "observation": (4, 3, 5), "value": (4, 3, 1)}
    assert {key: tuple(value.shape) for key, value in result.items()} == shapes
    assert_close(result[2]["value"], module(td)["value"].detach())


def test_it_equals_the_functional_call_and_so_does_its_gradient():
    module = demo()
    td = TensorDict({"observation": torch.ones(3, 5)}, [3])
    params = TensorDict.from_module(module) * 2
    by_swap = grad(lambda params: exec_sequence(module)(params, td)["value"].sum())(params)
    by_call = grad(lambda params: functional_call(module, params, td)["value"].sum())(params)
    assert by_swap.keys(True, True) == by_call.keys(True, True)
    assert (by_swap == by_call).all()
    assert all(parameter.grad is None for parameter in module.parameters())


def test_compiled_by_torch_it_gives_the_same():
    module, params = nn.Linear(3, 1), linear([[1.0, 2.0, 3.0]], [10.0])
    run = torch.compile(exec_sequence(module), backend="aot_eager", fullgraph=True)
    assert run(params, X).tolist() == [[18.0], [36.0]]


def test_its_traced_graph_gives_what_it_gives():
    module = demo()
    td = TensorDict({"observation": torch.ones(3, 5)}, [3])
    many = vmap(exec_sequence(module), (0, None))
    params = TensorDict.from_module(module).expand(4)
    assert_close(traced(many)(params, td)["value"], many(params, td)["value"])
