"""Environments that are another with a changed reset or step: what transforms put around the base environment."""

from collections.abc import Callable
from typing import Any

import gymnasium
from torch import Tensor

from frl.envs import Env, GymWrapper
from frl.envs.vector import Vector
from frl.tensordict import TensorDict

GymEnvironment = gymnasium.Env[Any, Any]


class Inner(Env):
    """A pure environment that forwards all to `env`; a subclass changes its reset or its step.

    >>> from frl.envs import make
    >>> Inner(make("Pendulum-v1", 2)).batch_size
    torch.Size([2])
    """

    def __init__(self, env: Env):
        self.env = env
        self.batch_size, self.device, self.max_steps, self.pure = env.batch_size, env.device, env.max_steps, env.pure
        self.single_observation_spec, self.single_action_spec = env.single_observation_spec, env.single_action_spec
        self.keyed_steps = env.keyed_steps
        self.reward_dtype, self.state_keys, self.rows_apart = env.reward_dtype, env.state_keys, env.rows_apart

    def reset(self, key: Tensor | None = None) -> TensorDict:
        """That of `env`."""
        return self.env.reset(key)

    def step(self, td: TensorDict, key: Tensor | None = None) -> TensorDict:
        """That of `env`."""
        return self.env.step(td, key)

    def split_key(self, key: Tensor | None, num: int) -> Tensor:
        """That of `env`."""
        return self.env.split_key(key, num)

    def close(self) -> None:
        """Closes `env`."""
        self.env.close()


def wrapped(transform: str, env: GymWrapper, wrap: Callable[[GymEnvironment], GymEnvironment]) -> GymWrapper:
    """`env` with a Gymnasium wrapper around each of its environments; the environments themselves are the same.

    Raises: TypeError for a vector whose environments live elsewhere.

    >>> from frl.envs import GymEnv
    >>> wrapped("NoopResetEnv", GymEnv("Pendulum-v1"), gymnasium.Wrapper)
    GymEnv(env=Pendulum-v1, batch_size=torch.Size([]), device=cpu)
    """
    if not isinstance(env.vector_env, Vector):
        raise TypeError(
            f"{transform}: {env} steps a {type(env.vector_env).__name__}, whose environments cannot be reached; wrap "
            "each of them by a gymnasium wrapper before they become a vector."
        )
    vector = Vector([lambda inner=inner: wrap(inner) for inner in env.vector_env.envs])
    return env._altered({"vector_env": vector})


def around(
    transform: str, env: Env, pure: Callable[[Env], Env], wrap: Callable[[GymEnvironment], GymEnvironment]
) -> Env:
    """`env` changed: by `pure` if it is pure, and by `wrap` of each of Gymnasium's environments if it steps those.

    Raises: TypeError for another kind of environment.

    >>> from frl.envs import make
    >>> around("NoopResetEnv", make("Pendulum-v1"), Inner, gymnasium.Wrapper).pure
    True
    """
    if env.pure:
        return pure(env)
    if isinstance(env, GymWrapper):
        return wrapped(transform, env, wrap)
    raise TypeError(
        f"{transform}: {env} is neither pure nor a GymWrapper; put the transform around each environment inside of it."
    )
