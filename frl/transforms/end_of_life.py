"""Lives lost within an episode."""

from dataclasses import dataclass
from typing import Any, SupportsFloat, cast

import gymnasium
import numpy as np
import torch
from gymnasium import spaces

from frl.envs import Env, GymWrapper
from frl.envs.vector import Vector
from frl.specs import Binary, Categorical, Composite
from frl.tensordict import Key, TensorDict
from frl.transforms.base import State, Transform, blank, entry, remembered
from frl.transforms.entries import entry_spec, set_spec
from frl.transforms.inner import GymEnvironment, wrapped


@dataclass(frozen=True, eq=False, repr=False)
class EndOfLifeTransform(Transform):
    """Whether a life was lost in this step, or the episode ended, in `eol_key` [*B, 1].

    No value is bootstrapped over it (Mnih et al. 2015), while the episode goes on: it is what a loss takes for the end.

    Args: lives_key: the observation [*B] or [*B, 1] that counts the lives. eol_attribute: where it is found in each of
        Gymnasium's environments that do not observe it, a number or a method; it is then shown under `lives_key`.
    Raises: KeyError if there is neither.

    >>> lives = torch.tensor([[3], [3], [2]])
    >>> after = {"lives": torch.tensor([[3], [2], [2]]), "done": torch.tensor([[False], [False], [True]])}
    >>> td = EndOfLifeTransform()(TensorDict({"lives": lives, "next": after}, [3]))
    >>> td["next", "end-of-life"].flatten().tolist()
    [False, True, True]
    """

    eol_key: Key = "end-of-life"
    lives_key: Key = "lives"
    eol_attribute: str = "unwrapped.ale.lives"

    def around(self, env: Env) -> Env:
        """The environment that shows its lives."""
        if not isinstance(env, GymWrapper) or self.lives_key in env.single_observation_spec:
            return env
        shell = wrapped("EndOfLifeTransform", env, lambda inner: _Lives(inner, str(self.lives_key), self.eol_attribute))
        vector = cast(Vector, shell.vector_env)
        if any(_found(inner.env, self.eol_attribute) is None for inner in cast("list[_Lives]", vector.envs)):
            return env
        categorical = isinstance(env.single_action_spec, Categorical)
        shown = GymWrapper(vector if env.batch_size else vector.envs[0], categorical, env.device)
        shown.max_steps, shown._key = env.max_steps, env._key
        return shown

    def reset(self, td: TensorDict, state: State) -> tuple[TensorDict, State]:
        """None is lost yet."""
        lives = _column(entry(self, td, self.lives_key), td)
        return td.set(self.eol_key, blank(td, torch.bool)), TensorDict({"lives": lives}, td.batch_size)

    def step(self, td: TensorDict, after: TensorDict, state: State) -> tuple[TensorDict, State]:
        """Whether there are fewer than before."""
        lives = _column(entry(self, after, self.lives_key), after)
        lost = (lives < remembered(self, state)["lives"]) | after["done"]
        return after.set(self.eol_key, lost), TensorDict({"lives": lives}, td.batch_size)

    def observation_spec(self, spec: Composite) -> Composite:
        """With the flag."""
        entry_spec(self, spec, self.lives_key)
        return set_spec(spec, self.eol_key, Binary(1, dtype=torch.bool))

    @property
    def bookkeeping(self) -> tuple[Key, ...]:
        """The flag."""
        return (self.eol_key,)

    def _shown(self) -> str:
        return f"eol_key={self.eol_key!r}, lives_key={self.lives_key!r}"


def _column(lives: torch.Tensor, td: TensorDict) -> torch.Tensor:
    return lives.reshape(*td.batch_size, 1)


class _Lives(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Gymnasium's environment with its lives among the observations."""

    def __init__(self, env: GymEnvironment, key: str, attribute: str):
        super().__init__(env)
        seen = env.observation_space
        entries = dict(seen.spaces) if isinstance(seen, spaces.Dict) else {"observation": seen}
        self.observation_space = spaces.Dict({**entries, key: spaces.Box(0, 2**31 - 1, (1,), np.int64)})
        self.key, self.attribute = key, attribute

    def _seen(self, observation: Any) -> dict[str, Any]:
        entries = observation if isinstance(observation, dict) else {"observation": observation}
        return {**entries, self.key: np.array([_found(self.env, self.attribute)], np.int64)}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        observation, info = self.env.reset(seed=seed, options=options)
        return self._seen(observation), info

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._seen(observation), reward, terminated, truncated, info


def _found(env: Any, attribute: str) -> Any:
    """The number of lives, or None where there is no such attribute."""
    value = env
    for name in attribute.split("."):
        value = getattr(value, name, None)
    return value() if callable(value) else value
