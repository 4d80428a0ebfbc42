"""Gymnasium's environments: a shell around one, or around a vector of them, with the semantics of every other."""

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from torch import Tensor

from frl import random
from frl.envs.pixels import FrameSkip, Pixels, require_image
from frl.envs.shell import ENDED, Shell, names, put
from frl.envs.spaces import single_precision, to_action_spec, to_observation_spec
from frl.envs.vector import Vector
from frl.specs import Composite, MultiOneHot, OneHot
from frl.tensordict import TensorDict

_Numbers = np.ndarray[Any, Any]
_CPU = torch.device("cpu")
_FLAGS = ("done", "terminated", "truncated")


class _Array(NamedTuple):
    """What an array becomes: its shape with the batch axes, and its dtype."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class _Layout(NamedTuple):
    """What a node is made of, without a check: its keys, sorted, and the event rank of each."""

    keys: tuple[str, ...]
    events: tuple[int, ...]


_Arrays = dict[str, "_Array | _Arrays"]


class GymWrapper(Shell):
    """A `gymnasium.Env` as an environment of batch size [], or a `gymnasium.vector.VectorEnv` of n as one of [n].

    Unlike a pure environment it is a shell: it stands somewhere, and holds a key that `seed` sets and that it uses
    wherever none is given. A key seeds Gymnasium's generators at a full reset; everything after it is drawn from them,
    so that equal keys and actions give equal trajectories.

    Numbers in float64 become float32, rewards too; a discrete observation is an integer. Arrays are copied, for
    Gymnasium writes into its own again.

    Args: gym_env: a vector must be built with `autoreset_mode=gymnasium.vector.AutoresetMode.DISABLED`.
        categorical_actions: a discrete action is an integer [*B], not a one-hot [*B, n]; a multi-discrete one [*B, k],
        not k one-hot vectors one after the other. device: where the tensors go, cpu by default. seed: of the first key.
    Raises: ValueError for a vector that resets itself; TypeError for a space without a spec. A step raises ValueError
        for a NaN reward or an observation of the wrong shape, RuntimeError before a reset, after an end and after
        `close`.

    >>> env = GymWrapper(gymnasium.make("Pendulum-v1", g=9.81))
    >>> td = env.rollout(10)
    >>> td["action"].shape, td["next", "reward"].shape
    (torch.Size([10, 1]), torch.Size([10, 1]))
    """

    state_keys = ()
    keyed_steps = False

    def __init__(
        self,
        gym_env: gymnasium.Env[Any, Any] | VectorEnv[Any, Any, Any],
        categorical_actions: bool = False,
        device: torch.device | str | None = None,
        seed: int = 0,
    ):
        if not isinstance(gym_env, (gymnasium.Env, VectorEnv)):
            raise TypeError(
                f"{type(self).__name__}: gym_env is a {type(gym_env).__name__} but must be a gymnasium.Env or a "
                "VectorEnv; for an environment by its name use GymEnv."
            )
        vector = gym_env if isinstance(gym_env, VectorEnv) else Vector([lambda: gym_env])
        mode = vector.metadata.get("autoreset_mode")
        if mode != AutoresetMode.DISABLED:
            raise ValueError(
                f"{type(self).__name__}: {vector} resets itself ({mode}), which hides the true successor; build it "
                "with autoreset_mode=gymnasium.vector.AutoresetMode.DISABLED."
            )
        self.vector_env = vector
        self.batch_size = torch.Size([vector.num_envs] if isinstance(gym_env, VectorEnv) else [])
        self.device = _CPU if device is None else torch.device(device)
        self.max_steps = gym_env.spec.max_episode_steps if gym_env.spec else None
        observation = to_observation_spec(single_precision(vector.single_observation_space))
        action = to_action_spec(single_precision(vector.single_action_space), categorical_actions)
        self.single_observation_spec, self.single_action_spec = observation.to(self.device), action.to(self.device)
        self._name = gym_env.spec.id if gym_env.spec else type(gym_env.unwrapped).__name__
        self._arrays = _arrays(observation, tuple(self.batch_size))
        self._reward, self._flag = (_Array((*self.batch_size, 1), np.dtype(kind)) for kind in (np.float32, np.bool_))
        self._actions = _Array(vector.action_space.shape or (), np.dtype(vector.action_space.dtype))
        self._at_reset, self._at_step = _layout(observation, _FLAGS), _layout(observation, (*_FLAGS, "reward"))
        self._ended = np.zeros(vector.num_envs, np.bool_)
        self.set_seed(seed)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(env={self._name}, batch_size={self.batch_size}, device={self.device})"

    def _release(self) -> None:
        self.vector_env.close()

    # ---- reset and step

    def reset(self, key: Tensor | None = None) -> TensorDict:
        """The beginning of an episode in every environment: {observation, done, terminated, truncated} [*B].

        Args: key: [2], which seeds Gymnasium's generators, or one for each environment, [n, 2]; by default the
            environment's own.

        >>> with GymEnv("CartPole-v1", num_envs=3) as env:
        ...     print(env.reset()["observation"].shape)
        torch.Size([3, 4])
        """
        self._require_open()
        seed = random.bits((), self.split_key(None, 1)[0] if key is None else key)
        if seed.shape not in ((), self.batch_size):
            raise ValueError(
                f"{self}: key= has shape {[*seed.shape, 2]} but must have [2], or {[*self.batch_size, 2]} with one key "
                "for each environment."
            )
        seeds: Any = seed.tolist()
        return self._begin(self.vector_env.reset(seed=seeds)[0])

    def step(self, td: TensorDict, key: Tensor | None = None) -> TensorDict:
        """`td` with "next": {observation, reward, done, terminated, truncated}. It needs no key.

        >>> with GymEnv("Pendulum-v1") as env:
        ...     td = env.step(env.reset().set("action", torch.zeros(1)))
        >>> td["next", "reward"].shape
        torch.Size([1])
        """
        return self._advance(td)[0]

    def step_and_reset(self, td: TensorDict, key: Tensor | None = None) -> tuple[TensorDict, TensorDict]:
        """What `step` returns, and where the environments stand after it: afresh where they are done. It needs no key.

        >>> with GymEnv("CartPole-v1", num_envs=2) as env:
        ...     td, following = env.step_and_reset(env.rand_action(env.reset()))
        >>> "reward" in following, bool((following["observation"] == td["next", "observation"]).all())
        (False, True)
        """
        td, entries = self._advance(td)
        if self._refusal is None:
            return td, self._node(entries, self._at_reset)
        return td, self._begin(self.reset_ended_arrays())

    def restart(self, td: TensorDict, key: Tensor | None = None) -> TensorDict:
        """The beginning of an episode where `td` is done, and the last observation elsewhere. It needs no key."""
        mask = td["done"].reshape(-1).numpy(force=True)
        return self._begin(self.vector_env.reset(options={"reset_mask": mask})[0])

    def _advance(self, td: TensorDict) -> tuple[TensorDict, dict[str, Any]]:
        observation, reward, ended, terminated, truncated = self.step_arrays(self._action(td).numpy(force=True))
        entries = self._observed(observation)
        entries["reward"] = self._tensor(reward, self._reward)
        entries["done"] = self._tensor(ended, self._flag)
        entries["terminated"] = self._tensor(terminated, self._flag)
        entries["truncated"] = self._tensor(truncated, self._flag)
        return put(td, "next", self._node(entries, self._at_step), 0), entries

    def step_arrays(self, action: _Numbers) -> tuple[Any, _Numbers, _Numbers, _Numbers, _Numbers]:
        """A step without tensors: the observation, the reward, and the flags done, terminated and truncated, [n, ...].

        Args: action: as the spec says, in memory that may be written again.
        """
        if self._refusal is not None:
            self._refuse()
        observation, reward, terminated, truncated, _ = self.vector_env.step(self._action_array(action))
        if math.isnan(reward.dot(reward)):  # a sum of squares: infinite rewards do not cancel to NaN
            self._require_numbers(reward)
        ended = terminated | truncated
        if np.count_nonzero(ended):
            self._ended, self._refusal = ended, ENDED
        return observation, reward, ended, terminated, truncated

    def reset_ended_arrays(self) -> Any:
        """A reset of the environments that have ended: the observation, [n, ...]."""
        # Gymnasium keeps the last observation of those that are not reset, and none of them is done.
        observation, _ = self.vector_env.reset(options={"reset_mask": self._ended.copy()})
        self._refusal, self._ended = None, np.zeros_like(self._ended)
        return observation

    def _begin(self, observation: Any) -> TensorDict:
        self._refusal, self._ended = None, np.zeros_like(self._ended)
        entries = self._observed(observation)
        for flag in _FLAGS:
            entries[flag] = self._tensor(self._ended, self._flag)
        return self._node(entries, self._at_reset)

    def render(self) -> Tensor:
        """What Gymnasium's renderers show of where the environments stand, [*B, H, W, 3] uint8.

        Raises: ValueError unless the environments were made with render_mode="rgb_array".

        >>> with GymWrapper(gymnasium.make("CartPole-v1", render_mode="rgb_array")) as env:
        ...     _ = env.reset()
        ...     env.render().shape
        torch.Size([400, 600, 3])
        """
        self._require_open()
        vector = self.vector_env
        shown: Any = vector.render() if vector.render_mode == "rgb_array" else [None]
        frames = np.stack([require_image("render", self, frame) for frame in shown])
        return self._tensor(frames, _Array((*self.batch_size, *frames.shape[1:]), np.dtype(np.uint8)))

    # ---- between arrays and tensors

    def _action_array(self, array: _Numbers) -> _Numbers:
        spec = self.single_action_spec
        if isinstance(spec, MultiOneHot):
            array = spec.to_index(torch.as_tensor(array)).numpy()
        if isinstance(spec, OneHot):
            array = array.argmax(-1)
        return array.astype(self._actions.dtype).reshape(self._actions.shape)

    def _observed(self, observation: Any) -> dict[str, Any]:
        return self._converted(_entries(observation), self._arrays)

    def _converted(self, entries: Mapping[str, Any], arrays: _Arrays) -> dict[str, Any]:
        return {
            key: self._tensor(entries[key], array)
            if isinstance(array, _Array)
            else TensorDict(self._converted(entries[key], array), self.batch_size, self.device)
            for key, array in arrays.items()
        }

    def _tensor(self, array: _Numbers, to: _Array) -> Tensor:
        """A tensor of its own memory."""
        tensor = torch.from_numpy(array.astype(to.dtype).reshape(to.shape))
        return tensor if self.device is _CPU else tensor.to(self.device)

    def _node(self, entries: Mapping[str, Any], layout: _Layout) -> TensorDict:
        return TensorDict._make({key: entries[key] for key in layout.keys}, layout.events, None, self.device)

    # ---- what went wrong

    def _require_numbers(self, reward: _Numbers) -> None:
        wrong = np.isnan(reward)
        if wrong.any():
            raise ValueError(
                f'{self}: "reward" of {names(wrong)} is {reward[wrong][0]} but must be a number; mend the '
                "environment, or replace NaN in a gymnasium.RewardWrapper."
            )


class GymEnv(GymWrapper):
    """Gymnasium's environment of this name, or `num_envs` of them with batch size [num_envs]; see `GymWrapper`.

    For an environment with arguments of its own: `GymWrapper(gymnasium.make(name, ...))`.

    Args: from_pixels: "pixels", uint8 [H, W, 3], is what Gymnasium's renderer shows; it takes the place of all other
        observations, unless `pixels_only` is False. frame_skip: each action is taken so many times, and the rewards
        summed, until an episode ends; only the last frame is observed.
    Raises: ValueError for an unknown name, with the closest ones, for one that renders no pixels, and if `frame_skip`
        is below 1.

    >>> env = GymEnv("Pendulum-v1")
    >>> env
    GymEnv(env=Pendulum-v1, batch_size=torch.Size([]), device=cpu)
    >>> env.rand_step(env.reset())["next", "reward"].shape
    torch.Size([1])
    >>> list(GymEnv("Pendulum-v1", frame_skip=3, from_pixels=True, pixels_only=False).observation_spec)
    ['observation', 'pixels']
    """

    def __init__(
        self,
        name: str,
        num_envs: int | None = None,
        categorical_actions: bool = False,
        device: torch.device | str | None = None,
        seed: int = 0,
        from_pixels: bool = False,
        pixels_only: bool = True,
        frame_skip: int | None = None,
    ):
        if name not in gymnasium.registry and ":" not in name:
            close = difflib.get_close_matches(name, gymnasium.registry) or "none"
            raise ValueError(f"GymEnv: Gymnasium has no environment {name!r}; the closest are {close}.")

        def make() -> gymnasium.Env[Any, Any]:
            made = gymnasium.make(name, render_mode="rgb_array" if from_pixels else None, disable_env_checker=True)
            made = made if frame_skip is None else FrameSkip(made, frame_skip)
            return Pixels(made, pixels_only) if from_pixels else made

        self._made = (name, num_envs, categorical_actions, device, seed, from_pixels, pixels_only, frame_skip)
        super().__init__(make() if num_envs is None else Vector([make] * num_envs), categorical_actions, device, seed)
        if frame_skip is not None and self.max_steps is not None:
            self.max_steps = math.ceil(self.max_steps / frame_skip)

    def __reduce__(self) -> Any:
        return type(self), self._made


def _arrays(spec: Composite, batch: tuple[int, ...]) -> _Arrays:
    return {
        key: _arrays(inner, batch)
        if isinstance(inner, Composite)
        else _Array((*batch, *inner.shape), np.dtype(str(inner.dtype).removeprefix("torch.")))
        for key, inner in spec.items()
    }


def _layout(observation: Composite, scalars: Sequence[str]) -> _Layout:
    ranks = {key: 0 if isinstance(spec, Composite) else len(spec.shape) for key, spec in observation.items()}
    ranks |= dict.fromkeys(scalars, 1)
    return _Layout(tuple(sorted(ranks)), tuple(ranks[key] for key in sorted(ranks)))


def _entries(observation: Any) -> dict[str, Any]:
    return observation if isinstance(observation, dict) else {"observation": observation}
