import math

import pytest
import torch

from frl import random
from frl.distributions import Normal

key = random.key(0)


def test_the_log_density_at_the_mean_by_hand():
    normal = Normal(loc=torch.tensor([1.0]), scale=torch.tensor([2.0]))
    assert normal.log_prob(torch.tensor([1.0])).item() == pytest.approx(-math.log(2 * math.sqrt(2 * math.pi)))


def test_nothing_is_summed():
    normal = Normal(torch.zeros(3, 4), torch.ones(3, 4))
    assert normal.log_prob(normal.sample(key)).shape == (3, 4)
    assert normal.entropy().shape == (3, 4)


def test_a_reparameterised_sample_moves_with_its_mean():
    normal = torch.func.grad(lambda loc: Normal(loc, torch.ones(3)).rsample(key).sum())
    assert normal(torch.zeros(3)).tolist() == [1.0, 1.0, 1.0]


def test_a_scale_of_another_shape_is_refused_never_broadcast():
    with pytest.raises(
        ValueError, match=r"Normal: scale has shape \[2\] but loc has \[3, 2\]; expand one to the shape"
    ):
        Normal(torch.zeros(3, 2), torch.ones(2))


def test_a_scale_of_another_dtype_is_refused():
    with pytest.raises(TypeError, match=r"Normal: scale is torch.float64 but loc is torch.float32"):
        Normal(torch.zeros(2), torch.ones(2).double())


def test_keys_that_fit_no_batch_axis_are_named():
    with pytest.raises(
        ValueError, match=r"Normal.sample: key= has batch axes \[4\] but the parameters have shape \[3\]"
    ):
        Normal(torch.zeros(3), torch.ones(3)).sample(random.split(key, 4))


def test_no_key_is_named():
    with pytest.raises(TypeError, match="key= must be a key"):
        Normal(torch.zeros(3), torch.ones(3)).sample(None)


def test_its_printed_form_names_parameters_and_shapes():
    assert repr(Normal(torch.zeros(3, 4), torch.ones(3, 4))) == "Normal(loc: [3, 4], scale: [3, 4])"
