"""Running normalisation: by the mean and variance of all that was seen so far."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from frl import check
from frl.functional import Moments, merge_moments, normalize
from frl.specs import Composite, Spec, Unbounded
from frl.tensordict import Key, TensorDict
from frl.transforms.base import Entrywise, State, blank, entry, require_keys
from frl.transforms.entries import entry_spec, set_spec
from frl.transforms.observation_norm import ObservationNorm


@dataclass(frozen=True, eq=False, repr=False)
class VecNorm(Entrywise):
    """(x − mean) / √(var + eps), by the moments of all values that the environments of the batch have shown so far.

    Each environment counts its own values, and they are merged where they are used. So the statistics outlive episodes,
    but not `env.reset`, which begins anew; in a loop they live in the runner. Freeze them for evaluation. All values
    count alike, where TorchRL's older ones fade.

    Args: in_keys: observations, and "reward" if it is to be normalised. eps: added to the variance, at least 0.
    Raises: ValueError for a negative eps; TypeError for an entry that is no floating point.

    >>> from frl import random
    >>> from frl.envs import make
    >>> from frl.transforms import TransformedEnv
    >>> env = TransformedEnv(make("Pendulum-v1", 8), VecNorm(["observation"]))
    >>> td = env.rollout(100, key=random.key(0))
    >>> env.transform.moments(td[:, -1])["observation"].num_values.item()
    800
    >>> env.transform.freeze(td[:, -1])
    [ObservationNorm(keys=['observation'])]
    """

    in_keys: Sequence[Key] = ("observation", "reward")
    eps: float = 1e-4
    rows_apart = False

    def __post_init__(self) -> None:
        require_keys(self, "in_keys", self.in_keys)
        check.at_least("VecNorm", {"eps": self.eps}, 0)

    def reset(self, td: TensorDict, state: State) -> tuple[TensorDict, State]:
        """The first observation counted and normalised."""
        observed = [key for key in self.in_keys if key != "reward"]
        # The rows that go on show what nobody reads here: what they show must not count for those that begin afresh.
        return self._seen(td, state, observed, restarts=state is not None)

    def step(self, td: TensorDict, after: TensorDict, state: State) -> tuple[TensorDict, State]:
        """The next one counted and normalised, and the reward."""
        return self._seen(after, state, list(self.in_keys))

    def _seen(self, td: TensorDict, state: State, keys: list[Key], restarts: bool = False) -> tuple[TensorDict, State]:
        rows: dict[str, TensorDict] = {}
        for i, key in enumerate(self.in_keys):
            name = str(i)
            before = _no_moments(td, _shape(td, key)) if state is None else state[name]
            rows[name] = before
            if key in keys:
                x = entry(self, td, key)
                check.floating("VecNorm", {repr(key): x})
                rows[name] = _counted(before, x)
                td = td.set(key, normalize(x, _pooled(before if restarts else rows[name]), self.eps))
        return td, TensorDict(rows, td.batch_size)

    def moments(self, td: TensorDict) -> dict[Key, Moments]:
        """The merged moments of each entry, from where the environments stand, or stood at a step.

        Raises: ValueError if the transform was not taken from an environment.
        """
        if self._place is None:
            raise ValueError("VecNorm: this transform is in no environment; take it from env.transform.")
        env, index = self._place
        state = env.state_of(td, index)
        return {key: _pooled(state[str(i)]) for i, key in enumerate(self.in_keys)}

    def freeze(self, td: TensorDict) -> list[ObservationNorm]:
        """What normalises each observation in the same way for ever, for evaluation and deployment.

        >>> from frl import random
        >>> from frl.envs import make
        >>> from frl.transforms import Compose, TransformedEnv
        >>> env = TransformedEnv(make("Pendulum-v1", 8), VecNorm(["observation"]))
        >>> td = env.rollout(10, key=random.key(0))[:, -1]
        >>> evaluation = TransformedEnv(env.base_env, Compose(*env.transform.freeze(td)))
        """
        return [
            ObservationNorm(found.mean, (found.var + self.eps).sqrt(), [key], standard_normal=True)
            for key, found in self.moments(td).items()
            if key != "reward"
        ]

    def observation_spec(self, spec: Composite) -> Composite:
        """Without bounds."""
        for key in self.in_keys:
            if key != "reward":
                seen = entry_spec(self, spec, key)
                spec = set_spec(spec, key, Unbounded(seen.shape, seen.device, seen.dtype))
        return spec

    def reward_spec(self, spec: Spec) -> Spec:
        """Without bounds."""
        return Unbounded(spec.shape, spec.device, spec.dtype) if "reward" in self.in_keys else spec


def _shape(td: TensorDict, key: Key) -> tuple[int, ...]:
    return (1,) if key == "reward" else tuple(td[key].shape[td.batch_dims :])


def _no_moments(td: TensorDict, shape: tuple[int, ...]) -> TensorDict:
    """Each row's moments before it has seen anything."""
    count = blank(td, torch.int64)
    mean = blank(td, torch.float32).reshape(*td.batch_size, *(1 for _ in shape)).expand(*td.batch_size, *shape).clone()
    return TensorDict({"mean": mean, "var": mean + 1, "num_values": count}, td.batch_size)


def _counted(rows: TensorDict, x: Tensor) -> TensorDict:
    """Each row's moments after one more value of its own."""
    count = rows["num_values"].reshape(*rows.batch_size, *(1 for _ in x.shape[rows.batch_dims :]))
    before = Moments(rows["mean"], rows["var"], count)
    mean, var, count = merge_moments(before, Moments(x.float(), torch.zeros_like(before.var), torch.ones_like(count)))
    return TensorDict({"mean": mean, "var": var, "num_values": rows["num_values"] + 1}, rows.batch_size)


def _pooled(rows: TensorDict) -> Moments:
    """The moments of what all rows have seen: `merge_moments` of them all at once."""
    event = rows["mean"].shape[rows.batch_dims :]
    mean, var = (rows[name].reshape(-1, *event) for name in ("mean", "var"))
    count = rows["num_values"].reshape(-1, *(1 for _ in event))
    weight = count / count.sum().clamp(min=1)
    center = (weight * mean).sum(0)
    spread = (weight * (var + (mean - center).square())).sum(0)
    return Moments(center, spread, count.sum())
