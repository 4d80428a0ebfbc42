"""Bad videos, recordings, evaluations during a training, and loggers."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from frl import TensorDict, envs, training
from frl.cli.errors import UsageError
from tests.bad_input.case import KEY, TD, bad
from tests.bad_input.environments import CART
from tests.bad_input.programs import frl_says

FRAME = torch.zeros(8, 8, 3, dtype=torch.uint8)


def inside(call: Callable[[Path], Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        call(Path(directory))


def write(*frames: torch.Tensor, name: str = "a.gif", fps: float = 30) -> None:
    inside(lambda directory: training.write_video(directory / name, frames, fps))


def stay(train: TensorDict, td: TensorDict, explore: bool) -> TensorDict:
    return td.set("action", torch.tensor([1, 0]))


def film(env: envs.Env, num_episodes: int = 1, name: str = "a.gif") -> None:
    inside(lambda directory: training.record(env, stay, TD, KEY, directory / name, num_episodes))


train = partial(frl_says, "train", "ppo")
RECORDING = {
    "a video of another kind": bad(
        lambda: write(FRAME, name="a.avi"), ValueError, "a.avi", "'.avi'", "must end in .mp4 or .gif"
    ),
    "a video without frames": bad(write, ValueError, "there is no frame", "give at least one"),
    "a frame of floats": bad(
        lambda: write(FRAME / 255), ValueError, "frame 0", "float32 [8, 8, 3]", "uint8 [H, W, 3]", "multiply colours"
    ),
    "a frame with channels first": bad(
        lambda: write(FRAME.movedim(-1, 0)), ValueError, "[3, 8, 8]", "uint8 [H, W, 3]", "move channels to the end"
    ),
    "a frame of another size": bad(
        lambda: write(FRAME, FRAME[:6]), ValueError, "frame 1", "[6, 8, 3]", "[8, 8, 3]", "to another file"
    ),
    "a video that stands still": bad(lambda: write(FRAME, fps=0), ValueError, "fps is 0", "must be above 0"),
    "filming several environments": bad(
        lambda: film(CART), ValueError, "batch size [2]", "a video shows one", "make it with batch_size=[]"
    ),
    "filming no episode": bad(
        lambda: film(envs.make("CartPole-v1"), 0), ValueError, "num_episodes", "0", "must be at least 1"
    ),
    "filming what has no renderer": bad(
        lambda: film(envs.make("gym:CartPole-v1")),
        *(ValueError, "GymEnv(env=CartPole-v1", "renders NoneType", "make it with render_mode='rgb_array'"),
    ),
    "filming what cannot be drawn": bad(
        lambda: film(Unseen()), TypeError, "Unseen", "cannot be drawn", "must be a FunctionalEnv"
    ),
    "evaluating a population of Gymnasium's": bad(
        lambda: training.evaluate(envs.make("gym:CartPole-v1", 2), stay, TD, torch.stack([KEY, KEY]), 2),
        *(ValueError, "is not pure", "one member at a time", "pass the key [2] of each"),
    ),
    "the best by a metric that is not there": bad(
        lambda: inside(lambda directory: training.keep_best(directory)(1, TD, TensorDict({"loss": torch.tensor(1.0)}))),
        *(KeyError, "'eval_return'", "['loss']", "name one of them by metric="),
    ),
    "the best that cannot be told": bad(
        lambda: training.keep_best("/none", metric="")(1, TD, TensorDict({})),
        *(KeyError, "no metric ''", "name one of them by metric="),
    ),
    "evaluating at negative steps": bad(
        lambda: train("--eval-every", "-5"), UsageError, "--eval-every is -5", "must be at least 0"
    ),
    "an unknown logger": bad(
        lambda: train("--log", "paper"), UsageError, "--log", "'paper'", "see frl train ppo --help"
    ),
    "a video of no episode": bad(
        lambda: frl_says("eval", "/none", "--video", "a.gif", "--video-episodes", "0"),
        *(UsageError, "--video-episodes is 0", "must be at least 1"),
    ),
    "an unknown checkpoint": bad(
        lambda: frl_says("eval", "/none", "--checkpoint", "first"), UsageError, "'first'", "see frl eval --help"
    ),
}


class Unseen(envs.SerialEnv):
    """Environments side by side that call themselves one."""

    def __init__(self) -> None:
        super().__init__(1, lambda: envs.make("CartPole-v1"))
        self.batch_size = torch.Size([])
