import pytest
import torch
from torch import nn

from frl import TensorDict, random
from frl.envs import make
from frl.nn import MLP, DynamicsModule, ExplorationType, NormalParamWrapper

KEY = random.key(0)


class Known(nn.Module):
    """The mean is its input and a 5, the deviation 0.1."""

    def forward(self, x):
        loc = torch.cat([x[..., :2], torch.full_like(x[..., :1], 5.0)], -1)
        return loc, torch.full_like(loc, 0.1)


def steps(n=2):
    return TensorDict({"observation": torch.tensor([[1.0, 2.0]]).expand(n, 2), "action": torch.ones(n, 1)}, [n])


def test_the_mean_is_the_change_of_the_observation_and_the_reward():
    td = DynamicsModule(Known())(steps(), exploration=ExplorationType.DETERMINISTIC)
    assert td["next", "observation"].tolist() == [[2.0, 4.0]] * 2
    assert td["next", "reward"].tolist() == [[5.0]] * 2


def test_a_draw_has_its_deviation():
    td = DynamicsModule(Known())(steps(5000), key=KEY)
    assert abs(td["next", "observation"].std(0).mean().item() - 0.1) < 0.01
    assert abs(td["next", "reward"].mean().item() - 5) < 0.01


def test_the_target_is_what_happened():
    after = {"observation": torch.tensor([[4.0, 2.5]]).expand(2, 2), "reward": torch.full((2, 1), -3.0)}
    target = DynamicsModule(Known()).target(steps().set("next", TensorDict(after, [2])))
    assert target.tolist() == [[3.0, 0.5, -3.0]] * 2


def test_the_mean_is_that_of_the_distribution():
    model = DynamicsModule(Known())
    assert torch.equal(model.get_dist(steps()).loc[:, -1], torch.full((2,), 5.0))


def test_several_observations_and_one_hot_actions_are_laid_end_to_end():
    with torch.random.fork_rng(devices=[]):
        model = DynamicsModule(NormalParamWrapper(MLP(5 + 2, 2 * 6)), ["position", "speed"])
    td = TensorDict(
        {"position": torch.ones(3, 4), "speed": torch.ones(3, 1), "action": torch.tensor([[0, 1]] * 3)}, [3]
    )
    after = model(td, key=KEY)["next"]
    assert (after["position"].shape, after["speed"].shape, after["reward"].shape) == ((3, 4), (3, 1), (3, 1))


def test_it_can_stand_for_an_environment_in_a_rollout():
    with torch.random.fork_rng(devices=[]):
        model = DynamicsModule(NormalParamWrapper(MLP(4, 8)))
    env = make("Pendulum-v1", 3)
    td = env.rand_action(env.reset(KEY), KEY)
    assert model(td, key=KEY)["next"].keys() <= env.step(td, KEY)["next"].keys()


def test_a_network_of_another_size_is_named():
    with torch.random.fork_rng(devices=[]), pytest.raises(ValueError, match=r"the mean has shape \[2, 2\]"):
        DynamicsModule(NormalParamWrapper(nn.Linear(3, 4)))(steps(), key=KEY)
