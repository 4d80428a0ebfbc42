"""What holds for every loss of `frl.objectives`; a new loss is one row of `registry.py`."""

import pytest
import torch
from torch.testing import assert_close

from frl import objectives, tree
from tests.objectives.registry import CASES
from tests.purity import Purity
from tests.traced import traced

every = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def members(case, count=3):
    """Parameters of several members, one after the other and stacked."""
    each = [tree.map(lambda x, i=i: x * (1 + 0.1 * i), case.init()) for i in range(count)]
    return each, tree.stack(each)


def test_every_loss_has_a_row():
    public = {name for name in vars(objectives) if name.endswith("Loss")}
    assert public == {case.name.split()[0] for case in CASES}


@every
def test_vmap_equals_the_loop(case):
    each, stacked = members(case)
    together = torch.vmap(case, (0, None))(stacked, case.batch)
    for i, params in enumerate(each):
        alone = case(params, case.batch)
        assert set(alone) == set(together)
        for name in alone:
            assert_close(together[name][i], alone[name])


@every
def test_traced_equals_eager(case):
    params = case.init()
    found, expected = traced(case.__call__)(params, case.batch), case(params, case.batch)
    for (name, x), (_, y) in zip(tree.named_leaves(found), tree.named_leaves(expected), strict=True):
        assert_close(x, y, msg=lambda text, name=name: f"{name}: {text}")


@every
def test_inputs_are_neither_written_nor_returned(case):
    params = case.init()
    with Purity(params, case.batch):
        losses = case(params, case.batch)
    owned = {x.untyped_storage().data_ptr() for x in tree.leaves((params, case.batch))}
    assert not owned & {x.untyped_storage().data_ptr() for x in tree.leaves(losses)}


@pytest.mark.parametrize(
    ("case", "name"), [pytest.param(c, name, id=f"{c.name}: {name}") for c in CASES for name in c.trains]
)
def test_first_and_second_gradients_are_those_of_finite_differences(case, name):
    params = case.init()
    parts = case.trains[name] or [part for part in params if part != "target"]
    flat, unravel = tree.ravel(params.select(*parts))

    def loss(flat):
        return case(params.update(unravel(flat)), case.batch)[name]

    with torch.random.fork_rng(devices=[]):  # the fast check draws a direction from the global generator
        assert torch.autograd.gradcheck(loss, flat.requires_grad_(), fast_mode=True)
        assert torch.autograd.gradcheck(torch.func.grad(loss), flat, fast_mode=True)


@every
def test_what_is_said_besides_the_losses_has_the_batch_of_the_steps_or_none(case):
    for name, x in case(case.init(), case.batch).items():
        assert x.shape in ((), case.batch.batch_size), name
