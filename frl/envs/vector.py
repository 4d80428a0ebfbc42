"""Several Gymnasium environments as one, stepped in turn."""

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

Array = np.ndarray[Any, Any]


class Vector(VectorEnv[Any, Any, Any]):
    """`gymnasium.vector.SyncVectorEnv` without autoreset and infos, at about half of its own cost.

    It names the environment whose observation has another shape or dtype than its space. Integers never come of
    floats; floats of another precision are converted.

    Args: makers: functions that make one environment each, all with the same spaces.

    >>> vector = Vector([lambda: gymnasium.make("CartPole-v1")] * 2)
    >>> observation, _ = vector.reset(seed=0)
    >>> again, _ = vector.reset(seed=7, options={"reset_mask": np.array([False, True])})
    >>> observation.shape, (observation == again).all(-1).tolist()
    ((2, 4), [True, False])
    """

    def __init__(self, makers: Sequence[Callable[[], gymnasium.Env[Any, Any]]]):
        self.envs = [make() for make in makers]
        first = self.envs[0]
        self.num_envs, self.spec, self.render_mode = len(self.envs), first.spec, first.render_mode
        self.metadata = {**first.metadata, "autoreset_mode": AutoresetMode.DISABLED}
        self.single_observation_space, self.single_action_space = first.observation_space, first.action_space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._latest: list[Any] = [None] * self.num_envs

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Resets all, or those that `options["reset_mask"]` [n] names; environment i is seeded with `seed + i`.

        Args: seed: an integer, or a list with one for each environment.

        Returns: the observations of all [n, ...] and an empty info.
        """
        given = seed if isinstance(seed, list) else [None if seed is None else seed + i for i in range(self.num_envs)]
        which: Any = range(self.num_envs) if options is None else np.flatnonzero(options["reset_mask"]).tolist()
        for i in which:
            self._latest[i], _ = self.envs[i].reset(seed=given[i])
        return _batched("observation", self.single_observation_space, self._latest), {}

    def step(self, actions: Any) -> tuple[Any, Array, Array, Array, dict[str, Any]]:
        """Observations [n, ...], rewards [n] float64, and the flags terminated and truncated [n], all new arrays."""
        rewards, terminated, truncated = [], [], []
        latest = self._latest
        for i, env in enumerate(self.envs):
            latest[i], reward, end, cut, _ = env.step(actions[i])
            rewards.append(reward)
            terminated.append(end)
            truncated.append(cut)
        return (
            _batched("observation", self.single_observation_space, latest),
            np.array(rewards, np.float64),
            np.array(terminated, np.bool_),
            np.array(truncated, np.bool_),
            {},
        )

    def render(self) -> tuple[Any, ...]:
        """What the renderer of each environment shows now."""
        return tuple(env.render() for env in self.envs)

    def close_extras(self) -> None:  # type: ignore[override]
        """Closes every environment."""
        for env in self.envs:
            env.close()


def _batched(name: str, space: spaces.Space[Any], values: list[Any]) -> Any:
    if isinstance(space, spaces.Dict):
        _require_keys(name, space, values)
        return {key: _batched(key, inner, [value[key] for value in values]) for key, inner in space.items()}
    try:
        array = np.array(values)
    except ValueError:
        array = np.empty(0)
    if array.shape != (len(values), *(space.shape or ())):
        i = next(i for i, value in enumerate(values) if np.shape(value) != space.shape)
        raise ValueError(
            f"environment {i}: {name!r} has shape {list(np.shape(values[i]))} but observation_space says "
            f"{list(space.shape or ())}; mend the environment or its observation_space."
        )
    if array.dtype == space.dtype or np.can_cast(array.dtype, np.dtype(space.dtype), "same_kind"):
        return array
    raise TypeError(
        f"environment 0: {name!r} is {array.dtype} but observation_space says {space.dtype}; mend the environment or "
        "its observation_space."
    )


def _require_keys(name: str, space: spaces.Dict, values: list[Any]) -> None:
    for i, value in enumerate(values):
        if value.keys() != space.keys():
            raise ValueError(
                f"environment {i}: {name!r} has the keys {sorted(value)} but observation_space says {sorted(space)}; "
                "mend the environment or its observation_space."
            )
