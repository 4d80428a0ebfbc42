import json

import pytest
import torch

from frl import random, tree
from frl.envs import GymEnv, make
from frl.envs.outline import agreed, outline, sketch
from tests.envs.faulty import ALIKE
from tests.envs.liars import Liar

KEY = random.key(0)


@pytest.mark.parametrize("name", ALIKE)
def test_an_outline_says_what_the_environment_shows(name):
    env = ALIKE[name]()
    td = env.reset(KEY)
    out = outline(json.loads(json.dumps(sketch(env, td))))
    assert (out.batch_size, out.device, out.max_steps, out.pure) == (
        env.batch_size,
        env.device,
        env.max_steps,
        env.pure,
    )
    assert out.observation == env.single_observation_spec
    assert out.action == env.single_action_spec
    step = env.step(env.rand_action(td, KEY), KEY)
    for template, found in ((out.begin, td), (out.after, step["next"]), (out.given, step.select(*out.given))):
        shapes = [(n, x.shape, x.dtype) for n, x in tree.named_leaves(template)]
        assert shapes == [(n, x.shape, x.dtype) for n, x in tree.named_leaves(found)]
        assert (template.batch_size, template.device) == (found.batch_size, found.device)


def test_what_an_environment_keeps_of_its_own_is_neither_observation_nor_flag():
    own = [outline(sketch(env, env.reset(KEY))).own for env in (make("CartPole-v1"), GymEnv("CartPole-v1"))]
    assert own == [("state", "step_count"), ()]


def test_a_difference_is_named_by_its_path():
    sketches = [sketch(env, env.reset(KEY)) for env in (GymEnv("CartPole-v1"), GymEnv("Pendulum-v1"))]
    assert agreed("SerialEnv", [sketches[0], {**sketches[0], "name": "another"}]) == sketches[0]
    sketches[1]["max_steps"] = 500
    with pytest.raises(
        ValueError, match=r"worker 2 differs from worker 0 in observation.entries.observation.shape: \[3\], not \[4\]"
    ):
        agreed("SerialEnv", [sketches[0], sketches[0], sketches[1]])


def test_a_reset_that_breaks_the_specs_is_named():
    env = Liar(reset=lambda td, key: td.set("observation", td["observation"].double()))
    with pytest.raises(ValueError, match=r"'observation' of a reset is torch.float64 \[2, 4\] but the spec says"):
        sketch(env, env.reset(KEY))
    env = Liar(reset=lambda td, key: td.exclude("observation"))
    with pytest.raises(ValueError, match="'observation' of a reset is missing"):
        sketch(env, env.reset(KEY))


def test_the_dtype_of_the_reward_is_kept():
    env = make("CartPole-v1")
    assert outline(sketch(env, env.reset(KEY))).after["reward"].dtype == torch.float32
