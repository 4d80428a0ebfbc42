import pytest
import torch
from torch import nn
from torch._dynamo.testing import CompileCounter
from torch.func import grad, vmap
from torch.testing import assert_close

from frl import TensorDict, control, random, tree
from frl.distributions import Categorical
from frl.nn import MLP, ProbabilisticActor, TensorDictModule, from_module, functional_call, initialize
from tests.nn.registry import Tied, demo

x = torch.arange(6.0).reshape(2, 3)


def linear(weight, bias):
    return {"weight": torch.tensor(weight), "bias": torch.tensor(bias)}


# ---- from_module


def test_parameters_are_nested_as_the_modules_are():
    params = from_module(demo())
    assert params.batch_size == ()
    assert {key: list(value.shape) for key, value in params["module"].items(True, True)} == {
        ("0", "module", "bias"): [3],
        ("0", "module", "weight"): [3, 5],
        ("1", "module", "bias"): [4],
        ("1", "module", "weight"): [4, 3],
        ("2", "module", "0", "bias"): [4],
        ("2", "module", "0", "weight"): [4, 7],
        ("2", "module", "2", "bias"): [5],
        ("2", "module", "2", "weight"): [5, 4],
        ("2", "module", "4", "bias"): [1],
        ("2", "module", "4", "weight"): [1, 5],
    }


def test_activations_are_empty_entries():
    params = from_module(demo())["module", "2", "module"]
    assert list(params) == ["0", "1", "2", "3", "4"]
    assert (len(params["1"]), params["1"].batch_size) == (0, ())


def test_copies_are_detached_and_do_not_follow_the_module():
    module = nn.Linear(1, 1)
    params = from_module(module)
    with torch.no_grad():
        module.weight.add_(1.0)
    assert not params["weight"].requires_grad
    assert params["weight"].item() == module.weight.item() - 1


def test_live_parameters_are_the_modules_own_and_print_so():
    module = nn.Linear(3, 2)
    params = from_module(module, live=True)
    assert params["weight"] is module.weight
    assert repr(params) == (
        "TensorDict(\n"
        "    fields={\n"
        "        bias: Parameter(shape=torch.Size([2]), device=cpu, dtype=torch.float32, is_shared=False),\n"
        "        weight: Parameter(shape=torch.Size([2, 3]), device=cpu, dtype=torch.float32, is_shared=False)},\n"
        "    batch_size=torch.Size([]),\n"
        "    device=None,\n"
        "    is_shared=False)"
    )


def test_live_parameters_are_trained_by_torch_optim():
    module = nn.Linear(1, 1, bias=False)
    params, before = from_module(module, live=True), module.weight.item()
    optimizer = torch.optim.SGD(module.parameters(), lr=1.0)
    functional_call(module, params, torch.ones(1)).sum().backward()
    optimizer.step()
    assert module.weight.item() == pytest.approx(before - 1)


def test_a_lazy_module_is_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"from_module: 0 \(LazyLinear\) is lazy .* materialize\(module, td\)"):
        from_module(MLP(out_features=2))


# ---- functional_call on plain modules


def test_the_given_parameters_are_used():
    assert functional_call(nn.Linear(3, 1), linear([[1.0, 2.0, 3.0]], [10.0]), x).tolist() == [[18.0], [36.0]]


def test_its_own_parameters_are_back_afterwards_even_after_an_error():
    module = nn.Linear(3, 1)
    weight = module.weight
    params = from_module(module)
    functional_call(module, params, x)
    assert module.weight is weight
    with pytest.raises(RuntimeError):
        functional_call(module, params, torch.ones(2, 7))
    assert module.weight is weight


def test_several_arguments_are_handed_on():
    module = nn.Bilinear(3, 3, 2)
    assert_close(functional_call(module, from_module(module), x, x), module(x, x))


def test_a_bound_method_stands_for_its_module():
    policy = ProbabilisticActor(
        TensorDictModule(nn.Linear(3, 2), ["observation"], ["logits"]), ["logits"], distribution_class=Categorical
    )
    params = initialize(policy, random.key(0))
    distribution = functional_call(policy.get_dist, params, TensorDict({"observation": x}, [2]))
    expected = functional_call(policy, params, TensorDict({"observation": x}, [2]), key=random.key(1))["logits"]
    assert_close(distribution.log_prob(torch.tensor([0, 1])), expected.log_softmax(-1).diagonal())


def test_a_plain_function_is_refused():
    with pytest.raises(TypeError, match=r"functional_call: got a function; .* TensorDictModule\(function"):
        functional_call(lambda x: x, {}, x)


def test_a_tied_parameter_has_one_name_and_reaches_every_use():
    module = Tied()
    params = from_module(module)
    assert [name for name, _ in tree.named_leaves(params)] == ["first.bias", "first.weight", "second.bias"]
    params = TensorDict(
        {"first": {"weight": 2 * torch.eye(5), "bias": torch.zeros(5)}, "second": {"bias": torch.ones(5)}}
    )
    ones = torch.ones(5)
    assert_close(functional_call(module, params, ones), 2 * torch.tanh(2 * ones) + 1)


def test_a_module_that_stands_in_two_places_has_its_parameters_at_the_first():
    layer = nn.Linear(2, 2, bias=False)
    module = nn.Sequential(layer, layer)
    assert [name for name, _ in tree.named_leaves(from_module(module))] == ["0.weight"]
    twice = TensorDict({"0": {"weight": 3 * torch.eye(2)}})
    assert functional_call(module, twice, torch.ones(2)).tolist() == [9.0, 9.0]


def test_buffers_stay_with_the_module_unless_they_are_given():
    module = nn.BatchNorm1d(1, affine=False, eps=0.0).eval()
    one = torch.ones(4, 1)
    assert functional_call(module, {}, one).tolist() == [[1.0]] * 4
    assert functional_call(module, {"running_mean": torch.tensor([1.0])}, one).tolist() == [[0.0]] * 4
    assert module.running_mean.tolist() == [0.0]


# ---- what is refused


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"0": {"weight": torch.ones(1, 3)}}, r"no tensor 0.bias of shape \[1\], which Linear needs"),
        ({}, r"no tensor 0.weight of shape \[1, 3\], which Linear needs"),
        ({"0": linear([[1.0, 2.0]], [0.0])}, r"0.weight has shape \[1, 2\], but Linear needs \[1, 3\].* vmap"),
        ({"0": {**linear([[1.0, 2.0, 3.0]], [0.0]), "gain": torch.ones(1)}}, r"an entry 0.gain, but Sequential has no"),
        ({"0": linear([[1.0, 2.0, 3.0]], [0.0]), "9": {"weight": torch.ones(1)}}, "an entry 9.weight"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_by_name(params, message):
    with pytest.raises(ValueError, match=message):
        functional_call(nn.Sequential(nn.Linear(3, 1)), TensorDict(params), x)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ([torch.ones(1, 3), torch.zeros(1)], "params is a list; expected a TensorDict or a dict"),
        ({"weight": torch.ones(1, 3), "bias": 0.0}, "params.bias is a float; expected"),
    ],
)
def test_parameters_that_are_no_tensors_are_refused(params, message):
    with pytest.raises(TypeError, match=message):
        functional_call(nn.Linear(3, 1), params, x)


def test_members_without_vmap_are_refused():
    module = nn.Linear(3, 1)
    with pytest.raises(
        ValueError, match=r"weight has shape \[4, 1, 3\], but Linear needs \[1, 3\].* vmap over a leading"
    ):
        functional_call(module, from_module(module).expand(4), x)


def test_a_lazy_module_is_not_called():
    with pytest.raises(ValueError, match="functional_call: LazyLinear is lazy"):
        functional_call(nn.LazyLinear(2), {}, x)


# ---- transforms


def test_an_ensemble_shares_its_input():
    module = demo()
    td = TensorDict({"observation": torch.ones(3, 5)}, [3])
    result = vmap(lambda params, td: functional_call(module, params, td), (0, None))(from_module(module).expand(4), td)
    assert result.batch_size == (4, 3)
    shapes = {"action": (4, 3, 4), "hidden": (4, 3, 3), "observation": (4, 3, 5), "value": (4, 3, 1)}
    assert {key: tuple(value.shape) for key, value in result.items()} == shapes


def test_training_inside_a_compiled_scan_equals_the_loop():
    module = Tied()
    xs = random.normal((4, 3, 5), random.key(1))

    def step(params, x):
        gradient = grad(lambda params: functional_call(module, params, x).square().mean())(params)
        params = tree.map(lambda p, g: p - 0.1 * g, params, gradient)
        return params, functional_call(module, params, x).mean()

    def train(params, xs):
        return control.scan(step, params, xs)

    params, losses = train(from_module(module), xs)
    compiled_params, compiled_losses = torch.compile(train, backend="aot_eager", fullgraph=True)(
        from_module(module), xs
    )
    assert_close(tree.leaves(compiled_params), tree.leaves(params))
    assert_close(compiled_losses, losses)


def test_second_derivatives_go_through():
    module = nn.Linear(1, 1, bias=False)

    def f(w):
        return functional_call(module, {"weight": w}, torch.full((1, 1), 2.0)).pow(3).sum()  # 8 w³

    assert grad(lambda w: grad(f)(w).sum())(torch.ones(1, 1)).item() == 48.0


def test_another_value_does_not_compile_again():
    module = nn.Linear(3, 1)
    counter = CompileCounter()
    f = torch.compile(lambda params, x: functional_call(module, params, x), backend=counter, fullgraph=True)
    for weight in (1.0, 2.0, 3.0):
        f(TensorDict({"bias": torch.zeros(1), "weight": torch.full((1, 3), weight)}), x)
    assert counter.frame_count == 1
