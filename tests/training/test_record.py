import sys
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import pytest
import torch
from torch import Tensor

from frl import TensorDict, random
from frl.envs import Env, FunctionalEnv, GymWrapper, make
from frl.envs.classic import CartPole
from frl.envs.drawing import BLACK, canvas
from frl.envs.probes import Endless
from frl.training.record import record
from frl.transforms import FrameSkipTransform, RewardScaling, StepCounter, TransformedEnv
from tests.envs.worlds import GYMNASIUM
from tests.training.test_video import read_mp4

NOTHING, KEY = TensorDict({}), random.key(7)


def left(train: TensorDict, td: TensorDict, key: Tensor | None = None, explore: bool = True) -> TensorDict:
    """Pushes the cart to the left, greedily and without looking."""
    assert not explore
    assert not torch.is_grad_enabled()
    return td.set("action", torch.tensor([1, 0]))


def visible(name: str = "CartPole-v1", **settings: Any) -> GymWrapper:
    return GymWrapper(gymnasium.make(name, render_mode="rgb_array", disable_env_checker=True, **settings))


class Small(CartPole):
    """CartPole in pictures of 30 × 20 pixels, as many frames a second as its author forgot to say."""

    metadata: ClassVar[dict[str, Any]] = {}

    def draw(self, state, params=None, size=None):
        return super().draw(state, params, (20, 30) if size is None else size)


def pictures(env: Env, key: Tensor, num_episodes: int = 1) -> tuple[Tensor, Tensor]:
    """What `record` returns, and the frames of the video, which is not written: a .gif merges equal ones."""
    frames: list[Tensor] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules["frl.training.record"], "write_video", lambda path, seen, fps: frames.extend(seen))
        returns = record(env, left, NOTHING, key, "a.gif", num_episodes)
    return returns, torch.stack(frames)


def test_a_pure_environment_draws_its_reset_and_every_state_to_the_end():
    env = FunctionalEnv(Small(), max_steps=5)
    returns, seen = pictures(env, random.key(0))
    assert returns.tolist() == [5.0]
    td = env.reset(random.split(random.key(0))[0])
    expected = [env.draw(td)]
    for _ in range(5):
        td = env.step(td.set("action", torch.tensor([1, 0])), KEY)["next"]
        expected.append(env.draw(td))
    assert torch.equal(seen, torch.stack(expected))


def test_gymnasiums_environment_is_shown_by_its_renderer():
    env = visible(max_episode_steps=3)
    returns, seen = pictures(env, random.key(0))
    assert returns.tolist() == [3.0]
    other = visible(max_episode_steps=3)
    td = other.reset(random.split(random.key(0))[0])
    expected = [other.render()]
    for _ in range(3):
        td = other.step(td.set("action", torch.tensor([1, 0])))["next"]
        expected.append(other.render())
    assert seen.shape == (4, 400, 600, 3)
    assert torch.equal(seen, torch.stack(expected))


def test_episodes_follow_one_another_and_a_key_fixes_them_all():
    env = FunctionalEnv(Small(), max_steps=20)
    returns, seen = pictures(env, random.key(0), num_episodes=3)
    assert returns.shape == (3,)
    assert len(seen) == 3 + int(returns.sum())
    again, same = pictures(env, random.key(0), num_episodes=3)
    assert torch.equal(returns, again)
    assert torch.equal(seen, same)
    assert not torch.equal(seen[0], pictures(env, random.key(1))[1][0])


@pytest.mark.parametrize("base", [lambda: FunctionalEnv(Small(), max_steps=4), lambda: visible(max_episode_steps=4)])
def test_a_transformed_environment_is_shown_by_its_base(base: Any):
    plain, seen = pictures(base(), random.key(0))
    env = TransformedEnv(base()).append_transform(StepCounter()).append_transform(RewardScaling(loc=0.0, scale=0.5))
    halved, same = pictures(env, random.key(0))
    assert torch.equal(seen, same)
    assert torch.equal(halved, plain / 2)


@pytest.mark.parametrize("base", [lambda: FunctionalEnv(Small(), max_steps=4), lambda: visible(max_episode_steps=4)])
def test_frames_that_are_skipped_are_not_shown(base: Any):
    returns, seen = pictures(TransformedEnv(base(), FrameSkipTransform(2)), random.key(0))
    assert returns.tolist() == [4.0]
    assert len(seen) == 3


def test_the_speed_is_the_environments_own_unless_told_otherwise(tmp_path: Path):
    small, usual = FunctionalEnv(Small(), max_steps=1), FunctionalEnv(CartPole(), max_steps=1)
    for env, given, expected in (
        (usual, None, 50),
        (visible(max_episode_steps=1), None, 50),
        (small, None, 30),
        (small, 5, 5),
    ):
        record(env, left, NOTHING, KEY, tmp_path / "a.mp4", fps=given)
        assert read_mp4(tmp_path / "a.mp4")[0]["fps"] == expected


def test_an_episode_that_never_ends_is_an_error_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Painted(Endless):
        def draw(self, state, params=None, size=None):
            return canvas((8, 8)).disc((4, 4), 2, BLACK).pixels()

    monkeypatch.setattr(sys.modules["frl.training.record"], "LONGEST", 5)
    with pytest.raises(ValueError, match="had not ended after 5 steps; give the environment a time limit"):
        record(FunctionalEnv(Painted()), left, NOTHING, KEY, tmp_path / "a.gif")
    assert list(tmp_path.iterdir()) == []


def test_every_environment_of_gymnasium_moves_at_its_speed():
    for name in GYMNASIUM:
        assert make(name).func_env.metadata["render_fps"] == gymnasium.make(name).metadata["render_fps"]
