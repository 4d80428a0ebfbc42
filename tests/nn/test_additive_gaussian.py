import pytest
import torch

from frl import TensorDict, random
from frl.nn import AdditiveGaussianModule
from frl.specs import Bounded, Unbounded

KEY = random.key(0)
TD = TensorDict({"action": torch.full((5000, 2), 0.5)}, [5000])


def test_it_adds_sigma_times_a_normal_number():
    module = AdditiveGaussianModule(
        Unbounded(2), annealing_num_steps=10, sigma_init=1.0, sigma_end=0.1, mean=2.0, std=3.0
    )
    added = module(TD, key=KEY)["action"] - 0.5
    assert (added.mean().item(), added.std().item()) == (pytest.approx(2.0, abs=0.1), pytest.approx(3.0, abs=0.1))
    module.num_frames = module.step(10)
    fewer = module(TD, key=KEY)["action"] - 0.5
    assert torch.allclose(fewer, 0.1 * added, atol=1e-6)


def test_the_sum_is_projected_onto_the_spec():
    spec = Bounded(-1.0, 1.0, 2)
    action = AdditiveGaussianModule(spec)(TD, key=KEY)["action"]
    assert spec.contains(action)
    assert 0.2 < (action == 1.0).float().mean() < 0.4


def test_the_defaults_are_one_falling_to_a_tenth():
    module = AdditiveGaussianModule(Unbounded(2))
    assert (module.sigma.item(), module.end.item()) == (1.0, pytest.approx(0.1))


def test_the_gradient_goes_through_to_the_action():
    action = torch.full((5, 2), 0.5, requires_grad=True)
    AdditiveGaussianModule(Unbounded(2))(TensorDict({"action": action}, [5]), key=KEY)["action"].sum().backward()
    assert torch.equal(action.grad, torch.ones(5, 2))
