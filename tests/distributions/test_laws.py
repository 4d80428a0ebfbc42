"""What holds for every distribution; a new one is one row of `registry.py`."""

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from frl import TensorDict, random, tree
from frl import distributions as D
from tests.distributions.registry import CASES, make, outputs
from tests.purity import Purity
from tests.rank_guard import RankGuard

every = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
smooth = pytest.mark.parametrize("case", [c for c in CASES if c.reference], ids=lambda case: case.name)
dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
batches = pytest.mark.parametrize("batch", [(), (3,), (2, 3), (0,), (3, 1)])
key = random.key(7)


def test_every_public_distribution_has_a_row():
    public = {value for value in vars(D).values() if isinstance(value, type)}
    assert public == {case.cls for case in CASES} | {D.Distribution}


@every
@dtypes
@batches
def test_shapes_and_dtypes_are_those_of_batch_and_event(case, batch, dtype):
    distribution = make(case, batch=batch, dtype=dtype)
    assert (distribution.batch_shape, distribution.event_shape) == (batch, case.event)
    x, log_prob = distribution.sample(key), distribution.log_prob(distribution.sample(key))
    assert (x.shape, log_prob.shape) == ((*batch, *case.event), batch)
    kinds = [[(leaf.shape, leaf.dtype) for leaf in tree.leaves(value)] for value in (distribution.mode, x)]
    assert kinds[0] == kinds[1]
    assert log_prob.dtype == dtype
    assert log_prob.isfinite().all()
    if "entropy" in case.methods:
        assert (distribution.entropy().shape, distribution.entropy().dtype) == (batch, dtype)


@every
def test_vmap_over_parameters_and_keys_equals_the_loop(case):
    members, keys = [make(case, seed) for seed in range(3)], random.split(key, 3)
    expected = tree.stack([outputs(case, *member) for member in zip(members, keys, strict=True)])
    assert_close(torch.vmap(lambda d, k: outputs(case, d, k))(tree.stack(members), keys), expected)


@every
def test_a_distribution_comes_out_of_vmap_whole(case):
    members = [make(case, seed) for seed in range(3)]
    whole = torch.vmap(lambda d: tree.map(lambda x: 1 * x, d))(tree.stack(members))
    assert isinstance(whole, case.cls)
    assert whole.batch_shape == (3, 3)
    assert_close(whole.mode[1], members[1].mode)


@every
def test_compiled_equals_eager_made_inside_or_given(case):
    torch.compiler.reset()  # else one code object meets the limit of recompilations
    parameters = case.parameters(random.key(0), (3,), torch.float64)

    def f(parameters, given, key):
        made = case.build(**parameters)
        return made, outputs(case, made, key), outputs(case, given, key)

    given = case.build(**parameters)
    made, *results = torch.compile(f, backend="aot_eager", fullgraph=True)(parameters, given, key)
    assert isinstance(made, case.cls)
    for result in results:
        assert_close(result, outputs(case, given, key))


@every
def test_inputs_are_not_written(case):
    distribution = make(case)
    before = tree.map(torch.clone, distribution)
    with Purity(distribution, key):
        outputs(case, distribution, key)
    assert_close(tree.leaves(distribution), tree.leaves(before), rtol=0, atol=0)


@every
def test_nothing_broadcasts_in_silence(case):
    parameters = case.parameters(random.key(0), (3,), torch.float64)
    with RankGuard():
        outputs(case, case.build(**parameters), key)


@every
def test_the_same_key_gives_the_same_sample(case):
    distribution = make(case)
    assert_close(distribution.sample(key), distribution.sample(key), rtol=0, atol=0)


@every
def test_each_row_can_have_its_own_key(case):
    distribution, keys = make(case), random.split(key, 3)
    rows = [tree.map(lambda x, i=i: x[i], distribution).sample(keys[i]) for i in range(3)]
    assert_close(distribution.sample(keys), tree.stack(rows))


@every
def test_a_key_is_required(case):
    with pytest.raises(TypeError, match="key"):
        make(case).sample()


@every
def test_samples_carry_no_gradient_unless_reparameterised(case):
    distribution = tree.map(lambda x: x.requires_grad_(x.is_floating_point()), make(case))
    assert not any(leaf.requires_grad for leaf in tree.leaves(distribution.sample(key)))
    assert distribution.has_rsample == ("rsample" in case.methods)
    if distribution.has_rsample:
        assert any(leaf.requires_grad for leaf in tree.leaves(distribution.rsample(key)))
        assert_close(distribution.rsample(key), distribution.sample(key), check_stride=False)
        x, log_prob = distribution.rsample_and_log_prob(key)
        assert_close((x, log_prob), (distribution.rsample(key), distribution.log_prob(x)))


@every
def test_what_has_no_closed_form_raises_and_names_a_remedy(case):
    distribution = make(case)
    calls = {
        "rsample": lambda: distribution.rsample(key),
        "rsample_and_log_prob": lambda: distribution.rsample_and_log_prob(key),
        "entropy": distribution.entropy,
        "mean": lambda: distribution.mean,
        "stddev": lambda: distribution.stddev,
    }
    made = {"rsample_and_log_prob"} if distribution.has_rsample else set()
    for name in set(calls) - set(case.methods) - made:
        with pytest.raises(NotImplementedError, match=rf"{case.name} has no .*; (take|estimate)"):
            calls[name]()


@every
def test_a_distribution_cannot_be_changed(case):
    field = dataclasses.fields(case.cls)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(make(case), field, torch.zeros(3))


@every
def test_entries_of_a_tensordict_are_its_arguments(case):
    td = TensorDict(case.parameters(random.key(0), (2,), torch.float32) | {"other": torch.zeros(2)}, [])
    names = [name for name in td.keys() if name != "other"]  # noqa: SIM118
    assert_close(
        case.build(**{name: td[name] for name in names}).mode, make(case, batch=(2,), dtype=torch.float32).mode
    )


@every
def test_a_tree_round_trip_keeps_class_and_leaves(case):
    distribution = make(case)
    leaves, structure = tree.flatten(distribution)
    assert repr(tree.unflatten(structure, leaves)) == repr(distribution)
    assert len(leaves) == len(tree.leaves(case.parameters(random.key(0), (3,), torch.float64)))


@every
def test_a_value_of_another_shape_is_refused_never_broadcast(case):
    distribution = make(case, batch=(3, 1))
    with pytest.raises(ValueError, match=rf"{case.name}.log_prob: x has shape .* but must have .*; pass one"):
        distribution.log_prob(distribution.sample(key)[0])


@smooth
def test_gradients_are_those_of_finite_differences(case):
    distribution = make(case, batch=(2,))
    leaves, structure = tree.flatten(case.parameters(random.key(0), (2,), torch.float64))
    inputs = [x.clone().requires_grad_(x.is_floating_point()) for x in leaves]
    methods = [name for name in case.methods if name not in ("sample", "mode", "log_prob")]

    def f(*inputs):
        d = case.build(**tree.unflatten(structure, inputs))
        x = distribution.sample(key)
        out = outputs(case._replace(methods=tuple(methods)), d, key) | {"log_prob": d.log_prob(x)}
        return tuple(y for y in tree.leaves(out) if y.requires_grad)

    assert torch.autograd.gradcheck(f, inputs)
    with torch.random.fork_rng(devices=[]):  # gradgradcheck draws a direction from the global generator
        assert torch.autograd.gradgradcheck(f, inputs)
