import pytest
import torch
from torch import nn
from torch.testing import assert_close

from frl import random, tree
from frl.nn import rnn
from tests.traced import traced

T, B, D, H = 7, 4, 3, 5
NETWORKS = {"lstm": (nn.LSTM, rnn.LSTM), "gru": (nn.GRU, rnn.GRU)}
every = pytest.mark.parametrize("name", NETWORKS)
deep = pytest.mark.parametrize("num_layers", [1, 3])


def setup(name, num_layers=2, bias=True):
    kind, cell = NETWORKS[name]
    network = kind(D, H, num_layers, bias=bias)
    keys = random.split(random.key(0), 3)
    x = random.normal((T, B, D), keys[0])
    parts = 2 if name == "lstm" else 1
    state = tuple(random.normal((parts, B, num_layers, H), keys[1]))
    return network, cell, x, state, random.bernoulli(torch.full((T, B), 0.3), keys[2])


def never():
    return torch.zeros(T, B, dtype=torch.bool)


def torch_state(state):
    """[B, L, H] each, as torch takes it."""
    parts = tuple(part.transpose(0, 1).contiguous() for part in state)
    return parts if len(parts) == 2 else parts[0]


@every
@deep
@pytest.mark.parametrize("bias", [True, False])
def test_a_sequence_is_that_of_torch(name, num_layers, bias):
    network, cell, x, state, _ = setup(name, num_layers, bias)
    output, states = rnn.sequence(cell, rnn.layers(network), x, never(), state)
    expected, last = network(x, torch_state(state))
    assert_close(output, expected)
    for part, own in zip(last if name == "lstm" else (last,), states, strict=True):
        assert_close(own[-1], part.transpose(0, 1))


@every
def test_the_gradients_are_those_of_torch(name):
    network, cell, x, state, _ = setup(name)
    parameters = list(network.parameters())
    own = rnn.sequence(cell, rnn.layers(network), x, never(), state)[0]
    expected = network(x, torch_state(state))[0]
    weights = torch.linspace(-1, 1, own.numel()).reshape(own.shape)
    for a, b in zip(
        torch.autograd.grad((own * weights).sum(), parameters),
        torch.autograd.grad((expected * weights).sum(), parameters),
        strict=True,
    ):
        assert_close(a, b, atol=1e-5, rtol=1e-4)


@every
@deep
def test_a_sequence_is_its_steps_one_after_another(name, num_layers):
    network, cell, x, state, reset = setup(name, num_layers)
    output, states = rnn.sequence(cell, rnn.layers(network), x, reset, state)
    for t in range(T):
        now, state = rnn.step(cell, rnn.layers(network), x[t], reset[t], state)
        assert_close(output[t], now)
        assert_close([part[t] for part in states], list(state))


@every
def test_a_sequence_with_resets_is_separate_sequences(name):
    network, cell, x, state, _ = setup(name)
    layers, zero = rnn.layers(network), tuple(torch.zeros_like(part) for part in state)
    reset = never()
    reset[3] = True
    output, _ = rnn.sequence(cell, layers, x, reset, state)
    first, _ = rnn.sequence(cell, layers, x[:3], never()[:3], state)
    second, _ = rnn.sequence(cell, layers, x[3:], never()[3:], zero)
    assert_close(output, torch.cat([first, second]))


@every
def test_a_reset_forgets_even_what_is_not_finite(name):
    network, cell, x, state, _ = setup(name)
    layers, broken = rnn.layers(network), tuple(torch.full_like(part, torch.nan) for part in state)
    zero = tuple(torch.zeros_like(part) for part in state)
    always = torch.ones(B, dtype=torch.bool)
    assert torch.equal(rnn.step(cell, layers, x[0], always, broken)[0], rnn.step(cell, layers, x[0], always, zero)[0])


@every
def test_vmap_over_parameters_is_the_loop(name):
    _, cell, x, state, reset = setup(name)
    members = [rnn.layers(setup(name)[0]) for _ in range(3)]
    outputs, _ = torch.vmap(lambda layers: rnn.sequence(cell, layers, x, reset, state))(tree.stack(members))
    assert_close(outputs, torch.stack([rnn.sequence(cell, layers, x, reset, state)[0] for layers in members]))


@every
def test_the_traced_gradient_is_the_eager_one(name):
    network, cell, x, state, reset = setup(name, 1)
    layers = rnn.layers(network.requires_grad_(False))
    gradient = torch.func.grad(lambda layers, x: rnn.sequence(cell, layers, x, reset, state)[0].square().sum(), (0, 1))
    assert_close(tree.leaves(traced(gradient)(layers, x)), tree.leaves(gradient(layers, x)))


def test_double_precision_passes_gradcheck():
    network, cell, x, state, reset = setup("gru", 1)
    layers = rnn.layers(network.double())
    inputs = (x[:3].double().requires_grad_(), state[0].double().requires_grad_())
    assert torch.autograd.gradcheck(lambda x, h: rnn.sequence(cell, layers, x, reset[:3], (h,))[0], inputs)
