"""What an environment is: reset, step, and what follows from them."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import Self

from frl import check, control, random, tree
from frl.specs import Binary, Composite, Spec, Unbounded
from frl.tensordict import TensorDict

Policy = Callable[..., TensorDict]
"""`policy(td) -> td` or, if it has a parameter of that name, `policy(td, key=key) -> td`; it writes "action"."""


class Env(ABC):
    """A batch of environments, [*B], that are stepped together; one environment has batch size [].

    A key is [2], from which every row draws on its own; or there is one for each of the leading rows, [B, 2], and a row
    then draws the same however many are beside it.

    A step holds at the root what the policy read and wrote and, under "next", what came of it:

        {observation, action, …, next: {observation, reward, done, terminated, truncated}}

    `reward`, `done`, `terminated` and `truncated` are [*B, 1]. `terminated` says that nothing comes after; `truncated`
    that a time limit cut the episode; `done` is either. `next` always holds the true successor, never the first
    observation of the next episode.

    Attributes:
        batch_size: [*B].
        observation_spec: a Composite of shape [*B], "observation" in it or one entry for each key of a Dict space.
        action_spec: of a whole batch of actions, [*B, ...]; `single_action_spec` is that of one environment's action.
        max_steps: the time limit after which an episode is truncated, or None.
        pure: whether the methods are pure functions, which can be vmapped, compiled and differentiated, and need a key.
        state_keys: what a step reads at the root besides the action, and nobody is to learn from.
        rows_apart: whether a row of the batch never depends on another.
        keyed_steps: whether a step uses its key; a reset always does.
    """

    batch_size: torch.Size
    device: torch.device | None
    max_steps: int | None
    pure: bool
    keyed_steps: bool = True
    single_observation_spec: Composite
    single_action_spec: Spec
    reward_dtype: torch.dtype = torch.float32
    state_keys: tuple[str, ...] = ("state", "step_count")
    rows_apart: bool = True

    def _altered(self, fields: Mapping[str, Any]) -> Self:
        """The same environment with these attributes, not one that is made anew, as `copy.copy` would."""
        env = object.__new__(type(self))
        for name, value in {**self.__dict__, **fields}.items():
            object.__setattr__(env, name, value)
        return env

    @abstractmethod
    def reset(self, key: Tensor | None = None) -> TensorDict:
        """The beginning of an episode in every environment: {observation, done, terminated, truncated} [*B]."""

    @abstractmethod
    def step(self, td: TensorDict, key: Tensor | None = None) -> TensorDict:
        """`td` with "next": what the "action" of `td` leads to in every environment.

        Raises: ValueError that names the key if the action is missing or has the wrong shape; TypeError for its dtype.
        """

    @abstractmethod
    def split_key(self, key: Tensor | None, num: int) -> Tensor:
        """`num` keys, [num, 2], from `key`; an environment that owns a key uses that one where `key` is None."""

    # ---- specs

    @property
    def observation_spec(self) -> Composite:
        """What a reset and a step observe."""
        return self.single_observation_spec.expand(*self.batch_size)

    @property
    def action_spec(self) -> Spec:
        """What "action" may be."""
        return self.single_action_spec.expand(*self.batch_size)

    @property
    def reward_spec(self) -> Spec:
        """[*B, 1]."""
        return Unbounded((*self.batch_size, 1), self.device, self.reward_dtype)

    @property
    def done_spec(self) -> Composite:
        """Of "done", "terminated" and "truncated", each [*B, 1]."""
        flag = Binary((*self.batch_size, 1), device=self.device, dtype=torch.bool)
        return Composite({"done": flag, "terminated": flag, "truncated": flag}, self.batch_size)

    # ---- what follows from reset and step

    def step_and_reset(self, td: TensorDict, key: Tensor | None = None) -> tuple[TensorDict, TensorDict]:
        """What `step` returns, and where the environments stand after it.

        The latter is the promoted "next", without the reward and without what the policy wrote at the root, except that
        an environment whose episode is done starts afresh.

        >>> from frl.envs import make
        >>> env = make("CartPole-v1", batch_size=[2])
        >>> k_reset, k_action, k_step = random.split(random.key(0), 3)
        >>> td, following = env.step_and_reset(env.rand_action(env.reset(k_reset), k_action), k_step)
        >>> following["step_count"].tolist(), "action" in following
        ([[1], [1]], False)
        """
        k_step, k_reset = self.split_key(key, 2)
        td = self.step(td, k_step)
        after = promote(td)
        return td, reset_where_done(after, self.restart(after, k_reset))

    def restart(self, td: TensorDict, key: Tensor | None = None) -> TensorDict:
        """The beginning of an episode where `td` is done; what it returns of other rows is not to be read.

        A shell begins only these rows afresh; a pure environment may as well return a whole reset.
        """
        if not self.pure:
            raise NotImplementedError(
                f"{type(self).__name__} cannot begin single rows afresh; put a transform that truncates episodes "
                "around each environment inside of it, or implement restart."
            )
        return self.reset(key)

    def rand_action(self, td: TensorDict, key: Tensor | None = None) -> TensorDict:
        """`td` with an "action" drawn uniformly for every environment."""
        if key is None:
            (key,) = self.split_key(None, 1)
        return td.set("action", self.single_action_spec.sample(random.rows(key, self.batch_size)[0]))

    def rand_actions(self, td: TensorDict, keys: Tensor) -> Tensor | None:
        """The "action" of `rand_action` for each of these keys, [T, *B, ...], drawn at once; None if it cannot be.

        It cannot be where what is allowed changes from step to step. `td` is the first to act in.

        >>> from frl.envs import make
        >>> env, keys = make("Pendulum-v1"), random.split(random.key(0), 5)
        >>> actions = env.rand_actions(env.reset(keys[0]), keys)
        >>> bool((actions[4] == env.rand_action(env.reset(keys[0]), keys[4])["action"]).all())
        True
        """
        return self.single_action_spec.sample(random.rows(keys, (len(keys), *self.batch_size))[0])

    def rand_step(self, td: TensorDict, key: Tensor | None = None) -> TensorDict:
        """`step` with an action drawn uniformly for every environment.

        >>> from frl.envs import make
        >>> k_reset, k_step = random.split(random.key(0))
        >>> env = make("Pendulum-v1")
        >>> td = env.rand_step(env.reset(k_reset), k_step)
        >>> td["action"].shape, td["next", "reward"].shape
        (torch.Size([1]), torch.Size([1]))
        """
        k_action, k_step = self.split_key(key, 2)
        return self.step(self.rand_action(td, k_action), k_step)

    def rollout(
        self, max_steps: int, policy: Policy | None = None, key: Tensor | None = None, break_when_any_done: bool = True
    ) -> TensorDict:
        """One trajectory from a reset, [*B, T]: time is the last batch axis. Nothing is reset on the way.

        Args: max_steps: T. policy: by default, random actions. break_when_any_done: ends with the first step in which
            an environment is done, T ≤ max_steps; where values cannot be read (compiled, under `vmap` or `grad`) a
            rollout always has `max_steps` steps.
        Raises: ValueError if `max_steps` is below 1 or the policy writes no action.

        >>> from frl.envs import make
        >>> td = make("CartPole-v1", batch_size=[2]).rollout(50, key=random.key(0))
        >>> td.batch_size[0], bool(td["next", "done"][:, -1].any()), bool(td["next", "done"][:, :-1].any())
        (2, True, False)
        """
        check.at_least("rollout", {"max_steps": max_steps}, 1)
        k_reset, k_steps = self.split_key(key, 2)
        keys = random.split(k_steps, 2 * max_steps).reshape(max_steps, 2, 2)
        act = self.rand_action if policy is None else _keyed(policy)

        def body(td: TensorDict, key: Tensor) -> tuple[TensorDict, TensorDict]:
            td = self.step(act(td, key[0]), key[1])
            return promote(td), td

        td = self.reset(k_reset)
        rank = len(self.batch_size)
        if self.pure and not (break_when_any_done and check.values_readable()):
            trajectory: TensorDict = control.scan(body, td, keys)[1]
            return trajectory.permute(*range(1, rank + 1), 0)
        steps: list[TensorDict] = []
        for k in keys:
            td, step = body(td, k)
            steps.append(step)
            if break_when_any_done and bool(td["done"].any()):
                break
        return tree.stack(steps, rank)

    def close(self) -> None:  # noqa: B027
        """Releases what the environment holds; a pure one holds nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- for those who write environments

    def _action(self, td: TensorDict) -> Tensor:
        """The action of `td`, of the right shape and dtype; its values are not looked at."""
        if not isinstance(td, TensorDict):
            raise TypeError(
                f"{self}: a step takes a TensorDict but got a {type(td).__name__}; the policy must return "
                'td.set("action", action).'
            )
        action: Any = td.get("action")
        spec = self.single_action_spec
        if action is None:
            raise ValueError(
                f'{self}: td has no "action", only {list(td.keys())}; the policy must return td.set("action", action).'
            )
        if action.shape != self.batch_size + spec.shape:
            raise ValueError(
                f'{self}: "action" has shape {list(action.shape)} but must have {[*self.batch_size, *spec.shape]}: '
                f"one {type(spec).__name__} action of shape {list(spec.shape)} for each environment."
            )
        if action.dtype != spec.dtype:
            raise TypeError(f'{self}: "action" is {action.dtype} but must be {spec.dtype}; convert it by .to(dtype).')
        return action


def promote(td: TensorDict) -> TensorDict:
    """Where the environments stand after the step `td`: its "next" without the reward."""
    return td["next"].exclude("reward")


def step_mdp(td: TensorDict) -> TensorDict:
    """The root of the following step: "next" promoted, action and reward dropped, every other root key kept.

    Raises: TypeError for what is no TensorDict; KeyError without "next".

    >>> after = {"observation": torch.ones(1), "reward": torch.ones(1)}
    >>> before = {"observation": torch.zeros(1), "action": torch.zeros(1), "hidden": torch.zeros(1)}
    >>> td = TensorDict({**before, "next": after})
    >>> sorted(step_mdp(td)), step_mdp(td)["observation"]
    (['hidden', 'observation'], tensor([1.]))
    """
    if not isinstance(td, TensorDict):
        raise TypeError(f"step_mdp: td is a {type(td).__name__}; pass what env.step returned.")
    if "next" not in td:
        raise KeyError(f"step_mdp: no entry 'next'; there are {list(td)}; pass what env.step returned.")
    return td.exclude("action", "reward", "next").update(promote(td))


def reset_where_done(after: TensorDict, fresh: TensorDict) -> TensorDict:
    """`after` [*B], with the rows that are done replaced by those of `fresh`; keys that no reset makes stay."""
    done = after["done"].squeeze(-1)
    return after.update({key: tree.where(done, fresh[key], after[key]) for key in fresh})


def _keyed(policy: Policy) -> Callable[[TensorDict, Tensor], TensorDict]:
    target = policy.forward if isinstance(policy, nn.Module) else policy
    if "key" in inspect.signature(target).parameters:
        return lambda td, key: policy(td, key=key)
    return lambda td, key: policy(td)
