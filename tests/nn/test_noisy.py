import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from frl import TensorDict, random
from frl.nn import (
    ExplorationType,
    NoisyLinear,
    NoisyModule,
    QValueActor,
    TensorDictModule,
    TensorDictSequential,
    draw_noise,
    from_module,
    functional_call,
    initialize,
)

KEY = random.key(0)
X = torch.linspace(-1, 1, 12).reshape(3, 4)


def test_without_noise_it_is_the_layer_of_the_means():
    layer = NoisyLinear(4, 2)
    assert_close(layer(X), X @ layer.weight.T + layer.bias)


def test_noise_of_a_weight_is_the_product_of_its_factors():
    layer = NoisyLinear(4, 2)
    noise = draw_noise(layer, KEY)
    weight = layer.weight + layer.weight_std * torch.outer(noise["noise_out"], noise["noise_in"])
    bias = layer.bias + layer.bias_std * noise["noise_out"]
    assert_close(functional_call(layer, from_module(layer).update(noise), X), X @ weight.T + bias)


def test_a_factor_is_the_signed_root_of_a_normal_number():
    factors = draw_noise(NoisyLinear(20_000, 1), KEY)["noise_in"]
    assert factors.mean().item() == pytest.approx(0.0, abs=0.02)
    assert factors.square().mean().item() == pytest.approx(math.sqrt(2 / math.pi), abs=0.02)  # E|x|


def test_each_layer_has_its_own_noise_and_each_key_another():
    net = nn.Sequential(NoisyLinear(4, 4), NoisyLinear(4, 4))
    noise, other = draw_noise(net, KEY), draw_noise(net, random.key(1))
    assert not torch.equal(noise["0", "noise_in"], noise["1", "noise_in"])
    assert not torch.equal(noise["0", "noise_in"], noise["0", "noise_out"])
    assert not torch.equal(noise["0", "noise_in"], other["0", "noise_in"])


def test_it_starts_as_the_paper_says():
    layer = NoisyLinear(400, 10, std_init=0.4)
    for params in (from_module(layer), initialize(layer, KEY)):
        assert bool((params["weight"].abs() <= 1 / 20).all())
        assert params["weight"].std().item() == pytest.approx(1 / 20 / math.sqrt(3), rel=0.1)
        assert_close(params["weight_std"], torch.full((10, 400), 0.4 / 20))
        assert_close(params["bias_std"], torch.full((10,), 0.4 / 20))


def policy():
    return NoisyModule(
        QValueActor(nn.Sequential(NoisyLinear(4, 8), nn.Tanh(), NoisyLinear(8, 3)), action_space="one_hot")
    )


def test_a_policy_draws_new_noise_for_each_key_and_none_if_it_is_deterministic():
    module, td = policy(), TensorDict({"observation": X}, [3])
    first, again, other = (module(td, key=random.key(i))["action_value"] for i in (0, 0, 1))
    greedy = module(td, exploration=ExplorationType.DETERMINISTIC)["action_value"]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(greedy, module.module(td)["action_value"])


def test_both_parts_of_a_weight_are_learnt():
    module, td = policy(), TensorDict({"observation": X}, [3])

    def loss(params):
        return functional_call(module, params, td, key=KEY)["chosen_action_value"].sum()

    gradient = torch.func.grad(loss)(from_module(module))
    layer = gradient["module", "module", "0", "module", "2"]
    assert all(bool(layer[name].any()) for name in ("weight", "bias", "weight_std", "bias_std"))


def test_in_a_sequence_it_gets_its_own_key():
    module = TensorDictSequential(TensorDictModule(torch.neg, ["x"], ["observation"]), policy())
    td = TensorDict({"x": X}, [3])
    assert torch.equal(
        module(td, key=KEY)["action_value"], module[1](td.set("observation", -X), key=KEY)["action_value"]
    )


def test_a_key_for_each_row_gives_it_the_noise_that_it_has_alone():
    policy = NoisyModule(TensorDictModule(NoisyLinear(3, 2), ["observation"], ["action"]))
    keys = random.split(random.key(0), 4)
    td = TensorDict({"observation": torch.ones(4, 3)}, [4])
    whole = policy(td, key=keys)
    assert len(set(whole["action"][:, 0].tolist())) == 4
    torch.testing.assert_close(whole["action"][2], policy(td[2], key=keys[2])["action"])
