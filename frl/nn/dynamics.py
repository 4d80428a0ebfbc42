"""A model of an environment: what a network believes comes of an action."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from frl import check
from frl.distributions import Normal
from frl.nn.exploration_type import ExplorationType, exploration_type
from frl.nn.modules import keys, require_key, require_keys, title
from frl.nn.printing import describe
from frl.tensordict import Key, TensorDict


class DynamicsModule(nn.Module):
    """Reads observation and "action", and writes ("next", observation) and ("next", "reward") [*B, 1] as it believes.

    It is a normal distribution of the change of the observation and the reward, whose numbers are independent. It draws
    from it, and needs `key=`, where the exploration type is RANDOM or nothing is said of it, and takes the mean
    elsewhere. `get_dist(td)` is the distribution, `target(td)` what in a step of a real environment it is of: for
    `DynamicsLoss`.

    Args: net: from [*B, D + A], the observations and the action end to end, to a mean and a deviation, each
        [*B, D + 1], such as `NormalParamWrapper(MLP(D + A, 2 * (D + 1)))`. observation_keys: of vectors, with D numbers
        in all.
    Raises: TypeError if `net` is no module; ValueError, when called, if what it returns has another size; KeyError for
        a missing entry.
    Source: Chua et al. (2018), "Deep reinforcement learning in a handful of trials using probabilistic dynamics
        models", arXiv:1805.12114.

    >>> from frl import random
    >>> from frl.envs import make
    >>> from frl.nn import MLP, NormalParamWrapper
    >>> model = DynamicsModule(NormalParamWrapper(MLP(3 + 1, 2 * (3 + 1))))
    >>> env = make("Pendulum-v1", batch_size=[5])
    >>> td = model(env.rand_action(env.reset(random.key(0)), random.key(1)), key=random.key(2))
    >>> td["next", "observation"].shape, td["next", "reward"].shape
    (torch.Size([5, 3]), torch.Size([5, 1]))
    """

    in_keys: list[Key]
    out_keys: list[Key]
    draws = True

    def __init__(self, net: nn.Module, observation_keys: Sequence[str] = ("observation",)):
        super().__init__()
        if not isinstance(net, nn.Module):
            raise TypeError(
                f"{type(self).__name__}: net is a {type(net).__name__} but must be an nn.Module, such as "
                "NormalParamWrapper(MLP(D + A, 2 * (D + 1)))."
            )
        self.net = net
        self.observation_keys: list[Any] = keys(self, "observation_keys", observation_keys)
        self.in_keys = [*self.observation_keys, "action"]
        self.out_keys = [*(("next", key) for key in self.observation_keys), ("next", "reward")]

    def get_dist(self, td: TensorDict) -> Normal:
        """Of the changes of all observations and the reward, [*B, D + 1]."""
        seen = self._seen(td)
        action = td["action"].to(seen.dtype)
        loc, scale = self.net(torch.cat([seen, action], -1))
        expected = (*seen.shape[:-1], seen.shape[-1] + 1)
        check.shape(title(self), {"the mean": loc}, expected, "give net 2 * (D + 1) outputs for D numbers observed")
        return Normal(loc, scale)

    def target(self, td: TensorDict) -> Tensor:
        """What happened in the steps `td` [*B]: the changes and the reward, [*B, D + 1]."""
        require_keys(self, td, self.out_keys)
        return torch.cat([self._seen(td["next"]) - self._seen(td), td["next", "reward"]], -1)

    def forward(
        self, td: TensorDict, key: Tensor | None = None, exploration: ExplorationType | None = None
    ) -> TensorDict:
        """`td` with the next observations and the reward. key: [2], or [*K, 2], one for each row."""
        believed = self.get_dist(td)
        draws = (exploration or exploration_type() or ExplorationType.RANDOM).draws
        outcome = believed.rsample(require_key(self, key)) if draws else believed.loc
        seen = [td[key] for key in self.observation_keys]
        *changes, reward = outcome.split([*(x.shape[-1] for x in seen), 1], -1)
        for name, before, change in zip(self.observation_keys, seen, changes, strict=True):
            td = td.set(("next", name), before + change)
        return td.set(("next", "reward"), reward)

    def _seen(self, td: TensorDict) -> Tensor:
        return torch.cat([td[name] for name in require_keys(self, td, self.observation_keys)], -1)

    def __repr__(self) -> str:
        return describe(self, f"net={self.net}")
