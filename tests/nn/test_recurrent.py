import pytest
import torch
from torch import nn
from torch.testing import assert_close

from frl import TensorDict, random, tree
from frl.nn import (
    GRUModule,
    LSTMModule,
    QValueActor,
    TensorDictModule,
    TensorDictSequential,
    from_module,
    functional_call,
    over_time,
)
from frl.specs import Composite, OneHot, Unbounded
from tests.traced import traced

MAKE = {"lstm": lambda: LSTMModule(4, 6, 2), "gru": lambda: GRUModule(4, 6, 2)}
every = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
B, T = 3, 8


def policy(make):
    net = TensorDictModule(nn.Linear(5, 4), ["observation"], ["embed"])
    return TensorDictSequential(net, make(), QValueActor(nn.Linear(6, 2), in_keys=["embed"], spec=OneHot(2)))


def batch_of(module):
    """A batch [B, T] whose episodes begin at the start and at other places."""
    k_x, k_init = random.split(random.key(0))
    is_init = random.bernoulli(torch.full((B, T, 1), 0.3), k_init)
    td = TensorDict({"observation": random.normal((B, T, 5), k_x), "is_init": is_init}, [B, T])
    state = [key for key in module.in_keys if "state" in key]
    return td.update({key: torch.ones(B, T, 2, 6) for key in state})


def stepped(module, batch):
    """What `module` writes when it is called step by step, each on the state that the one before left."""
    steps = []
    carried = batch[:, 0].select(*[key for key in module.in_keys if "state" in key])
    for t in range(T):
        td = module(batch[:, t].update(carried))
        carried = td["next"].select(*carried)
        steps.append(td)
    return tree.stack(steps, 1)


def written(module, td):
    return [td[key] for key in module.out_keys]


@every
def test_a_policy_over_time_is_the_policy_step_by_step(make):
    module = policy(make)
    batch = batch_of(module)
    assert_close(written(module, over_time(module)(batch)), written(module, stepped(module, batch)))


@every
def test_the_state_at_the_root_counts_at_the_first_step_alone(make):
    module = over_time(policy(make))
    batch = batch_of(module)
    others = {
        key: torch.cat([batch[key][:, :1], torch.full_like(batch[key][:, 1:], torch.nan)], 1)
        for key in batch
        if "state" in key
    }
    assert_close(written(module, module(batch.update(others))), written(module, module(batch)))


@every
def test_both_policies_have_the_same_parameters(make):
    module = policy(make)
    whole = over_time(module)
    mine, others = dict(module.named_parameters()), dict(whole.named_parameters())
    assert all(mine[name] is others[name] for name in mine)
    assert mine.keys() == others.keys()
    assert (whole.in_keys, whole.out_keys) == (module.in_keys, module.out_keys)
    batch, params = batch_of(module), tree.map(lambda x: 0.5 * x, from_module(module))
    result = functional_call(whole, params, batch)
    assert_close(written(module, result), written(module, stepped(lambda_policy(module, params), batch)))


def lambda_policy(module, params):
    def call(td):
        return functional_call(module, params, td)

    call.in_keys = module.in_keys
    return call


@every
def test_a_policy_over_time_leaves_the_policy_as_it_is(make):
    module = policy(make)
    over_time(module)
    td = batch_of(module)[:, 0]
    assert module(td)["embed"].shape == (B, 6)


def test_a_module_without_recurrent_parts_is_returned_as_it_is():
    module = QValueActor(nn.Linear(3, 2), spec=OneHot(2))
    assert over_time(module) is module


@every
def test_where_the_state_is_missing_it_is_zero(make):
    module = make()
    is_init = torch.zeros(B, 1, dtype=torch.bool)
    td = TensorDict({"embed": torch.ones(B, 4), "is_init": is_init}, [B])
    zeros = module.recurrent_state_spec.zeros(B)
    assert torch.equal(module(td)["embed"], module(td.update(zeros))["embed"])


def test_shapes_are_those_of_the_tutorial():
    lstm = LSTMModule(input_size=64, hidden_size=128, in_key="embed", out_key="embed")
    td = lstm(TensorDict({"embed": torch.zeros(50, 64), "is_init": torch.ones(50, 1, dtype=torch.bool)}, [50]))
    assert lstm.in_keys == ["embed", "recurrent_state_h", "recurrent_state_c", "is_init"]
    assert {key: tuple(td[key].shape) for key in lstm.out_keys} == {
        "embed": (50, 128),
        ("next", "recurrent_state_h"): (50, 1, 128),
        ("next", "recurrent_state_c"): (50, 1, 128),
    }


@every
def test_the_state_spec_is_of_what_is_written_under_next(make):
    module = make()
    td = module(TensorDict({"embed": torch.ones(4), "is_init": torch.ones(1, dtype=torch.bool)}))
    assert module.recurrent_state_spec.contains(td["next"])
    assert dict(module.recurrent_state_spec) == {key: Unbounded((2, 6)) for key in module.state_keys}
    assert isinstance(module.recurrent_state_spec, Composite)


def test_two_modules_of_one_policy_keep_their_states_apart():
    first, second = GRUModule(4, 4, state_key="first"), GRUModule(4, 4, state_key="second")
    assert TensorDictSequential(first, second).in_keys == ["embed", "first", "is_init", "second"]


@every
def test_an_ensemble_over_time_is_the_loop_traced_and_differentiated(make):
    module = over_time(policy(make))
    batch = batch_of(module)
    params = tree.stack([tree.map(lambda x, f=f: f * x, from_module(module)) for f in (1.0, 0.5)])

    def loss(params):
        return functional_call(module, params, batch)["chosen_action_value"].square().mean()

    gradient = torch.vmap(torch.func.grad(loss))
    expected = tree.stack([torch.func.grad(loss)(params[i]) for i in range(2)])
    assert_close(tree.leaves(gradient(params)), tree.leaves(expected))
    assert_close(tree.leaves(traced(gradient)(params)), tree.leaves(expected))
