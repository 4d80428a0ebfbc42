"""One group of environments, stepped from where they stand: what each batch of a collector is made of."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from frl import check, random, tree
from frl.collectors.weights import nested, weights_of
from frl.envs import Env
from frl.nn import functional_call
from frl.tensordict import TensorDict
from frl.transforms import TimeLimit, TransformedEnv

Weights = dict[str, Tensor]
Policy = Callable[..., TensorDict] | None


class Plan(NamedTuple):
    """What is collected: see `Collector`."""

    owner: str
    frames_per_batch: int
    total_frames: int
    max_frames_per_traj: int
    init_random_frames: int

    def require(self) -> "Plan":
        """The plan itself; ValueError or TypeError that names the first number which cannot be."""
        for name, value in self._asdict().items():
            if name != "owner" and not isinstance(value, int):
                raise TypeError(f"{self.owner}: {name} is {value!r} but must be an integer.")
        check.at_least(self.owner, {"frames_per_batch": self.frames_per_batch}, 1)
        for name, value in (("total_frames", self.total_frames), ("max_frames_per_traj", self.max_frames_per_traj)):
            if value != -1 and value < 1:
                raise ValueError(f"{self.owner}: {name} is {value} but must be at least 1, or -1 for no limit.")
        check.at_least(self.owner, {"init_random_frames": self.init_random_frames}, 0)
        return self

    def num_steps(self, num_envs: int) -> int:
        """Steps of a batch of so many environments.

        >>> Plan("Collector", 60, -1, -1, 0).num_steps(6)
        10
        """
        steps, rest = divmod(self.frames_per_batch, num_envs)
        if rest:
            fits = (max(steps, 1) * num_envs, (steps + 1) * num_envs)
            raise ValueError(
                f"{self.owner}: frames_per_batch is {self.frames_per_batch} but must be a multiple of the {num_envs} "
                f"environments that are stepped together; give {fits[0]} or {fits[1]}."
            )
        return steps


class Group(NamedTuple):
    """Which environments: the group of this number among so many of the same size, and how many steps of a batch."""

    number: int
    num_groups: int
    num_steps: int


class Gatherer:
    """Environments with a policy that acts in them, and all that goes on from one batch to the next.

    What an environment and the policy draw for it depends on the key, on the environment's number among all groups and
    on the step: neither on how many others are in its group nor on where a batch begins.

    Args: env: of batch size [*B], which is closed by the caller. policy: None acts at random. device: where it acts.

    >>> from frl.envs import make
    >>> one = Gatherer(make("CartPole-v1", 2), None, Plan("Collector", 6, -1, -1, 0), Group(0, 1, 3))
    >>> one.begin(random.key(0))
    >>> td = one.gather(None, 0)
    >>> td["collector", "traj_ids"].tolist(), td["observation"].shape
    ([[0, 0, 0], [1, 1, 1]], torch.Size([2, 3, 4]))
    """

    def __init__(self, env: Env, policy: Policy, plan: Plan, group: Group, device: torch.device | None = None):
        limit = plan.max_frames_per_traj
        self._env = env if limit < 0 else TransformedEnv(env, TimeLimit(limit))
        self._policy, self._plan, self._group = policy, plan, group
        self._num_envs = env.batch_size.numel()
        first = group.number * self._num_envs
        self._ids = torch.arange(first, first + self._num_envs).reshape(env.batch_size)
        home = torch.device("cpu") if env.device is None else env.device
        self._home, self._away = home, None if device is None or device == home else device
        self._keyed = policy is not None and _takes_key(policy)

    def begin(self, key: Tensor) -> None:
        """Starts everything anew from this key."""
        env, group = self._env, self._group
        number = torch.tensor(group.number)
        if env.batch_size:
            rows = env.batch_size[0]
            number = torch.arange(group.number * rows, (group.number + 1) * rows)
        self._keys = random.fold_in(key, number)
        self._steps = 0
        self._episodes = torch.zeros(env.batch_size, dtype=torch.int64)
        self._td: TensorDict | None = env.reset(random.fold_in(self._keys, 0))

    @torch.no_grad()
    def gather(self, weights: Weights | None, version: int, each_step: Callable[[], None] | None = None) -> TensorDict:
        """A batch [*B, T], from where the environments stand.

        Args: weights: to act by, in place of the policy's own. version: of them. each_step: called after each.
        Raises: RuntimeError if an error has broken off the last one: nobody knows where the environments stand.
        """
        if self._td is None:
            raise RuntimeError(f"{self._plan.owner}: the last batch was broken off; begin anew by set_seed(seed).")
        env, steps, num_steps = self._env, list[TensorDict](), self._group.num_steps
        times = torch.arange(self._steps + 1, self._steps + num_steps + 1)
        rank = self._keys.ndim - 1
        k_act, k_random, k_env = random.split(random.fold_in(self._keys, times.reshape(-1, *(1,) * rank)), 3)
        act = self._acting(weights)
        num_random = min(max(self._random_until() - self._steps, 0), num_steps)
        drawn = None if num_random == 0 else env.rand_actions(self._td, k_random[:num_random])
        hidden = [name for key in env.state_keys for name in (key, ("next", key))]
        td, self._td = self._td, None  # until it is known where they stand
        for t in range(num_steps):
            td = td if act is None else act(td, k_act[t])
            if t < num_random:
                td = env.rand_action(td, k_random[t]) if drawn is None else td.set("action", drawn[t])
            step, td = env.step_and_reset(td, k_env[t])
            steps.append(step.exclude(*hidden) if hidden else step)
            if each_step is not None:
                each_step()
        batch = self._recorded(tree.stack(steps, len(env.batch_size)), version)
        self._td, self._steps = td, self._steps + num_steps
        return batch

    def _random_until(self) -> int:
        """The first step whose action is the policy's."""
        if self._policy is None:
            return self._steps + self._group.num_steps
        return -(-self._plan.init_random_frames // (self._num_envs * self._group.num_groups))

    def _recorded(self, batch: TensorDict, version: int) -> TensorDict:
        """The batch with what is known of it."""
        check.finite(batch["next"].select("reward"), self._plan.owner, "mend the environment; check_env says more")
        ended = batch["next", "done"].squeeze(-1).to(device="cpu", dtype=torch.int64)
        count = ended.cumsum(-1)
        episode = self._episodes.unsqueeze(-1) + count - ended
        self._episodes = self._episodes + count[..., -1]
        # Every environment has numbers of its own, so that nobody has to be asked for the next one.
        ids = self._ids.unsqueeze(-1) + self._num_envs * self._group.num_groups * episode
        known = {"traj_ids": ids.to(self._home), "version": torch.full_like(ids, version, device=self._home)}
        return batch.set("collector", TensorDict(known, batch.batch_size))

    def _acting(self, weights: Weights | None) -> Callable[[TensorDict, Tensor], TensorDict] | None:
        policy, away, home = self._policy, self._away, self._home
        if policy is None:
            return None
        if away is not None and isinstance(policy, nn.Module):
            weights = {name: x.to(away) for name, x in {**weights_of(policy), **(weights or {})}.items()}
        call = policy if weights is None else _called_with(cast(nn.Module, policy), nested(weights))
        shape = self._env.batch_size

        def act(td: TensorDict, key: Tensor) -> TensorDict:
            key = key if key.ndim > len(shape) else random.rows(key, shape)[0]
            td = td if away is None else td.to(away)
            td = call(td, key=key.to(td["done"].device)) if self._keyed else call(td)
            return td if away is None or not isinstance(td, TensorDict) else td.to(home)

        return act


def _called_with(policy: nn.Module, params: dict[str, Any]) -> Callable[..., TensorDict]:
    return lambda td, key=None: functional_call(policy, params, td, key=key)


def _takes_key(policy: Callable[..., Any]) -> bool:
    target = policy.forward if isinstance(policy, nn.Module) else policy
    return "key" in inspect.signature(target).parameters and getattr(policy, "draws", True)
