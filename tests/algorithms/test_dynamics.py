import torch

from frl import random
from frl.algorithms import dynamics
from frl.envs import make
from frl.nn import initialize_ensemble


def test_the_model_fits_the_specs():
    for name in ("Pendulum-v1", "CartPole-v1"):
        env = make(name, 3)
        model = dynamics(env.single_observation_spec, env.single_action_spec, (4,))
        td = env.rand_action(env.reset(random.key(0)), random.key(1))
        after = model.module(td, key=random.key(2))["next"]
        assert after["observation"].shape == td["observation"].shape


def test_its_parameters_are_drawn_from_a_key_and_not_from_the_global_generator():
    env, before = make("Pendulum-v1"), torch.get_rng_state()
    model = dynamics(env.single_observation_spec, env.single_action_spec, (4,))
    members = initialize_ensemble(model.init, 2, random.key(0))
    assert torch.equal(before, torch.get_rng_state())
    weight = members["net", "0", "0", "weight"]
    assert not torch.equal(weight[0], weight[1])
