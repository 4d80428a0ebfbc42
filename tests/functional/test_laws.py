"""What holds for every function of `frl.functional`; a new function is one row of `registry.py`."""

import pytest
import torch
from torch.testing import assert_close

from frl import functional as F
from tests.functional.registry import CASES, arguments
from tests.purity import Purity
from tests.rank_guard import RankGuard

every = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
per_step = pytest.mark.parametrize("case", [c for c in CASES if c.per_step], ids=lambda case: case.name)
differentiable = pytest.mark.parametrize("case", [c for c in CASES if c.differentiable], ids=lambda case: case.name)


def test_every_public_function_has_a_row():
    public = {name for name, value in vars(F).items() if callable(value) and not isinstance(value, type)}
    assert public == {case.name.split()[0] for case in CASES} | {"init_moments"}


@every
def test_vmap_equals_the_loop(case):
    inputs = [arguments(case, seed) for seed in range(3)]
    expected = torch.stack([case.function(*x) for x in inputs])
    assert_close(torch.vmap(case.function)(*map(torch.stack, zip(*inputs, strict=True))), expected)


@every
def test_compiled_equals_eager(case):
    inputs = arguments(case)
    assert_close(torch.compile(case.function, backend="aot_eager", fullgraph=True)(*inputs), case.function(*inputs))


@every
def test_inputs_are_neither_written_nor_returned(case):
    inputs = arguments(case)
    before = [x.clone() for x in inputs]
    with Purity(*inputs):
        out = case.function(*inputs)
    assert all(torch.equal(x, y) for x, y in zip(inputs, before, strict=True))
    assert all(out.untyped_storage().data_ptr() != x.untyped_storage().data_ptr() for x in inputs)


@every
def test_nothing_broadcasts_in_silence(case):
    with RankGuard():
        case.function(*arguments(case))


@differentiable
def test_first_and_second_gradients_are_those_of_finite_differences(case):
    inputs = [x.requires_grad_(x.is_floating_point()) for x in arguments(case, T=4, batch=(2,))]
    assert torch.autograd.gradcheck(case.function, inputs)
    with torch.random.fork_rng(devices=[]):  # gradgradcheck draws a direction from the global generator
        assert torch.autograd.gradgradcheck(case.function, inputs)


@every
def test_float32_gives_float32_near_the_float64_result(case):
    inputs = arguments(case)
    out = case.function(*[x.float() if x.is_floating_point() else x for x in inputs])
    assert out.dtype == torch.float32
    assert_close(out.double(), case.function(*inputs), rtol=1e-5, atol=1e-5)


@every
def test_strides_do_not_matter(case):
    inputs = arguments(case)
    strided = [torch.stack([x, x], dim=-1)[..., 0] for x in inputs]
    assert_close(case.function(*strided), case.function(*inputs))


@per_step
def test_lanes_are_independent(case):
    inputs, order = arguments(case), torch.tensor([2, 0, 1])
    permuted = [x[..., order] if x.ndim else x for x in inputs]
    assert_close(case.function(*permuted), case.function(*inputs)[..., order], rtol=0, atol=0)


@per_step
@pytest.mark.parametrize(("T", "batch"), [(1, (3,)), (4, ()), (4, (0,)), (2, (2, 3)), (1, (1,))])
def test_any_number_of_steps_and_any_batch(case, T, batch):
    out = case.function(*arguments(case, T=T, batch=batch))
    assert out.shape == (T, *batch)
    assert out.isfinite().all()


@per_step
def test_a_missing_batch_equals_a_batch_of_one(case):
    inputs = arguments(case, batch=(1,))
    alone = [x.squeeze(-1) if x.ndim else x for x in inputs]
    assert_close(case.function(*alone).unsqueeze(-1), case.function(*inputs))


@every
@pytest.mark.parametrize("scale", [1e-40, 1e15])
def test_extreme_float32_values_stay_finite_and_so_do_gradients(case, scale):
    inputs = [x.float() if x.is_floating_point() else x for x in arguments(case)]
    inputs = [(x * scale if kind in "sba" else x) for kind, x in zip(case.inputs, inputs, strict=True)]
    inputs = [x.requires_grad_(case.differentiable and x.is_floating_point()) for x in inputs]
    if case.name == "affine_recurrence":
        inputs[1] = inputs[1].clamp(-1, 1)
    out = case.function(*inputs)
    assert out.isfinite().all()
    if case.differentiable:
        gradients = torch.autograd.grad(out.sum(), [x for x in inputs if x.requires_grad], allow_unused=True)
        assert all(g is None or g.isfinite().all() for g in gradients)
