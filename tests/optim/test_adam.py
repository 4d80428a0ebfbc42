import math

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from frl import optim


def test_the_first_step_is_the_learning_rate_in_the_direction_of_the_sign():
    params = torch.zeros(3)
    updates, _ = optim.adam(0.1).update(torch.tensor([1e-3, -1.0, 1e6]), optim.adam(0.1).init(params), params)
    assert updates.tolist() == pytest.approx([-0.1, 0.1, -0.1], rel=1e-4)


def test_the_second_step_by_hand():
    optimizer, params = optim.adam(1.0, betas=(0.5, 0.5), eps=0.0), torch.tensor(0.0, dtype=torch.float64)
    state = optimizer.init(params)
    _, state = optimizer.update(torch.tensor(1.0, dtype=torch.float64), state, params)
    updates, state = optimizer.update(torch.tensor(3.0, dtype=torch.float64), state, params)
    # m = 0.5·0.5 + 0.5·3 = 1.75, v = 0.5·0.5 + 0.5·9 = 4.75, both over 1 - 0.5² = 0.75
    assert updates.item() == pytest.approx(-(1.75 / 0.75) / math.sqrt(4.75 / 0.75), rel=1e-14)
    assert (state["mean"].item(), state["square"].item()) == (1.75, 4.75)
    assert (state["mean_weight"].item(), state["square_weight"].item()) == (0.75, 0.75)


@pytest.mark.parametrize("decay", [0.0, 0.9, 0.999, 0.9999])
def test_the_bias_correction_is_exact_to_float32_at_every_step(decay):
    optimizer, params = optim.adam(0.1, betas=(decay, decay)), torch.zeros(1)
    state = optimizer.init(params)
    for t in range(1, 501):
        _, state = optimizer.update(params, state, params)
        if t in (1, 2, 10, 500):
            assert state["square_weight"].item() == pytest.approx(-math.expm1(t * math.log(decay or 1e-300)), rel=3e-5)


def test_the_first_bias_correction_does_not_cancel_in_float32():
    optimizer, params = optim.adam(0.1), torch.zeros(1)
    _, state = optimizer.update(params, optimizer.init(params), params)
    assert state["square_weight"].item() == pytest.approx(0.001, rel=1e-7)  # 1 - 0.999 in float32 is off by 5e-5


def test_amsgrad_keeps_the_largest_square():
    optimizer, params = optim.adam(1.0, betas=(0.0, 0.0), amsgrad=True), torch.tensor(0.0)
    state = optimizer.init(params)
    _, state = optimizer.update(torch.tensor(4.0), state, params)
    updates, state = optimizer.update(torch.tensor(1.0), state, params)
    assert state["max_square"].item() == 16.0
    assert updates.item() == pytest.approx(-0.25)


def test_decoupled_decay_does_not_pass_through_the_averages():
    optimizer, params = optim.adamw(0.5, weight_decay=0.5), torch.tensor(4.0)
    updates, state = optimizer.update(torch.tensor(0.0), optimizer.init(params), params)
    assert updates.item() == -1.0
    assert state["mean"].item() == 0.0


def test_meta_gradients_are_finite_where_a_gradient_is_exactly_zero():
    def after(scale):
        optimizer, params = optim.adam(0.1), torch.zeros(2)
        grads = scale * torch.tensor([0.0, 1.0])
        state = optimizer.init(params)
        for _ in range(2):
            params, state = optim.step(optimizer, grads, state, params)
        return params.sum()

    assert torch.func.grad(after)(torch.tensor(1.0)).isfinite()


def test_a_gradient_of_zero_moves_nothing_even_without_eps():
    optimizer, params = optim.adam(0.1, eps=0.0), torch.ones(2)
    assert optim.step(optimizer, torch.zeros(2), optimizer.init(params), params)[0].tolist() == [1.0, 1.0]


def test_a_step_on_a_flat_vector_is_a_short_chain_without_powers_or_reductions():
    optimizer, params = optim.adam(0.1), torch.ones(8)
    graph = make_fx(lambda *x: optim.step(optimizer, *x))(params, optimizer.init(params), params).graph
    calls = [node for node in graph.nodes if node.op == "call_function"]
    assert sum(node.meta["val"].shape == (8,) for node in calls) <= 11
    assert {str(node.target).split(".")[1] for node in calls} <= {
        "add",
        "sub",
        "rsub",
        "mul",
        "div",
        "reciprocal",
        "rsqrt",
        "sqrt",
        "lerp",
        "clamp_min",
    }
