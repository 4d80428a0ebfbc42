"""A function that makes an environment, held to its word."""

import copy
from collections.abc import Callable, Sequence
from typing import Any, cast

from frl.envs.base import Env


class EnvCreator:
    """A function that makes an environment, as a value that can be called, kept and handed to another process.

    What is sent to a process that was not forked from this one must be found there by its name: a function of a module
    or a `functools.partial` of one, not a lambda.

    Raises: TypeError if it is no function and, when called, if what it makes is no environment of frl.

    >>> from frl.envs import GymEnv
    >>> create = EnvCreator(lambda: GymEnv("Pendulum-v1"))
    >>> create(), create() is create()
    (GymEnv(env=Pendulum-v1, batch_size=torch.Size([]), device=cpu), False)
    """

    def __init__(self, create_env_fn: Callable[[], Env]):
        if not callable(create_env_fn):
            raise TypeError(
                f"EnvCreator: create_env_fn is a {type(create_env_fn).__name__} but must be a function that makes an "
                'environment, as functools.partial(GymEnv, "CartPole-v1").'
            )
        self.create_env_fn = create_env_fn.create_env_fn if isinstance(create_env_fn, EnvCreator) else create_env_fn

    def __call__(self) -> Env:
        """Another environment."""
        env: Any = self.create_env_fn()
        if not isinstance(env, Env):
            raise TypeError(
                f"EnvCreator: {self.create_env_fn} returned a {type(env).__name__} but must return an environment of "
                "frl; one of Gymnasium becomes one by GymWrapper(env)."
            )
        return env

    def __repr__(self) -> str:
        return f"EnvCreator({self.create_env_fn})"


def creators(owner: str, num_workers: int, create_env_fn: Any) -> tuple[EnvCreator, ...]:
    """One function for each worker, from one for all or from a list.

    Raises: ValueError if there are fewer workers than one, or not as many functions as workers; TypeError as above.

    >>> len(creators("SerialEnv", 3, dict))
    3
    """
    if not isinstance(num_workers, int) or num_workers < 1:
        raise ValueError(f"{owner}: num_workers is {num_workers!r} but must be an integer and at least 1.")
    if not isinstance(create_env_fn, Sequence):
        return (EnvCreator(create_env_fn),) * num_workers
    if len(create_env_fn) != num_workers:
        raise ValueError(
            f"{owner}: create_env_fn has {len(create_env_fn)} functions but num_workers is {num_workers}; give one for "
            "each worker, or a single one for all."
        )
    return tuple(EnvCreator(create) for create in create_env_fn)


class Another:
    """A function that makes an environment like this one, which stays as it is; sent elsewhere, it is made there.

    >>> from frl.envs import GymEnv
    >>> env = GymEnv("Pendulum-v1")
    >>> made = Another("Collector", env)()
    >>> made, made is env
    (GymEnv(env=Pendulum-v1, batch_size=torch.Size([]), device=cpu), False)
    """

    def __init__(self, owner: str, env: Env):
        self._owner, self._env = owner, env

    def __call__(self) -> Env:
        """Another one; TypeError if it cannot be copied."""
        if self._env.pure:
            return self._env
        try:
            return copy.deepcopy(self._env)
        except Exception as error:
            raise TypeError(
                f"{self._owner}: {self._env} cannot be made once more ({error}); give a function that makes it, as "
                'functools.partial(GymEnv, "CartPole-v1").'
            ) from error

    def __reduce__(self) -> Any:
        return _Itself, (self._env,)


class _Itself:
    def __init__(self, env: Env):
        self._env = env

    def __call__(self) -> Env:
        return self._env


def another(owner: str, env: Any) -> EnvCreator:
    """A function that makes environments: `env` if it is one, or one that makes others like the environment `env`.

    Raises: TypeError if it is neither.

    >>> from frl.envs import make
    >>> another("Collector", make("Pendulum-v1"))()
    FunctionalEnv(env=Pendulum, batch_size=torch.Size([]), max_steps=200)
    """
    if isinstance(env, Env):
        return EnvCreator(Another(owner, env))
    if not callable(env):
        raise TypeError(
            f"{owner}: an environment is a {type(env).__name__} but must be an environment of frl or a function that "
            'makes one, as functools.partial(GymEnv, "CartPole-v1"); one of Gymnasium becomes one by GymWrapper(env).'
        )
    return EnvCreator(cast(Callable[[], Env], env))
