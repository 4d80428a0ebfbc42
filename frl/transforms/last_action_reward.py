"""What a policy with a memory needs to learn from what it does: its last action and what that paid."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from frl import tree
from frl.specs import Categorical, Composite, Spec, Unbounded
from frl.tensordict import Key, TensorDict
from frl.transforms.base import State, Transform, entry, require_keys
from frl.transforms.entries import set_spec


@dataclass(frozen=True, eq=False, repr=False)
class LastActionReward(Transform):
    """The last action and the last reward as observations, zero at the beginning of an episode.

    With them a policy with a memory can learn within an episode which actions pay: RL². The action is shown as floating
    point numbers [*B, *shape], one of n choices as a one-hot vector [*B, n]; the reward [*B, 1] is what the transforms
    before this one make of it. Networks read them beside the other observations.

    Args: spec: of one environment's action, `env.single_action_spec`. out_keys: of the action, of the reward.
    Raises: TypeError if `spec` is none, or `out_keys` are no keys; ValueError unless these are two.
    Source: Duan et al. (2016), "RL²: fast reinforcement learning via slow reinforcement learning", arXiv:1611.02779;
        Wang et al. (2016), "Learning to reinforcement learn", arXiv:1611.05763.

    >>> from frl import random
    >>> from frl.envs import make
    >>> from frl.transforms import TransformedEnv
    >>> env = make("CartPole-v1")
    >>> env = TransformedEnv(env, LastActionReward(env.single_action_spec))
    >>> td = env.rollout(3, lambda td: td.set("action", torch.tensor([0, 1])), random.key(0))
    >>> td["last_action"].tolist(), td["last_reward"].flatten().tolist()
    ([[0.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [0.0, 1.0, 1.0])
    """

    spec: Spec
    out_keys: Sequence[Key] = ("last_action", "last_reward")

    def __post_init__(self) -> None:
        if not isinstance(self.spec, Spec):
            raise TypeError(
                f"LastActionReward: spec is a {type(self.spec).__name__} but must be a Spec; pass "
                "env.single_action_spec."
            )
        require_keys(self, "out_keys", self.out_keys)
        if len(self.out_keys) != 2:
            raise ValueError(
                f"LastActionReward: out_keys has {len(self.out_keys)} keys but must have 2; give one for the action "
                "and one for the reward."
            )

    def reset(self, td: TensorDict, state: State) -> tuple[TensorDict, State]:
        """Nothing done yet."""
        device = tree.leaves(td)[0].device
        for key, spec in zip(self.out_keys, self._specs(), strict=True):
            td = td.set(key, torch.zeros((*td.batch_size, *spec.shape), device=device))
        return td, state

    def step(self, td: TensorDict, after: TensorDict, state: State) -> tuple[TensorDict, State]:
        """What was done, and what it paid."""
        action, reward = self._vector(entry(self, td, "action")), entry(self, after, "reward").to(torch.float32)
        shown = dict(zip(self.out_keys, (action, reward.clone()), strict=True))
        for key, value in shown.items():
            after = after.set(key, value)
        return after, state

    def observation_spec(self, spec: Composite) -> Composite:
        """With both."""
        for key, shown in zip(self.out_keys, self._specs(), strict=True):
            spec = set_spec(spec, key, shown)
        return spec

    def _specs(self) -> tuple[Unbounded, Unbounded]:
        """Of the action and of the reward, as they are shown."""
        action = self.spec
        shape = (*action.shape, action.n) if isinstance(action, Categorical) else action.shape
        return Unbounded(shape or 1), Unbounded(1)

    def _vector(self, action: Tensor) -> Tensor:
        spec = self.spec
        if isinstance(spec, Categorical):
            return (action.unsqueeze(-1) == torch.arange(spec.n, device=action.device)).to(torch.float32)
        return (action if spec.shape else action.unsqueeze(-1)).to(torch.float32, copy=True)

    def _shown(self) -> str:
        return f"keys={list(self.out_keys)}"
