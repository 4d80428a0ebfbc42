import math

import pytest
import torch

from frl import optim, tree


def test_two_steps_by_hand():
    optimizer, params = optim.rmsprop(1.0, alpha=0.5, eps=0.0), torch.tensor(0.0, dtype=torch.float64)
    state = optimizer.init(params)
    updates, state = optimizer.update(torch.tensor(2.0, dtype=torch.float64), state, params)
    assert updates.item() == pytest.approx(-2 / math.sqrt(2))  # v = 0.5·4
    updates, state = optimizer.update(torch.tensor(4.0, dtype=torch.float64), state, params)
    assert updates.item() == pytest.approx(-4 / 3)  # v = 0.5·2 + 0.5·16
    assert (state["square"].item(), state["step"].item()) == (9.0, 2)


def test_centered_it_measures_in_the_deviation_of_the_gradients():
    optimizer, params = optim.rmsprop(1.0, alpha=0.5, eps=0.0, centered=True), torch.tensor(0.0)
    state = optimizer.init(params)
    updates, state = optimizer.update(torch.tensor(2.0), state, params)
    assert updates.item() == pytest.approx(-2.0)  # v − m² = 2 − 1
    assert (state["square"].item(), state["mean"].item()) == (2.0, 1.0)


def test_momentum_sums_the_scaled_gradients():
    optimizer, params = optim.rmsprop(1.0, alpha=0.75, eps=0.0, momentum=0.5), torch.tensor(0.0)
    state = optimizer.init(params)
    _, state = optimizer.update(torch.tensor(1.0), state, params)
    updates, _ = optimizer.update(torch.tensor(0.0), state, params)
    assert (state["velocity"].item(), updates.item()) == (2.0, -1.0)


def test_a_constant_gradient_never_gives_nan_though_rounding_makes_the_variance_negative():
    optimizer, params = optim.rmsprop(1e-3, alpha=0.5, centered=True), torch.full([1000], 0.1)
    grads, state = torch.linspace(0.1, 1.0, 1000), None
    state = optimizer.init(params)
    for _ in range(50):
        updates, state = optimizer.update(grads, state, params)
    assert (state["square"] - state["mean"].square() < 0).any()
    assert updates.isfinite().all()


def test_a_gradient_of_zero_moves_nothing_even_without_eps():
    optimizer, params = optim.rmsprop(0.1, eps=0.0), torch.ones(2)
    assert optim.step(optimizer, torch.zeros(2), optimizer.init(params), params)[0].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["step", "square"]),
        ({"centered": True}, ["step", "square", "mean"]),
        ({"momentum": 0.9}, ["step", "square", "velocity"]),
    ],
)
def test_the_state_has_what_the_options_need(options, names):
    assert [name for name, _ in tree.named_leaves(optim.rmsprop(0.1, **options).init(torch.ones(3)))] == names
