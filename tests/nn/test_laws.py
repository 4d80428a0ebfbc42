"""What holds for every module over TensorDicts; a new one is one row of `registry.py`."""

import pytest
import torch
from torch.testing import assert_close

from frl import TensorDict, nn, random, tree
from frl.nn import ExplorationType, from_module, functional_call, initialize, set_exploration_type
from tests.nn.registry import CASES, td_of
from tests.purity import Purity
from tests.traced import traced

every = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
trainable = pytest.mark.parametrize("case", [c for c in CASES if c.name != "function"], ids=lambda case: case.name)
tracing = (
    "tied",
    "batch norm",
    "nested",
    "tanh normal",
    "drawn twice",
    "actor and value",
    "composite",
    "lstm over time",
)  # each costs seconds
compiled = pytest.mark.parametrize("case", [c for c in CASES if c.name in tracing], ids=lambda case: case.name)
key = random.key(7)


def call(module, params, td, key):
    return functional_call(module, params, td, key=key)


def loss(module, params, td, key):
    """The sum of all that can be differentiated in what the module writes."""
    result = call(module, params, td, key)
    return sum(
        (1 + i) * result[name].sum() for i, name in enumerate(module.out_keys) if result[name].is_floating_point()
    )


def leaf_keys(td):
    return set(td.keys(include_nested=True, leaves_only=True))


def path(key):
    return key if isinstance(key, tuple) else (key,)


def test_every_public_module_has_a_row():
    public = {value for value in vars(nn).values() if isinstance(value, type) and issubclass(value, torch.nn.Module)}
    assert public <= {type(part) for case in CASES for part in case.make().modules()}


@every
def test_the_pure_call_with_its_own_parameters_is_the_call(case):
    module, td = case.make(), td_of(case)
    assert_close(dict(call(module, from_module(module), td, key).items()), dict(module(td, key=key).items()))


@every
def test_the_result_is_the_input_and_the_out_keys_in_a_new_tensordict(case):
    module, td = case.make(), td_of(case)
    before = dict(td.items())
    result = module(td, key=key)
    written, added = set(map(path, module.out_keys)), leaf_keys(result) - leaf_keys(td)
    assert leaf_keys(td) <= leaf_keys(result)
    assert all(key in result for key in written)
    assert all(any(leaf[: len(out)] == out for out in written) for leaf in map(path, added))
    assert result.batch_size == td.batch_size
    assert dict(td.items()) == before


@every
def test_nothing_but_the_in_keys_is_read(case):
    module, td = case.make(), td_of(case)
    more = td.set("unread", torch.full((3, 1), torch.nan))
    assert_close(
        module(more.select(*module.in_keys), key=key)[module.out_keys[-1]], module(td, key=key)[module.out_keys[-1]]
    )


@every
def test_the_same_key_draws_the_same_and_the_global_generator_stays(case):
    module, td = case.make(), td_of(case)
    before = torch.get_rng_state()
    first, second = module(td, key=key), module(td, key=key)
    assert_close(tree.leaves(first), tree.leaves(second), rtol=0, atol=0)
    assert torch.equal(before, torch.get_rng_state())


@every
def test_a_deterministic_call_needs_no_key(case):
    module, td = case.make(), td_of(case)
    explicit = module(td, exploration=ExplorationType.DETERMINISTIC)
    with set_exploration_type(ExplorationType.DETERMINISTIC):
        assert_close(tree.leaves(module(td)), tree.leaves(explicit), rtol=0, atol=0)


@every
@pytest.mark.filterwarnings("ignore:There is a performance drop")  # attention falls back to a loop over the members
def test_vmap_over_members_equals_the_loop(case):
    module, td, keys = case.make(), td_of(case), random.split(key, 3)
    members = [initialize(module, k) for k in keys]
    expected = tree.stack([call(module, params, td, k) for params, k in zip(members, keys, strict=True)])
    ensemble = torch.vmap(lambda params, k: call(module, params, td, k))(tree.stack(members), keys)
    assert ensemble.batch_size == (3, 3)
    assert_close(tree.leaves(ensemble), tree.leaves(expected))


@compiled
def test_compiled_equals_eager(case):
    torch.compiler.reset()  # else one code object meets the limit of recompilations
    module, td = case.make(), td_of(case)
    params = from_module(module)
    f = torch.compile(lambda params, td, key: call(module, params, td, key), backend="aot_eager", fullgraph=True)
    result = f(params, td, key)
    assert isinstance(result, TensorDict)
    assert result.batch_size == (3,)
    assert_close(tree.leaves(result), tree.leaves(call(module, params, td, key)))


@every
def test_its_traced_graph_gives_what_it_gives(case):
    module, td = case.make(), td_of(case)
    params = from_module(module)
    f = traced(lambda params, td, key: call(module, params, td, key))
    assert_close(tree.leaves(f(params, td, key)), tree.leaves(call(module, params, td, key)))


@trainable
def test_the_gradient_is_that_of_backward(case):
    module, td = case.make(), td_of(case)
    gradient = torch.func.grad(lambda params: loss(module, params, td, key))(from_module(module))
    loss(module, from_module(module, live=True), td, key).backward()
    own = dict(module.named_parameters())
    assert len(own) == len(tree.leaves(gradient))
    for name, value in tree.named_leaves(gradient):
        assert_close(value, torch.zeros_like(value) if own[name].grad is None else own[name].grad)


@every
def test_neither_inputs_nor_the_module_are_written(case):
    module, td = case.make(), td_of(case)
    params = from_module(module)
    own = {name: id(x) for name, x in module.state_dict(keep_vars=True).items()}
    with Purity(params, td, dict(module.named_parameters()), dict(module.named_buffers())):
        call(module, params, td, key)
    assert {name: id(x) for name, x in module.state_dict(keep_vars=True).items()} == own


@every
def test_initial_values_come_from_the_key_and_vmap_gives_independent_members(case):
    module, keys = case.make(), random.split(key, 2)
    params = from_module(module)
    members = torch.vmap(lambda k: initialize(module, k))(keys)
    for i in range(2):
        own = [x[i] for x in tree.leaves(members)]
        assert_close(own, tree.leaves(initialize(module, keys[i])))
    assert_close(tree.leaves(params), tree.leaves(from_module(module)), rtol=0, atol=0)
    assert list(members.keys(True)) == list(params.keys(True))


@every
def test_it_moves_and_saves_as_any_module(case):
    module = case.make()
    copy = case.make()
    copy.load_state_dict(module.state_dict())
    assert_close(tree.leaves(from_module(copy)), tree.leaves(from_module(module)))
    assert all(x.dtype == torch.float64 for x in module.to(torch.float64).parameters())
