import copy
import pickle

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from frl import TensorDict, random, tree
from frl.distributions import TanhNormal
from frl.nn import (
    MLP,
    NormalParamExtractor,
    ProbabilisticActor,
    TensorDictModule,
    TensorDictSequential,
    from_module,
    initialize,
    materialize,
)
from frl.nn.lazy import is_lazy, lazy_parts

td = TensorDict({"observation": torch.ones(3, 5)}, [3])


def lazy_policy():
    net = nn.Sequential(MLP(out_features=4, num_cells=[8]), NormalParamExtractor())
    net = TensorDictModule(net, ["observation"], ["loc", "scale"])
    return ProbabilisticActor(net, ["loc", "scale"], distribution_class=TanhNormal)


def test_the_first_call_gives_the_shapes():
    policy = TensorDictModule(nn.LazyLinear(2), ["observation"], ["action"])
    assert policy(td)["action"].shape == (3, 2)
    assert from_module(policy)["module", "weight"].shape == (2, 5)


def test_the_first_call_leaves_the_global_generator_as_it_was():
    policy = lazy_policy()
    before = torch.get_rng_state()
    policy(td, key=random.key(0))
    assert torch.equal(before, torch.get_rng_state())


def test_materialize_needs_no_key_and_leaves_the_global_generator_as_it_was():
    policy = lazy_policy()
    before = torch.get_rng_state()
    assert materialize(policy, td) is policy
    assert not is_lazy(policy)
    assert torch.equal(before, torch.get_rng_state())


def test_materialize_takes_the_arguments_of_a_plain_module():
    net = materialize(MLP(out_features=1), torch.ones(2, 3), torch.ones(2, 4))
    assert net[0].weight.shape == (32, 7)


def test_materialize_leaves_other_modules_alone():
    assert materialize(nn.Linear(2, 2)).weight.shape == (2, 2)


def test_lazy_layers_behind_lazy_layers_are_found():
    net = nn.Sequential(nn.LazyConv2d(2, 3), nn.Flatten(), nn.LazyLinear(4), nn.LazyBatchNorm1d())
    assert len(lazy_parts(net)) == 3
    materialize(net, torch.zeros(2, 1, 5, 5))
    assert net[2].weight.shape == (4, 18)


def test_an_example_lets_a_key_alone_decide_the_values():
    first, second = (initialize(lazy_policy(), random.key(3), example=td) for _ in range(2))
    for a, b in zip(tree.leaves(first), tree.leaves(second), strict=True):
        assert torch.equal(a, b)


def test_a_sequence_passes_shapes_from_module_to_module():
    sequence = TensorDictSequential(
        TensorDictModule(nn.LazyLinear(4), ["observation"], ["hidden"]),
        TensorDictModule(nn.LazyLinear(1), ["hidden"], ["value"]),
    )
    assert from_module(materialize(sequence, td))["module", "1", "module", "weight"].shape == (1, 4)


def test_once_it_has_shapes_it_compiles_copies_and_pickles():
    policy = materialize(lazy_policy(), td)
    expected = policy(td, key=random.key(0))["action"]
    compiled = torch.compile(policy, backend="eager", fullgraph=True)
    for other in (compiled, copy.deepcopy(policy), pickle.loads(pickle.dumps(policy))):
        assert_close(other(td, key=random.key(0))["action"], expected)


def test_without_an_example_the_remedy_is_named():
    with pytest.raises(ValueError, match=r"initialize\(module, key, example=td\)"):
        initialize(lazy_policy(), random.key(0))
