import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from torch.testing import assert_close

from frl import random, tree
from frl.nn import CausalSelfAttention, CausalTransformer, from_module, functional_call
from tests.traced import traced

KEY = random.key(0)
S, D = 12, 16


def tokens(seed=0, batch=(3,)):
    return random.normal((*batch, S, D), random.key(seed))


def parts(x, num_heads):
    return x.unflatten(-1, (num_heads, -1)).transpose(-3, -2)


def test_attention_is_that_of_torch():
    attention, x = CausalSelfAttention(D, 4), tokens()
    q, k, v = (parts(part, 4) for part in attention.project(x).chunk(3, -1))
    mixed = scaled_dot_product_attention(q, k, v, is_causal=True).transpose(-3, -2).flatten(-2)
    assert_close(attention(x), attention.output(mixed))


@pytest.mark.parametrize("t", range(S - 1))
def test_outputs_up_to_t_are_bitwise_unchanged_by_inputs_after_t(t):
    module, x, other = CausalTransformer(D, 2, 4), tokens(0), 1e3 * tokens(1)
    changed = torch.cat([x[:, : t + 1], other[:, t + 1 :]], 1)
    assert torch.equal(module(x)[:, : t + 1], module(changed)[:, : t + 1])
    assert not torch.equal(module(x)[:, t + 1 :], module(changed)[:, t + 1 :])


def test_it_is_causal_for_every_member_of_an_ensemble_and_traced():
    module = CausalTransformer(D, 2, 4)
    members = tree.stack([tree.map(lambda x, f=f: f * x, from_module(module)) for f in (1.0, 0.5)])
    x = tokens()
    changed = torch.cat([x[:, :5], -x[:, 5:]], 1)
    ensemble = torch.vmap(lambda params, x: functional_call(module, params, x), (0, None))
    for run in (ensemble, traced(ensemble)):
        assert torch.equal(run(members, x)[:, :, :5], run(members, changed)[:, :, :5])
    assert_close(ensemble(members, x)[1], functional_call(module, members[1], x))


def test_what_the_gradient_of_an_output_reaches_is_its_past():
    module, x = CausalTransformer(D, 2, 4), tokens(batch=()).requires_grad_()
    (gradient,) = torch.autograd.grad(module(x)[5].square().sum(), x)
    assert bool(gradient[:6].any(-1).all())
    assert not bool(gradient[6:].any())


def test_padding_in_front_changes_nothing():
    module, x = CausalTransformer(D, 2, 4), tokens()
    mask = (torch.arange(S) >= 4).expand(3, S)
    assert_close(module(x, mask)[:, 4:], module(x[:, 4:]))


def test_a_position_depends_on_all_before_it():
    module, x = CausalTransformer(D, 1, 4), tokens(batch=())
    jacobian = torch.func.jacrev(lambda x: module(x)[-1])(x)
    assert bool(jacobian.abs().sum((0, 2)).all())


def test_layers_are_normalised_before_and_added_after():
    module, x = CausalTransformer(D, 1, 4, num_cells=8), tokens()
    layer = module.layers[0]
    assert isinstance(layer.mlp[0], nn.Linear)
    assert layer.mlp[0].out_features == 8
    y = x + layer.attention(layer.attention_norm(x))
    assert_close(module(x), module.norm(y + layer.mlp(layer.mlp_norm(y))))
