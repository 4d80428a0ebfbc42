import gymnasium
import numpy as np
import pytest
import torch

from frl.envs import GymEnv, GymWrapper, check_env
from frl.envs.pixels import FrameSkip, Pixels
from tests.envs.faulty import Faulty, Nested
from tests.envs.liars import GymLiar


class Painter(Nested):
    """Renders how many steps were taken and how often it was asked."""

    asked = 0

    def render(self):
        self.asked += 1
        return np.full((2, 3, 3), self.count, np.uint8)


def test_pixels_take_the_place_of_all_else_or_stand_beside_it():
    env = GymEnv("CartPole-v1", from_pixels=True)
    assert list(env.reset()) == ["done", "pixels", "terminated", "truncated"]
    td = GymEnv("Pendulum-v1", frame_skip=3, from_pixels=True, pixels_only=False).reset()
    assert {key: (tuple(x.shape), x.dtype) for key, x in td.items() if x.dtype != torch.bool} == {
        "observation": ((3,), torch.float32),
        "pixels": ((500, 500, 3), torch.uint8),
    }


def test_pixels_are_those_of_gymnasiums_renderer_at_resets_and_steps():
    env = GymEnv("CartPole-v1", num_envs=2, from_pixels=True)
    td = env.reset()
    for _ in range(25):
        td, following = env.step_and_reset(env.rand_action(td))
        for i, each in enumerate(env.vector_env.envs):
            assert torch.equal(following["pixels"][i], torch.from_numpy(each.render().copy()))
        ended = td["next", "done"][:, 0]
        differ = (td["next", "pixels"] != following["pixels"]).flatten(1).any(1)
        assert torch.equal(differ, ended)
        td = following


def test_the_keys_of_a_dict_are_kept_beside_the_pixels():
    env = GymWrapper(Pixels(Painter(), pixels_only=False))
    td = env.reset()
    assert sorted(env.observation_spec) == ["eye", "mood", "pixels"]
    assert env.rand_step(td)["next", "pixels"].unique().tolist() == [1]


def test_only_the_last_frame_is_rendered():
    painter = Painter()
    env = Pixels(FrameSkip(painter, 2))
    env.reset(seed=0)
    before = painter.asked
    assert env.step(np.zeros(2, np.float32))[0]["pixels"][0, 0, 0] == 2
    assert painter.asked == before + 1


def test_rewards_of_skipped_frames_are_summed_up_to_the_end():
    env, action = FrameSkip(Nested(), 2), np.array([0.25, 0.5], np.float32)
    env.reset(seed=0)
    assert env.step(action)[1:3] == (1.5, False)
    assert env.step(action)[1:3] == (0.75, True)  # the third step ends it


def test_a_time_limit_counts_frames():
    env = GymEnv("Pendulum-v1", frame_skip=3)
    assert env.max_steps == 67
    td = env.rollout(100)
    assert td.batch_size == (67,)
    assert td["next", "truncated"][-1]
    assert GymEnv("Pendulum-v1", frame_skip=1).max_steps == 200


@pytest.mark.parametrize(
    "make",
    [
        lambda: GymEnv("CartPole-v1", num_envs=2, frame_skip=3),
        lambda: GymEnv("CartPole-v1", from_pixels=True),
    ],
)
def test_it_keeps_its_word(make):
    check_env(make(), num_steps=15)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Pixels(Faulty("none", "nowhere")), r"renders NoneType but must render uint8 \[H, W, 3\]"),
        (lambda: Pixels(GymLiar()), "renders NoneType"),
        (lambda: Pixels(FrameSkip(gymnasium.make("CartPole-v1"), 0)), "frame_skip is 0 but must be at least 1"),
        (lambda: GymEnv("CartPole-v1", frame_skip=-2), "frame_skip is -2 but must be at least 1"),
        (lambda: Pixels(Pixels(Painter()), pixels_only=False), 'observes "pixels" already'),
    ],
)
def test_bad_input_is_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()
