import pytest
import torch

from frl import optim, tree
from tests.optim.problems import gradient, largest_difference, parameters, run, run_torch


def test_the_global_norm_is_that_of_all_leaves_together():
    values = {"a": torch.tensor([[1.0, 2.0]]), "b": [torch.tensor(4.0), torch.tensor([10.0])]}
    assert optim.global_norm(values).item() == 11.0  # √(1 + 4 + 16 + 100)


def test_the_gradient_of_the_global_norm_at_zero_is_zero():
    assert torch.func.grad(optim.global_norm)({"w": torch.zeros(2)})["w"].tolist() == [0.0, 0.0]


def test_gradients_within_the_bound_pass_unchanged():
    grads = {"w": torch.tensor([0.3, 0.4])}
    assert optim.clip_by_global_norm(1.0).update(grads, {}, None)[0]["w"].tolist() == grads["w"].tolist()


@pytest.mark.parametrize("max_norm", [0.0, 1e-3, 0.5, 7.0, 1e3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_clipping_by_norm_equals_torch_bit_for_bit(max_norm, dtype):
    grads = gradient(parameters(dtype), torch.tensor(3.0))
    leaves = [torch.zeros_like(g).requires_grad_() for g in grads.values()]
    for leaf, grad in zip(leaves, grads.values(), strict=True):
        leaf.grad = grad.clone()
    torch.nn.utils.clip_grad_norm_(leaves, max_norm)
    ours = optim.clip_by_global_norm(max_norm).update(grads, {}, None)[0]
    assert all(torch.equal(a, leaf.grad) for a, leaf in zip(ours.values(), leaves, strict=True))


def test_clipping_by_value_equals_torch():
    grads = gradient(parameters(), torch.tensor(3.0))
    leaf = torch.zeros_like(grads["w"]).requires_grad_()
    leaf.grad = grads["w"].clone()
    torch.nn.utils.clip_grad_value_([leaf], 0.2)
    assert torch.equal(optim.clip_by_value(0.2).update(grads, {}, None)[0]["w"], leaf.grad)


def test_a_gradient_that_is_not_finite_is_not_hidden():
    clipped, _ = optim.clip_by_global_norm(1.0).update({"w": torch.tensor([1.0, torch.nan])}, {}, None)
    assert clipped["w"].isnan().all()


@pytest.mark.parametrize(
    ("make", "reference"), [(optim.adam, torch.optim.Adam), (optim.sgd, torch.optim.SGD)], ids=["adam", "sgd"]
)
def test_a_hundred_clipped_steps_equal_torch(make, reference):
    theirs = run_torch(
        lambda leaves: reference(leaves, lr=1e-3),
        parameters(),
        100,
        before_step=lambda leaves: torch.nn.utils.clip_grad_norm_(leaves, 0.5),
    )
    ours = run(optim.chain(optim.clip_by_global_norm(0.5), make(1e-3)), parameters(), 100)[0]
    assert largest_difference(ours, theirs) <= 1e-12


def test_clipping_vmaps_over_members_with_their_own_norms():
    grads = {"w": torch.tensor([[3.0, 4.0], [0.3, 0.4]])}
    clipped = torch.vmap(lambda g: optim.clip_by_global_norm(1.0).update(g, {}, None)[0])(grads)
    assert torch.allclose(optim.global_norm(tree.map(lambda x: x[0], clipped)), torch.tensor(1.0))
    assert clipped["w"][1].tolist() == grads["w"][1].tolist()
