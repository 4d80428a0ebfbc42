import pytest

from frl.algorithms import PPOConfig, PPOPenaltyConfig
from frl.envs import ids
from frl.training.presets import DEFAULTS, PRESETS, Preset, preset

ALL = [values for found in PRESETS.values() for values in found.values()] + list(DEFAULTS.values())


@pytest.mark.parametrize(("algorithm", "env"), [(name, env) for name, found in PRESETS.items() for env in found])
def test_gymnasiums_environment_has_the_preset_of_the_pure_one_of_its_name(algorithm: str, env: str):
    assert env in ids()
    assert preset(algorithm, f"gym:{env}") == preset(algorithm, env) == PRESETS[algorithm][env]


@pytest.mark.parametrize("values", ALL)
def test_an_update_divides_into_its_minibatches(values: Preset):
    if isinstance(values.config, (PPOConfig, PPOPenaltyConfig)):
        rows = values.num_envs * (values.rollout_length if values.memory is None else 1)  # whole sequences
        assert rows % values.config.num_minibatches == 0


@pytest.mark.parametrize("values", ALL)
def test_replay_holds_more_than_what_is_learnt_from_at_once(values: Preset):
    if values.replay is not None:
        assert values.replay.capacity >= max(values.replay.warmup, values.replay.batch_size)


@pytest.mark.parametrize("algorithm", PRESETS)
def test_other_environments_have_the_default(algorithm: str):
    assert preset(algorithm, "gym:FrozenLake-v1") == DEFAULTS[algorithm]
