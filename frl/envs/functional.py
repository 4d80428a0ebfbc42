"""Environments from pure functions: the adapter over Gymnasium's functional interface."""

from collections.abc import Sequence
from typing import Any, NoReturn

import torch
from gymnasium.experimental.functional import FuncEnv
from torch import Tensor
from typing_extensions import Self

from frl import check, control, random, tree
from frl.envs.base import Env
from frl.envs.spaces import to_action_spec, to_observation_spec
from frl.specs import Categorical, MultiCategorical, MultiOneHot, OneHot
from frl.tensordict import TensorDict

_CHOICES = (Categorical, MultiCategorical, MultiOneHot, OneHot)


class FunctionalEnv(Env):
    """An environment from a Gymnasium `FuncEnv` whose methods are pure torch functions. Immutable.

    The author's methods work on batches. `rng` is one key for each environment, [*B, 2], another one for each method; a
    state is a tensor [*B, ...] or any pytree of such; a discrete action is an index [*B], a multi-discrete one [*B, k];
    a reward [*B] is floating point, a terminal flag [*B] boolean. `params` is any pytree, handed to every method. One
    method more, `draw(state, params, size)`, makes pictures; see `FunctionalEnv.draw`. `metadata["render_fps"]`, where
    there is one, says how many states a video shows in a second.

    To what every environment shows, a reset and a step add "state" (the author's; a pytree as a nested TensorDict) and
    "step_count" [*B, 1], int64. All tensors are made on the device of the key.

    Args: func_env: the author's environment. batch_size: [*B]. max_steps: the time limit, or None. params: by default
        `func_env.default_params`. categorical_actions: a discrete action is an integer [*B], not a one-hot [*B, n]; a
        multi-discrete one [*B, k], not k one-hot vectors one after the other.
    Raises: ValueError or TypeError at construction if one of the author's methods returns another shape or dtype.
    Source: https://gymnasium.farama.org/api/functional/.

    >>> from frl.envs.classic import CartPole
    >>> env = FunctionalEnv(CartPole(), batch_size=[3], max_steps=500)
    >>> env
    FunctionalEnv(env=CartPole, batch_size=torch.Size([3]), max_steps=500)
    >>> env.reset(random.key(0))["state"].shape
    torch.Size([3, 4])
    """

    pure = True
    device = None
    func_env: FuncEnv[Any, Any, Any, Any, Any, Any, Any]
    params: Any
    _structure: tree.TreeSpec  # of the author's state
    _names: tuple[str, ...] | None  # of its leaves, None where the state is itself a tensor or a TensorDict

    def __init__(
        self,
        func_env: FuncEnv[Any, Any, Any, Any, Any, Any, Any],
        batch_size: Sequence[int] | int = (),
        max_steps: int | None = None,
        params: Any = None,
        categorical_actions: bool = False,
    ):
        if max_steps is not None:
            check.at_least("FunctionalEnv", {"max_steps": max_steps}, 1)
        batch = torch.Size([batch_size] if isinstance(batch_size, int) else batch_size)
        params = func_env.default_params if params is None else params
        state = func_env.initial(random.split(random.key(0), batch.numel()).reshape(*batch, 2), params)
        pytree = not isinstance(state, (Tensor, TensorDict))
        self._assign(
            {
                "func_env": func_env,
                "batch_size": batch,
                "max_steps": max_steps,
                "params": params,
                "single_observation_spec": to_observation_spec(func_env.observation_space),
                "single_action_spec": to_action_spec(func_env.action_space, categorical_actions),
                "_structure": tree.flatten(state)[1],
                "_names": tuple(name for name, _ in tree.named_leaves(state)) if pytree else None,
            }
        )
        self._assign({"reward_dtype": _trial(self)["next", "reward"].dtype})

    def with_params(self, params: Any) -> Self:
        """The same environment with other physics; `params` may be traced, so that physics can be vmapped.

        >>> from frl.envs import make
        >>> env = make("Pendulum-v1", batch_size=[2])
        >>> def total_reward(gravity, key):
        ...     heavier = env.with_params(env.params._replace(gravity=gravity))
        ...     return heavier.rollout(3, key=key)["next", "reward"].sum()
        >>> torch.vmap(total_reward, (0, None))(torch.tensor([1.0, 9.8]), random.key(0)).shape
        torch.Size([2])
        """
        return self._altered({"params": params})

    def _assign(self, fields: dict[str, Any]) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise TypeError(f"FunctionalEnv is immutable: .{name} cannot be assigned; build a new one, or env.with_params.")

    def __repr__(self) -> str:
        name = type(self.func_env).__name__
        return f"FunctionalEnv(env={name}, batch_size={self.batch_size}, max_steps={self.max_steps})"

    # ---- reset and step

    def reset(self, key: Tensor | None = None) -> TensorDict:
        """The beginning of an episode in every environment.

        Args: key: [2].
        Returns: {observation, state, step_count, done, terminated, truncated}.
        Raises: TypeError without a key.

        >>> from frl.envs import make
        >>> make("CartPole-v1").reset(random.key(0))["observation"].shape
        torch.Size([4])
        """
        k_initial, k_observation = self._row_keys(key, 2)
        state = self.func_env.initial(k_initial, self.params)
        never = torch.zeros((*self.batch_size, 1), dtype=torch.bool, device=k_initial.device)
        flags = {"done": never, "terminated": never.clone(), "truncated": never.clone()}
        count = torch.zeros_like(never, dtype=torch.int64)
        return TensorDict({**self._seen(state, k_observation), **flags, "step_count": count}, self.batch_size)

    def step(self, td: TensorDict, key: Tensor | None = None) -> TensorDict:
        """`td` with "next": {observation, state, step_count, reward, done, terminated, truncated}.

        Args: td: [*B] with "action", "state" and "step_count". key: [2].
        Raises: ValueError that names the key which is missing or has the wrong shape; TypeError for its dtype, and
            without a key.

        >>> from frl.envs import make
        >>> env = make("CartPole-v1")
        >>> td = env.reset(random.key(0)).set("action", torch.tensor([0, 1]))
        >>> env.step(td, random.key(1))["next", "reward"]
        tensor([1.])
        """
        author, params = self.func_env, self.params
        action, before = self._index(self._action(td)), self._state(td)
        k_transition, k_observation, k_reward, k_terminal = self._row_keys(key, 4)
        after = author.transition(before, action, k_transition, params)
        terminated = author.terminal(after, k_terminal, params).unsqueeze(-1)
        count = self._entry(td, "step_count") + 1
        truncated = torch.zeros_like(terminated) if self.max_steps is None else count >= self.max_steps
        following = {
            **self._seen(after, k_observation),
            "step_count": count,
            "reward": author.reward(before, action, after, k_reward, params).unsqueeze(-1),
            "done": torch.logical_or(terminated, truncated),
            "terminated": terminated,
            "truncated": truncated,
        }
        return td.set("next", TensorDict(following, self.batch_size))

    def draw(self, td: TensorDict, size: tuple[int, int] | None = None) -> Tensor:
        """Pictures of the states in `td`, as the author's `draw(state, params, size)` draws them; a pure function.

        Args: td: [*B], or a trajectory [*B, T], with "state". size: (H, W) in pixels, the author's choice by default.
        Returns: [*B, H, W, 3] or [*B, T, H, W, 3], uint8: red, green and blue.
        Raises: NotImplementedError if the author draws nothing; ValueError without "state", for a size below 1 and for
            pixels of another shape or dtype.

        >>> from frl.envs import make
        >>> env = make("CartPole-v1", batch_size=[2])
        >>> env.draw(env.rollout(3, key=random.key(0)), size=(40, 60)).shape
        torch.Size([2, 3, 40, 60, 3])
        """
        if not hasattr(self.func_env, "draw"):
            raise NotImplementedError(
                f"{self}: {type(self.func_env).__name__} has no method draw; write draw(state, params, size), which "
                "returns uint8 pixels [*B, H, W, 3], from the shapes in frl.envs.drawing."
            )
        self._entry(td, "state")
        rank = len(self.batch_size)
        batch, times = td.batch_size[:rank], td.batch_size[rank:]
        if not times:
            return self._picture(td, size)
        # Time goes in front, so that physics [*B] meet the axes that they belong to; one step is drawn after the other,
        # for a picture takes many times its own memory while it is drawn.
        axes = range(rank, rank + len(times))
        steps = td.select("state").permute(*axes, *range(rank)).reshape(-1, *batch)
        none = torch.zeros((), device=tree.leaves(steps)[0].device)
        _, pixels = control.scan(lambda carry, step: (carry, self._picture(step, size)), none, steps)
        return pixels.unflatten(0, times).movedim(tuple(range(len(times))), tuple(axes))

    def _picture(self, td: TensorDict, size: tuple[int, int] | None) -> Tensor:
        pixels: Tensor = self.func_env.draw(self._state(td), self.params, size)  # type: ignore[attr-defined]
        if pixels.dtype != torch.uint8 or pixels.shape[:-3] != td.batch_size or pixels.shape[-1:] != (3,):
            raise ValueError(
                f"{type(self.func_env).__name__}.draw returned {pixels.dtype} {list(pixels.shape)} but must return "
                f"torch.uint8 {[*td.batch_size, 'H', 'W', 3]}."
            )
        return pixels

    def split_key(self, key: Tensor | None, num: int) -> Tensor:
        """`num` keys, [num, 2], from `key`; TypeError without one."""
        return random.split(self._require_key(key), num)

    def _require_key(self, key: Tensor | None) -> Tensor:
        if key is None:
            raise TypeError(
                f"{self}: key= must be a key, but got None; a pure environment has none of its own, so pass one, as "
                "frl.random.key(0), and another each time."
            )
        return key

    def _row_keys(self, key: Tensor | None, num: int) -> tuple[Tensor, ...]:
        """`num` keys [*B, 2] for every environment; those of one row do not depend on how many rows there are."""
        return random.rows(self._require_key(key), self.batch_size, num)

    # ---- between the author's values and the TensorDict's

    def _seen(self, state: Any, key: Tensor) -> dict[str, Any]:
        observation = self.func_env.observation(state, key, self.params)
        entries = dict(observation) if isinstance(observation, (dict, TensorDict)) else {"observation": observation}
        if self._names is not None:
            state = TensorDict(dict(zip(self._names, tree.leaves(state), strict=True)), self.batch_size)
        return {**entries, "state": state}

    def _entry(self, td: TensorDict, key: str) -> Any:
        if not isinstance(td, TensorDict) or key not in td:
            has = f"only {list(td.keys())}" if isinstance(td, TensorDict) else f"it is a {type(td).__name__}"
            raise ValueError(f"{self}: td has no {key!r}, {has}; begin with env.reset(key).")
        return td[key]

    def _state(self, td: TensorDict) -> Any:
        state = self._entry(td, "state")
        return state if self._names is None else tree.unflatten(self._structure, [state[name] for name in self._names])

    def _index(self, action: Tensor) -> Tensor:
        spec = self.single_action_spec
        return spec.to_index(action) if isinstance(spec, _CHOICES) else action


def _trial(env: FunctionalEnv) -> TensorDict:
    """One step; raises unless what the author's methods return has the shapes and dtypes that they promise."""
    batch, author = env.batch_size, type(env.func_env).__name__
    td = env.rand_step(env.reset(random.key(0)), random.key(1))
    for key, spec in env.single_observation_spec.items():
        value = td["next", key]
        if value.shape != batch + spec.shape or value.dtype != spec.dtype:
            raise ValueError(
                f"{author}.observation: {key!r} is {value.dtype} {list(value.shape)} but observation_space says "
                f"{spec.dtype} {[*batch, *spec.shape]}; all methods work on batches {list(batch)}."
            )
    for method, key in (("reward", "reward"), ("terminal", "terminated")):
        value = td["next", key]
        if value.shape != (*batch, 1) or value.is_floating_point() != (key == "reward"):
            raise ValueError(
                f"{author}.{method} returned {value.dtype} {list(value.shape[:-1])} but must return "
                f"{'floating point' if key == 'reward' else 'torch.bool'} {list(batch)}."
            )
    before, after = ({name: (x.shape, x.dtype) for name, x in tree.named_leaves(x["state"])} for x in (td, td["next"]))
    if before != after:
        raise ValueError(f"{author}.transition: the state changes from {before} to {after}; keep shapes and dtypes.")
    return td
