"""An environment seen through transforms."""

from collections.abc import Sequence
from textwrap import indent
from typing import Any, NoReturn, Protocol, cast

import torch
from torch import Tensor
from typing_extensions import Self

from frl import random
from frl.envs import Env
from frl.envs.base import promote, reset_where_done
from frl.specs import Categorical, Composite, OneHot, Spec, Unbounded
from frl.tensordict import TensorDict
from frl.transforms.base import State, Transform
from frl.transforms.compose import Compose
from frl.transforms.entries import drop_specs, select_specs

_STATE = "transform_state"


class TransformedEnv(Env):
    """`env` as `transform` shows it. Immutable; pure, and in need of keys, where `env` is.

    What the base environment reads back at a step ("state" and "step_count" of a `FunctionalEnv`) and what transforms
    remember stand under "transform_state", so that no transform can disturb another. The root of a step keeps the
    action that the policy wrote. A TransformedEnv of a TransformedEnv is one with the transforms of both.

    Args: env: any environment. transform: a Transform or a Compose; none by default.
    Attributes: base_env: the environment. transform: as given; `env.transform[i].parent` is the environment with the
        transforms before the i-th alone.
    Raises: TypeError if an argument is of another kind; KeyError for a key that is not shown.

    >>> from frl.envs import make
    >>> from frl.transforms import RewardScaling, StepCounter
    >>> env = TransformedEnv(make("Pendulum-v1"), Compose(StepCounter(), RewardScaling(loc=0.0, scale=0.1)))
    >>> env
    TransformedEnv(
        env=FunctionalEnv(env=Pendulum, batch_size=torch.Size([]), max_steps=200),
        transform=Compose(
                StepCounter(max_steps=None),
                RewardScaling(loc=0.0000, scale=0.1000, keys=['reward'])))
    >>> env.rollout(3, key=random.key(0))["next", "step_count"].flatten().tolist()
    [1, 2, 3]
    """

    state_keys = (_STATE,)
    base_env: Env
    single_info_spec: Composite
    _given: Transform
    _pipeline: Compose
    _inner: Env  # the base environment as the transforms that act on it have changed it
    _acting: tuple[tuple[Transform, Spec], ...]  # those that change actions, the last first, and what they act on
    _single_reward_spec: Spec

    def __init__(self, env: Env, transform: Transform | None = None):
        if not isinstance(env, Env):
            raise TypeError(f"TransformedEnv: env is a {type(env).__name__} but must be an Env; wrap it by GymWrapper.")
        given = Compose() if transform is None else transform
        if not isinstance(given, Transform):
            raise TypeError(
                f"TransformedEnv: transform is a {type(given).__name__} but must be a Transform; pass several as "
                "Compose(first, second)."
            )
        if isinstance(env, TransformedEnv):
            env, given = env.base_env, Compose(env._given, given)
        pipeline = Compose(given)
        inner = pipeline.around(env)
        shown = pipeline.observation_spec(inner.single_observation_spec)
        observed = drop_specs(shown, pipeline.bookkeeping)
        reward = pipeline.reward_spec(Unbounded(1, inner.device, inner.reward_dtype))
        fields = {"base_env": env, "_given": given, "_pipeline": pipeline, "_inner": inner}
        fields |= {"batch_size": inner.batch_size, "device": inner.device, "pure": inner.pure}
        fields |= {"keyed_steps": inner.keyed_steps}
        fields |= {"max_steps": pipeline.time_limit(inner.max_steps), "single_observation_spec": observed}
        action, acting = inner.single_action_spec, list[tuple[Transform, Spec]]()
        for one in pipeline:
            acting = [(one, action), *acting] if type(one).act is not Transform.act else acting
            action = one.action_spec(action)
        fields |= {"single_action_spec": action, "_acting": tuple(acting)}
        fields |= {"single_info_spec": select_specs(shown, pipeline.bookkeeping), "rows_apart": pipeline.rows_apart}
        fields |= {"_single_reward_spec": reward, "reward_dtype": reward.dtype}
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise TypeError(
            f"TransformedEnv is immutable: .{name} cannot be assigned; build a new one, or env.append_transform."
        )

    def __reduce__(self) -> Any:
        return type(self), (self.base_env, self._given)

    def __repr__(self) -> str:
        fields = f"env={self.base_env!r},\ntransform={self._given!r}"
        return "TransformedEnv(\n" + indent(fields, "    ") + ")"

    # ---- its parts

    @property
    def transform(self) -> Any:
        """The transform as it was given, Compose or not; each knows its `parent`."""
        placed = [transform._placed(self, i) for i, transform in enumerate(self._pipeline)]
        return Compose(*placed) if isinstance(self._given, Compose) else placed[0]

    def append_transform(self, transform: Transform) -> "TransformedEnv":
        """This environment with one more transform.

        >>> from frl.envs import make
        >>> from frl.transforms import InitTracker
        >>> env = TransformedEnv(make("Pendulum-v1")).append_transform(InitTracker())
        >>> env.reset(random.key(0))["is_init"]
        tensor([True])
        """
        return TransformedEnv(self.base_env, Compose(self._given, transform))

    def replace_transform(self, index: int, transform: Transform) -> "TransformedEnv":
        """This environment with `transform` in place of the one at `index`."""
        transforms = list(self._pipeline)
        transforms[index] = transform
        one = not isinstance(self._given, Compose)
        return TransformedEnv(self.base_env, transforms[0] if one else Compose(*transforms))

    def _before(self, index: int) -> "TransformedEnv":
        return TransformedEnv(self.base_env, self._pipeline[:index])

    def state_of(self, td: TensorDict, index: int) -> TensorDict:
        """What the transform at `index` remembers in `td`, [*B].

        Raises: KeyError if it remembers nothing.
        """
        key = (_STATE, "transforms", str(range(len(self._pipeline))[index]))
        if key not in td:
            raise KeyError(f"TransformedEnv: td has no state of transform {index}, {self._pipeline[index]!r}.")
        return td[key]

    @property
    def params(self) -> Any:
        """The physics of the base environment, if it has any."""
        return cast(Any, self.base_env).params

    def with_params(self, params: Any) -> Self:
        """The same environment with other physics, which may be traced.

        >>> from frl.envs import make
        >>> env = TransformedEnv(make("Pendulum-v1"))
        >>> env.with_params(env.params._replace(gravity=1.0)).params.gravity
        1.0
        """
        base = cast(_Parametric, self.base_env).with_params(params)
        return self._altered({"base_env": base, "_inner": self._pipeline.around(base)})

    # ---- specs

    @property
    def reward_spec(self) -> Spec:
        """[*B, 1]."""
        return self._single_reward_spec.expand(*self.batch_size)

    @property
    def info_spec(self) -> Composite:
        """What transforms show beside the observation: counts, flags, sums and the carries of a policy."""
        return self.single_info_spec.expand(*self.batch_size)

    # ---- reset and step

    def reset(self, key: Tensor | None = None) -> TensorDict:
        """The beginning of an episode in every environment, as the transforms show it.

        >>> from frl.envs import make
        >>> sorted(TransformedEnv(make("Pendulum-v1")).reset(random.key(0)))
        ['done', 'observation', 'terminated', 'transform_state', 'truncated']
        """
        return self._begin(self._inner.reset(key), None)

    def restart(self, td: TensorDict, key: Tensor | None = None) -> TensorDict:
        """The beginning of an episode where `td` is done; other rows are not to be read."""
        return self._begin(self._inner.restart(self._with_inner_state(td), key), self._remembered(td))

    def step(self, td: TensorDict, key: Tensor | None = None) -> TensorDict:
        """`td` with "next", as the transforms show it.

        >>> from frl.envs import make
        >>> from frl.transforms import RewardScaling
        >>> env = TransformedEnv(make("CartPole-v1"), RewardScaling(loc=1.0, scale=0.5))
        >>> env.rand_step(env.reset(random.key(0)), random.key(1))["next", "reward"]
        tensor([1.5000])
        """
        return self._arrive(td, self._inner.step(self._down(td), key)["next"])

    def step_and_reset(self, td: TensorDict, key: Tensor | None = None) -> tuple[TensorDict, TensorDict]:
        """What `step` returns, and where the environments stand after it: afresh where they are done."""
        if self.pure:
            return super().step_and_reset(td, key)
        out, following = self._inner.step_and_reset(self._down(td), key)
        td = self._arrive(td, out["next"])
        after = promote(td)
        if not bool(after["done"].any()):
            return td, after
        cut = after["done"] & ~out["next", "done"]  # by a transform alone: the shell has not begun them afresh
        if bool(cut.any()):
            following = reset_where_done(
                following.set("done", cut), self._inner.restart(promote(out).set("done", cut), key)
            )
        return td, reset_where_done(after, self._begin(following, self._remembered(after)))

    def rand_action(self, td: TensorDict, key: Tensor | None = None) -> TensorDict:
        """`td` with an "action" drawn uniformly for every environment, among those that are allowed."""
        allowed = self._pipeline.allowed(td)
        if allowed is None:
            return super().rand_action(td, key)
        if key is None:
            (key,) = self.split_key(None, 1)
        index = random.categorical(torch.where(allowed, 0.0, -torch.inf), random.rows(key, self.batch_size)[0])
        return td.set("action", cast("OneHot | Categorical", self.single_action_spec).from_index(index))

    def rand_actions(self, td: TensorDict, keys: Tensor) -> Tensor | None:
        """As of any environment; None where a transform says which actions are allowed."""
        return super().rand_actions(td, keys) if self._pipeline.allowed(td) is None else None

    def split_key(self, key: Tensor | None, num: int) -> Tensor:
        """`num` keys, [num, 2]; see the base environment."""
        return self._inner.split_key(key, num)

    def set_seed(self, seed: int) -> None:
        """Starts the key of a base environment that owns one anew."""
        if self.pure:
            raise TypeError("TransformedEnv: a pure environment has no seed; pass key= to reset and step.")
        cast(_Seeded, self._inner).set_seed(seed)

    def close(self) -> None:
        """Closes the base environment."""
        self._inner.close()

    def draw(self, td: TensorDict, size: tuple[int, int] | None = None) -> Tensor:
        """Pictures of the states in `td`, [*B] or [*B, T], as a base environment in torch draws them.

        >>> from frl.envs import make
        >>> env = TransformedEnv(make("Pendulum-v1"))
        >>> env.draw(env.reset(random.key(0)), size=(8, 8)).shape
        torch.Size([8, 8, 3])
        """
        return cast(_Drawn, self.base_env).draw(self._with_inner_state(td), size)

    def render(self) -> Tensor:
        """What a base environment of Gymnasium renders now, [*B, H, W, 3]; see `GymWrapper.render`."""
        return cast(_Drawn, self._inner).render()

    # ---- between the two sides

    def _begin(self, raw: TensorDict, state: State) -> TensorDict:
        shown, state = self._pipeline.reset(self._visible(raw), state)
        return self._with_state(shown, raw, state)

    def _arrive(self, td: TensorDict, raw: TensorDict) -> TensorDict:
        after, state = self._pipeline.step(td, self._visible(raw), self._remembered(td))
        return td.set("next", self._with_state(after, raw, state))

    def _down(self, td: TensorDict) -> TensorDict:
        """The root that the base environment steps from."""
        if self._acting:  # else the base environment looks at the action
            self._action(td)
        td = self._with_inner_state(td)
        for transform, below in self._acting:
            td = transform.act(td, below)
        return td

    def _with_inner_state(self, td: TensorDict) -> TensorDict:
        return td.update(td[_STATE, "env"]) if (_STATE, "env") in td else td

    def _remembered(self, td: TensorDict) -> State:
        return td.get((_STATE, "transforms"))

    def _visible(self, raw: TensorDict) -> TensorDict:
        unseen = [key for key in self._hidden(raw) if key not in self._inner.single_observation_spec]
        return raw.exclude(*unseen) if unseen else raw

    def _hidden(self, raw: TensorDict) -> Sequence[str]:
        return [key for key in self._inner.state_keys if key in raw]

    def _with_state(self, shown: TensorDict, raw: TensorDict, state: State) -> TensorDict:
        hidden = self._hidden(raw)
        parts = {"env": raw.select(*hidden)} if hidden else {}
        parts |= {} if state is None else {"transforms": state}
        return shown.set(_STATE, parts) if parts else shown


class _Drawn(Protocol):
    def draw(self, td: TensorDict, size: tuple[int, int] | None) -> Tensor: ...

    def render(self) -> Tensor: ...


class _Parametric(Protocol):
    def with_params(self, params: Any) -> Env: ...


class _Seeded(Protocol):
    def set_seed(self, seed: int) -> None: ...
