"""What an episode still earns: for data, since an environment does not know the future."""

from dataclasses import dataclass
from typing import NoReturn

import torch

from frl.envs import Env
from frl.functional import discounted_returns
from frl.tensordict import Key, TensorDict
from frl.transforms.base import Transform, entry


@dataclass(frozen=True, eq=False, repr=False)
class Reward2GoTransform(Transform):
    """The sum of γᵏ times the rewards from each step to the end of its episode, under ("next", `out_key`) [*B, T, 1].

    The sum is cut by `terminated | truncated` alike, and by the end of the data; nothing is bootstrapped.

    Args: gamma: in [0, 1].
    Raises: ValueError for another gamma, for data without a time axis, and at once for an environment.

    >>> end = torch.tensor([[False], [True], [False]])
    >>> after = {"reward": torch.ones(3, 1), "terminated": end, "truncated": torch.zeros_like(end)}
    >>> Reward2GoTransform(gamma=0.5)(TensorDict({"next": after}, [3]))["next", "reward_to_go"].flatten()
    tensor([1.5000, 1.0000, 1.0000])
    """

    gamma: float = 1.0
    out_key: Key = "reward_to_go"

    def __post_init__(self) -> None:
        if not 0 <= self.gamma <= 1:
            raise ValueError(f"Reward2GoTransform: gamma is {self.gamma} but must be between 0 and 1.")

    def __call__(self, td: TensorDict) -> TensorDict:
        """[*B, T] with ("next", "reward"), "terminated" and "truncated"."""
        if not td.batch_dims or "next" not in td:
            raise ValueError(
                f"Reward2GoTransform: data of batch size {list(td.batch_size)} with the entries {list(td)} is no "
                'trajectory; it must be [*B, T] with "next".'
            )
        after = td["next"]
        ended = entry(self, after, "terminated") | entry(self, after, "truncated")
        reward = entry(self, after, "reward")
        discount = torch.where(ended, 0.0, self.gamma).to(reward.dtype)
        time_first = (x.squeeze(-1).movedim(-1, 0) for x in (reward, discount))
        reward, discount = time_first
        returns = discounted_returns(reward, discount, torch.zeros_like(reward[0]))
        return td.set("next", after.set(self.out_key, returns.movedim(0, -1).unsqueeze(-1)))

    def around(self, env: Env) -> NoReturn:
        """Refused."""
        raise ValueError(
            "Reward2GoTransform: an environment does not know what is still to come; call the transform on collected "
            "data, transform(batch)."
        )

    def _shown(self) -> str:
        return f"gamma={self.gamma}, out_key={self.out_key!r}"
