"""Domain randomisation: every episode has physics of its own."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol, cast

import torch
from torch import Tensor

from frl import check, random, tree
from frl.envs.base import Env
from frl.envs.task_family import Tasks
from frl.specs import Composite, Unbounded
from frl.tensordict import TensorDict


class Parametric(Protocol):
    """An environment with physics."""

    batch_size: torch.Size
    params: Any

    def with_params(self, params: Any) -> Env:
        """The same environment with other physics."""
        ...


def parametric(function: str, env: Any) -> Parametric:
    """`env`, or TypeError that names `function` if it is no pure environment with physics.

    >>> from frl.envs import make
    >>> parametric("few_shot", make("CartPole-v1")).params.gravity
    9.8
    """
    if not isinstance(env, Env) or not env.pure or not hasattr(env, "with_params") or not hasattr(env, "params"):
        raise TypeError(
            f"{function}: env is a {type(env).__name__} but must be a pure environment with physics, as make('CartPole"
            "-v1') or FunctionalEnv(author) is; Gymnasium's own have none that can be traced."
        )
    return cast(Parametric, env)


class RandomizedEnv(Env):
    """`env`, in which every reset draws the physics of its row anew: domain randomisation. Immutable and pure.

    The physics of an episode are part of the state, under "physics"; a policy does not see them, except for the entries
    that are `observed`. What has to be one task for all episodes is `env.with_params(tasks(key))` instead.

    Args: env: pure, with physics, and perhaps transforms. tasks: `tasks(key) -> physics` of one task, from a key [2],
        as `uniform_tasks` makes it. observed: entries of the physics that a policy sees, as numbers [*B, k] under their
        own names: then it can do in each what is right there.
    Raises: TypeError for an environment without physics or a `tasks` that cannot be called; KeyError if what is
        observed is not drawn; ValueError if its name is that of an observation.

    >>> from frl.envs import make, uniform_tasks
    >>> env = make("CartPole-v1", batch_size=[3])
    >>> env = RandomizedEnv(env, uniform_tasks(env.params, {"length": (0.25, 1.0)}), observed=["length"])
    >>> td = env.reset(random.key(0))
    >>> td["physics", "length"].shape, td["length"].shape, len(set(td["length"].flatten().tolist()))
    (torch.Size([3]), torch.Size([3, 1]), 3)
    """

    pure = True
    env: Env
    tasks: Any
    observed: tuple[str, ...]
    _structure: tree.TreeSpec
    _fixed: tuple[tuple[str, Any], ...]  # each entry of the physics by its name: what it always is, or _Open

    def __init__(self, env: Env, tasks: Tasks, observed: Sequence[str] = ()):
        parametric("RandomizedEnv", env)
        check.callables("RandomizedEnv", {"tasks": tasks}, "pass a function of a key that returns physics")
        example = tasks(random.key(0))
        entries = tree.named_leaves(example)
        drawn = {name: x for name, x in entries if isinstance(x, Tensor)}
        for name in observed:
            if name not in drawn:
                raise KeyError(
                    f"RandomizedEnv: {name!r} is to be observed, but what is drawn is {list(drawn)}; name one of them."
                )
        self._assign(
            {
                "tasks": tasks,
                "observed": tuple(observed),
                "_structure": tree.flatten(example)[1],
                "_fixed": tuple((name, _Open if name in drawn else x) for name, x in entries),
            }
        )
        self._around(env, {name: Unbounded(max(1, drawn[name].numel())) for name in observed})

    def _around(self, env: Env, shown: dict[str, Any]) -> None:
        """Takes over what `env` promises, and what a policy sees besides."""
        spec = env.single_observation_spec
        for name in shown:
            if name in spec:
                raise ValueError(
                    f"{type(self).__name__}: {name!r} is an observation of the environment already; rename that by "
                    "RenameTransform."
                )
        names = ("batch_size", "device", "max_steps", "rows_apart", "reward_dtype", "single_action_spec")
        fields = {name: getattr(env, name) for name in names}
        fields |= {"env": env, "state_keys": (*env.state_keys, _PHYSICS), "keyed_steps": env.keyed_steps}
        self._assign({**fields, "single_observation_spec": Composite({**spec, **shown})})
        self.rand_step(self.reset(random.key(0)), random.key(1))  # raises where the physics do not fit

    def _assign(self, fields: dict[str, Any]) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is immutable: .{name} cannot be assigned; build a new one.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.env})"

    # ---- the physics of an episode, which what derives from this may choose otherwise

    def _drawn(self, keys: Tensor) -> dict[str, Tensor]:
        """What differs between episodes, [*B, ...], for keys [*B, 2]."""

        def one(key: Tensor) -> dict[str, Tensor]:
            return {name: x for name, x in tree.named_leaves(self.tasks(key)) if isinstance(x, Tensor)}

        batch = self.batch_size
        found = torch.vmap(one)(keys.reshape(-1, 2)) if batch else one(keys)
        return {name: x.reshape(*batch, *x.shape[1:]) if batch else x for name, x in found.items()}

    def _physics(self, drawn: TensorDict) -> Any:
        """The physics [*B] of what was drawn."""
        leaves = [drawn[name] if value is _Open else value for name, value in self._fixed]
        return tree.unflatten(self._structure, leaves)

    def _shown(self, drawn: TensorDict) -> dict[str, Tensor]:
        """What a policy sees of it."""
        dtype = torch.get_default_dtype()
        return {name: drawn[name].reshape(*self.batch_size, -1).to(dtype, copy=True) for name in self.observed}

    # ---- reset and step

    def reset(self, key: Tensor | None = None) -> TensorDict:
        """The beginning of an episode in every environment, each with physics of its own."""
        return self._begin(key, lambda inside, key: inside.reset(key))

    def restart(self, td: TensorDict, key: Tensor | None = None) -> TensorDict:
        """The beginning of an episode where `td` is done; other rows are not to be read."""
        return self._begin(key, lambda inside, key: inside.restart(td, key))

    def _begin(self, key: Tensor | None, reset: Callable[[Env, Tensor], TensorDict]) -> TensorDict:
        k_task, k_reset = random.rows(self.split_key(key, 1)[0], self.batch_size, 2)
        drawn = TensorDict(self._drawn(k_task), self.batch_size)
        td = reset(self._inside(drawn), k_reset)
        return td.update({**self._shown(drawn), _PHYSICS: drawn})

    def step(self, td: TensorDict, key: Tensor | None = None) -> TensorDict:
        """`td` with "next": what the "action" of `td` leads to under the physics of each row.

        Raises: ValueError if `td` has no "physics", and what the environment's own step does.
        """
        drawn = self._entry(td)
        out = self._inside(drawn).step(td, key)
        kept = {**self._shown(drawn), _PHYSICS: tree.map(torch.clone, drawn)}
        return out.set("next", out["next"].update(kept))

    def split_key(self, key: Tensor | None, num: int) -> Tensor:
        """`num` keys, [num, 2], from `key`; TypeError without one."""
        return self.env.split_key(key, num)

    def draw(self, td: TensorDict, size: tuple[int, int] | None = None) -> Tensor:
        """Pictures of the states in `td`, [*B] or [*B, T], each under its own physics; see `FunctionalEnv.draw`."""
        if td.batch_dims > len(self.batch_size):
            return torch.stack([self.draw(step, size) for step in td.unbind(-1)], td.batch_dims - 1)
        return cast(Any, self._inside(self._entry(td))).draw(td, size)

    def _inside(self, drawn: TensorDict) -> Env:
        return cast(Parametric, self.env).with_params(self._physics(drawn))

    def _entry(self, td: TensorDict) -> TensorDict:
        if not isinstance(td, TensorDict) or _PHYSICS not in td:
            raise ValueError(f'{self}: td has no "physics", which a reset draws; begin with env.reset(key).')
        return td[_PHYSICS]


_PHYSICS = "physics"


class _Open:
    """Stands for an entry that is drawn; a class, for it is one and the same in a copy and in another process."""
