import pytest

from frl.envs import ids
from frl.training.presets import PPO, Preset, preset


@pytest.mark.parametrize("env", ids())
def test_every_pure_environment_has_a_preset(env: str):
    assert env in PPO
    assert preset(f"gym:{env}") == preset(env)


@pytest.mark.parametrize("values", [*PPO.values(), Preset()])
def test_an_update_divides_into_its_minibatches(values: Preset):
    assert values.num_envs * values.rollout_length % values.ppo.num_minibatches == 0


def test_other_environments_have_the_default():
    assert preset("gym:FrozenLake-v1") == Preset()
