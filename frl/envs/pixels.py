"""Gymnasium's environments seen as pixels, and stepped several frames at a time."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from frl import check

Frame = np.ndarray[Any, Any]


class Pixels(gymnasium.ObservationWrapper[dict[str, Any], Any, Any]):
    """The environment whose observation is {"pixels": uint8 [H, W, 3]}, what its renderer shows.

    It renders at a reset and after each step. It is reset once at construction, for most renderers show nothing before.

    Args: env: made with render_mode="rgb_array". pixels_only: else its own observation stands beside the pixels, under
        "observation" or, of a Dict space, under its own keys.
    Raises: ValueError if it renders anything else, or has "pixels" among its own observations.

    >>> env = Pixels(gymnasium.make("CartPole-v1", render_mode="rgb_array"), pixels_only=False)
    >>> {key: value.shape for key, value in env.reset(seed=0)[0].items()}
    {'observation': (4,), 'pixels': (400, 600, 3)}
    """

    def __init__(self, env: gymnasium.Env[Any, Any], pixels_only: bool = True):
        super().__init__(env)
        self._kept: Any = None if pixels_only else env.observation_space
        if isinstance(self._kept, spaces.Dict) and "pixels" in self._kept.spaces:
            raise ValueError('Pixels: the environment observes "pixels" already; use it with from_pixels=False.')
        env.reset()
        shape = require_image("Pixels", env, _rendered(env), "use from_pixels=False").shape
        pixels = spaces.Box(0, 255, shape, np.uint8)
        self.observation_space = spaces.Dict({**self._entries(self._kept), "pixels": pixels})

    def observation(self, observation: Any) -> dict[str, Any]:
        """What the environment observes, with its pixels."""
        return {**self._entries(observation), "pixels": self.env.render()}

    def _entries(self, observation: Any) -> dict[str, Any]:
        if self._kept is None:
            return {}
        return dict(observation) if isinstance(self._kept, spaces.Dict) else {"observation": observation}


class FrameSkip(gymnasium.Wrapper[Any, Any, Any, Any]):
    """The environment that takes each action `num_frames` times and sums the rewards, until an episode ends.

    Raises: ValueError if `num_frames` is below 1; TypeError if it is no integer.

    >>> env = FrameSkip(gymnasium.make("CartPole-v1"), 3)
    >>> env.reset(seed=0)[0].shape, env.step(0)[1]
    ((4,), 3.0)
    """

    def __init__(self, env: gymnasium.Env[Any, Any], num_frames: int):
        if not isinstance(num_frames, int):
            raise TypeError(f"FrameSkip: frame_skip is {num_frames!r} but must be an integer, a number of frames.")
        check.at_least("FrameSkip", {"frame_skip": num_frames}, 1)
        super().__init__(env)
        self.num_frames = num_frames

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """The last frame, the sum of the rewards, and whether the episode ended on the way."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        total = float(reward)
        for _ in range(self.num_frames - 1):
            if terminated or truncated:
                break
            observation, reward, terminated, truncated, info = self.env.step(action)
            total += float(reward)
        return observation, total, terminated, truncated, info


def require_image(name: str, env: Any, frame: Any, instead: str = "record another environment") -> Frame:
    """`frame`, which `env` has rendered; raises ValueError unless it is an image, uint8 [H, W, 3].

    >>> require_image("record", "Painter()", np.zeros((2, 3, 3), np.uint8)).shape
    (2, 3, 3)
    """
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[-1] != 3:
        found = f"{frame.dtype} {list(frame.shape)}" if isinstance(frame, np.ndarray) else type(frame).__name__
        raise ValueError(
            f"{name}: {env} renders {found} but must render uint8 [H, W, 3]; make it with render_mode='rgb_array', if "
            f"it has that mode, or {instead}."
        )
    return frame


def _rendered(env: gymnasium.Env[Any, Any]) -> Any:
    try:
        return env.render()
    except NotImplementedError:
        return None
