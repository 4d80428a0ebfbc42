"""Every optimizer, with every option, against torch.optim and under every transform: one row of the table, all laws."""

import pytest
import torch

from frl import optim, tree
from frl.tensordict import TensorDict
from tests.optim.problems import OPTIMIZERS, gradient, largest_difference, loss, parameters, run, run_torch
from tests.purity import Purity
from tests.rank_guard import RankGuard

every_optimizer = pytest.mark.parametrize(("make", "reference", "options"), OPTIMIZERS.values(), ids=OPTIMIZERS.keys())


def close(x, y, tolerance):
    pairs = zip(tree.leaves(x), tree.leaves(y), strict=True)
    return all(torch.allclose(a, b, rtol=tolerance, atol=tolerance) for a, b in pairs)


@every_optimizer
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_a_hundred_steps_equal_torch_in_float64(make, reference, options, dtype, tolerance):
    start = parameters()
    grads = [gradient(start, torch.tensor(float(i))) for i in range(100)]
    leaves = {name: value.clone().requires_grad_() for name, value in start.items()}
    theirs, ours, params = (
        reference(leaves.values(), lr=1e-3, **options),
        make(1e-3, **options),
        tree.cast(start, dtype),
    )
    state = ours.init(params)
    for grad in grads:
        for name, leaf in leaves.items():
            leaf.grad = grad[name]
        theirs.step()
        params, state = optim.step(ours, tree.cast(grad, dtype), state, params)
    assert all(torch.allclose(params[k].double(), x, rtol=tolerance, atol=tolerance) for k, x in leaves.items())


@every_optimizer
def test_a_closed_loop_of_a_hundred_steps_equals_torch(make, reference, options):
    theirs = run_torch(lambda leaves: reference(leaves, lr=1e-3, **options), parameters(), 100)
    assert largest_difference(run(make(1e-3, **options), parameters(), 100)[0], theirs) <= 1e-11


@every_optimizer
def test_a_tree_equals_the_flat_vector_of_its_leaves(make, reference, options):
    optimizer, params = make(0.01, **options), parameters()
    flat, unravel = tree.ravel(params)
    state = optimizer.init(flat)
    for i in range(3):
        grads = tree.ravel(gradient(unravel(flat), torch.tensor(float(i))))[0]
        flat, state = optim.step(optimizer, grads, state, flat)
    assert close(unravel(flat), run(optimizer, params, 3)[0], 1e-14)


@every_optimizer
def test_parameters_and_state_may_be_tensordicts(make, reference, options):
    optimizer = make(0.01, **options)
    params = TensorDict(parameters())
    train = TensorDict({"params": params, "opt": optimizer.init(params)})
    for i in range(3):
        grads = TensorDict(gradient(dict(train["params"].items()), torch.tensor(float(i))))
        params, state = optim.step(optimizer, grads, train["opt"], train["params"])
        train = TensorDict({"params": params, "opt": state})
    expected = run(optimizer, parameters(), 3)
    assert close(train, TensorDict({"params": expected[0], "opt": expected[1]}), 1e-14)


@every_optimizer
def test_a_step_keeps_structure_shapes_and_dtypes(make, reference, options):
    def kinds(x):
        return [(name, leaf.shape, leaf.dtype) for name, leaf in tree.named_leaves(x)]

    params = {**parameters(torch.float32), "double": torch.ones(2, dtype=torch.float64), "half": torch.ones(2).half()}
    learning_rate = torch.tensor(0.01, dtype=torch.float64)
    optimizer = make(learning_rate, **options)
    state = optimizer.init(params)
    new_params, new_state = optim.step(optimizer, tree.map(torch.ones_like, params), state, params)
    assert kinds(new_params) == kinds(params)
    assert kinds(new_state) == kinds(state)


@every_optimizer
def test_a_step_writes_to_nothing_and_returns_nothing_of_its_inputs(make, reference, options):
    optimizer, params = make(0.01, **options), parameters()
    grads = gradient(params, torch.tensor(1.0))
    state = optimizer.init(params)
    with Purity(grads, state, params), RankGuard():
        results = optim.step(optimizer, grads, state, params)
    given = {x.untyped_storage().data_ptr() for x in tree.leaves((grads, state, params))}
    made = [x.untyped_storage().data_ptr() for x in tree.leaves(results)]
    assert not given & set(made)
    assert len(set(made)) == len(made) or "momentum" in options


@every_optimizer
def test_vmap_equals_the_loop(make, reference, options):
    rates = torch.tensor([1e-3, 1e-2, 0.1], dtype=torch.float64)
    members = [tree.map(lambda x, k=k: x * k, parameters()) for k in (1.0, -0.5, 2.0)]

    def two_steps(params, rate):
        return run(make(rate, **options), params, 2)

    together = torch.vmap(two_steps)(tree.stack(members), rates)
    alone = tree.stack([two_steps(params, rate) for params, rate in zip(members, rates, strict=True)])
    assert close(together, alone, 1e-13)


@every_optimizer
def test_one_compilation_serves_changing_steps_and_learning_rates(make, reference, options):
    def one_step(params, state, grads, rate):
        return optim.step(make(rate, **options), grads, state, params)

    torch._dynamo.reset()
    compiled = torch.compile(one_step, backend="aot_eager", fullgraph=True)
    params = tree.ravel(parameters())[0]
    expected = params, (state := make(0.1, **options).init(params))
    for i in range(4):
        rate, grads = torch.tensor(0.01 / (i + 1)), torch.cos(params * i)
        with torch.compiler.set_stance("fail_on_recompile" if i else "default"):
            params, state = compiled(params, state, grads, rate)
        expected = one_step(*expected, grads, rate)
    assert close((params, state), expected, 1e-13)


@every_optimizer
def test_the_loss_after_two_steps_is_differentiable_in_the_learning_rate(make, reference, options):
    def after(rate, scale):
        params = tree.map(lambda x: x * scale, parameters())
        return loss(run(make(rate, **options), params, 2)[0], torch.tensor(2.0))

    inputs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (0.05, 0.9)]
    if options.get("betas") == (0.0, 0.0):  # divides each gradient by itself: within eps of a step function
        inputs[1] = inputs[1].detach()
    assert torch.autograd.gradcheck(after, inputs, rtol=1e-4, atol=1e-6)
    assert all(torch.func.grad(after)(*inputs).isfinite() for _ in range(1))


@every_optimizer
def test_the_state_begins_with_a_count_of_zero_and_counts(make, reference, options):
    _, state = run(make(0.1, **options), parameters(), 3)
    assert state["step"].dtype == torch.int64
    assert state["step"].item() == 3
    assert all(isinstance(leaf, torch.Tensor) for leaf in tree.leaves(state))


HYPERPARAMETERS = {
    "momentum": (lambda x: optim.sgd(0.1, momentum=x), 0.9),
    "sgd weight_decay": (lambda x: optim.sgd(0.1, weight_decay=x), 0.1),
    "b1": (lambda x: optim.adam(0.1, betas=(x, 0.999)), 0.9),
    "b2": (lambda x: optim.adam(0.1, betas=(0.9, x)), 0.99),
    "eps": (lambda x: optim.adam(0.1, eps=x), 0.1),
    "adam weight_decay": (lambda x: optim.adam(0.1, weight_decay=x), 0.1),
    "adamw weight_decay": (lambda x: optim.adamw(0.1, weight_decay=x), 0.1),
    "alpha": (lambda x: optim.rmsprop(0.1, alpha=x, eps=0.1), 0.9),
    "rmsprop eps": (lambda x: optim.rmsprop(0.1, eps=x), 0.1),
    "rmsprop momentum": (lambda x: optim.rmsprop(0.1, momentum=x), 0.5),
    "rmsprop weight_decay": (lambda x: optim.rmsprop(0.1, eps=0.1, weight_decay=x), 0.1),
    "max_norm": (lambda x: optim.chain(optim.clip_by_global_norm(x), optim.sgd(0.1)), 0.5),
}


@pytest.mark.parametrize(("make", "value"), HYPERPARAMETERS.values(), ids=HYPERPARAMETERS.keys())
def test_a_hyperparameter_may_be_a_tensor_vmapped_and_differentiated(make, value):
    as_tensor = torch.tensor(value, dtype=torch.float64)
    expected = run(make(value), parameters(), 2)[0]
    assert close(run(make(as_tensor), parameters(), 2)[0], expected, 1e-13)
    vmapped = torch.vmap(lambda x: run(make(x), parameters(), 2)[0])(as_tensor.expand(2))
    assert close(tree.map(lambda x: x[1], vmapped), expected, 1e-13)

    def after(x):
        return loss(run(make(x), parameters(), 2)[0], torch.tensor(2.0))

    assert torch.autograd.gradcheck(after, as_tensor.requires_grad_(), rtol=1e-4)
    assert torch.func.grad(after)(as_tensor).abs() > 0


REFUSED = {
    "sgd rate": (lambda: optim.sgd(-0.1), "sgd: learning_rate is -0.1 but must be at least 0."),
    "sgd momentum": (lambda: optim.sgd(0.1, momentum=1.0), "sgd: momentum is 1.0 but must be below 1."),
    "sgd negative momentum": (lambda: optim.sgd(0.1, momentum=-0.5), "sgd: momentum is -0.5 but must be at least 0."),
    "sgd decay": (lambda: optim.sgd(0.1, weight_decay=-1), "sgd: weight_decay is -1 but must be at least 0."),
    "sgd nesterov": (lambda: optim.sgd(0.1, nesterov=True), "sgd: nesterov needs momentum, but momentum is 0"),
    "adam rate": (lambda: optim.adam(float("nan")), "adam: learning_rate is nan but must be at least 0."),
    "adam rates": (
        lambda: optim.adam(torch.ones(3)),
        "adam: learning_rate has shape [3] but must have []; pass a 0-d tensor, or vmap over several.",
    ),
    "adam beta1": (lambda: optim.adam(0.1, betas=(1.0, 0.9)), "adam: betas[0] is 1.0 but must be below 1."),
    "adam beta2": (lambda: optim.adam(0.1, betas=(0.9, -0.1)), "adam: betas[1] is -0.1 but must be at least 0."),
    "adam eps": (lambda: optim.adam(0.1, eps=-1e-8), "adam: eps is -1e-08 but must be at least 0."),
    "adamw decay": (lambda: optim.adamw(0.1, weight_decay=-1.0), "adamw: weight_decay is -1.0 but must be at least 0."),
    "rmsprop rate": (lambda: optim.rmsprop(-0.1), "rmsprop: learning_rate is -0.1 but must be at least 0."),
    "rmsprop alpha": (lambda: optim.rmsprop(0.1, alpha=1.0), "rmsprop: alpha is 1.0 but must be below 1."),
    "rmsprop eps": (lambda: optim.rmsprop(0.1, eps=-1e-8), "rmsprop: eps is -1e-08 but must be at least 0."),
    "rmsprop momentum": (lambda: optim.rmsprop(0.1, momentum=1), "rmsprop: momentum is 1 but must be below 1."),
    "norm": (lambda: optim.clip_by_global_norm(-1.0), "clip_by_global_norm: max_norm is -1.0 but must be at least 0."),
    "value": (lambda: optim.clip_by_value(-1.0), "clip_by_value: max_value is -1.0 but must be at least 0."),
    "linear": (lambda: optim.linear(1.0, 0.0, 0), "linear: num_steps is 0 but must be above 0."),
    "cosine": (lambda: optim.cosine(1.0, 0.0, -5), "cosine: num_steps is -5 but must be above 0."),
    "exponential": (lambda: optim.exponential(1.0, -0.5), "exponential: decay is -0.5 but must be at least 0."),
    "join": (lambda: optim.join([optim.constant(1.0)], [5]), "join: boundaries is [5] for 1 schedules; pass one"),
    "join order": (lambda: optim.join([optim.constant(1.0)] * 3, [5, 5]), "join: boundaries is [5, 5] for 3 schedules"),
    "no parameters": (lambda: optim.sgd(0.1).init({}), "optim: there is nothing to optimize; params holds no tensor."),
}


@pytest.mark.parametrize(("build", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_hyperparameter_is_refused_by_name(build, message):
    with pytest.raises(ValueError, match=r"is|needs|has") as error:
        build()
    assert str(error.value).startswith(message)
