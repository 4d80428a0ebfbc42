"""Several episodes of one task as one: what meta-learning with a memory calls a trial."""

from dataclasses import dataclass

import torch
from torch import Tensor

from frl import check, tree
from frl.envs import Env
from frl.specs import Bounded, Composite
from frl.tensordict import TensorDict
from frl.transforms.base import Transform
from frl.transforms.inner import Inner

_TRIAL = "trial"


@dataclass(frozen=True, eq=False, repr=False)
class Trials(Transform):
    """An episode is `num_episodes` episodes of one task: the trial of RL², over whose parts a memory is kept.

    A reset draws the task, as the environment does, and all parts begin as the first did. Where a part ends, the "next"
    of its last step shows the beginning of the following one, "episode_end" [*B, 1] is 1, and nothing is done; the
    trial ends with its last part, always terminated, for nothing is to be hoped for after it. Whatever a policy or
    another transform carries on, as `LastActionReward` does, it so carries from part to part.

    It acts on the base environment, so it comes before all other transforms, wherever it stands.

    Args: num_episodes: at least 1.
    Raises: ValueError if `num_episodes` is below 1; TypeError for an environment that is not pure.
    Source: Duan et al. (2016), "RL²: fast reinforcement learning via slow reinforcement learning", arXiv:1611.02779.

    >>> from frl import random
    >>> from frl.envs import make
    >>> from frl.transforms import TransformedEnv
    >>> env = TransformedEnv(make("Catch-v0"), Trials(2))
    >>> td = env.rollout(100, key=random.key(0))
    >>> env.max_steps, td.batch_size, td["next", "episode_end"].flatten().nonzero().flatten().tolist()
    (18, torch.Size([18]), [8, 17])
    """

    num_episodes: int

    def __post_init__(self) -> None:
        check.at_least("Trials", {"num_episodes": self.num_episodes}, 1)

    def around(self, env: Env) -> Env:
        """The environment of trials."""
        if not env.pure:
            raise TypeError(
                f"Trials: {env} is not pure, and a reset of it may draw another task; take an environment of "
                "frl.envs.ids(), or a FunctionalEnv."
            )
        return _Trials(env, self.num_episodes)

    def _shown(self) -> str:
        return f"num_episodes={self.num_episodes}"


class _Trials(Inner):
    def __init__(self, env: Env, num_episodes: int):
        super().__init__(env)
        self.num_episodes = num_episodes
        self.max_steps = None if env.max_steps is None else num_episodes * env.max_steps
        self.state_keys = (*env.state_keys, _TRIAL)
        self.single_observation_spec = Composite({**env.single_observation_spec, "episode_end": Bounded(0.0, 1.0, 1)})

    def reset(self, key: Tensor | None = None) -> TensorDict:
        """Another task, and the first of its episodes."""
        first = self.env.reset(key)
        none = torch.zeros((*self.batch_size, 1), device=tree.leaves(first)[0].device)
        begun = tree.map(torch.clone, first)
        trial = TensorDict({"first": begun, "episodes": none.to(torch.int64)}, self.batch_size)
        return first.set("episode_end", none).set(_TRIAL, trial)

    def step(self, td: TensorDict, key: Tensor | None = None) -> TensorDict:
        """One step, and where it ends an episode that is not the last, the beginning of the next."""
        td = self.env.step(td, key)
        after, trial = td["next"], td[_TRIAL]
        end = after["done"]
        episodes = trial["episodes"] + end.to(torch.int64)
        last = end & (episodes >= self.num_episodes)
        again = (end & ~last).squeeze(-1)
        first = trial["first"]
        after = after.update({key: tree.where(again, first[key], after[key]) for key in first})
        after = after.update({"done": last, "terminated": last.clone(), "truncated": torch.zeros_like(last)})
        trial = trial.set("episodes", episodes).set("first", tree.map(torch.clone, first))
        return td.set("next", after.set("episode_end", end.to(torch.float32)).set(_TRIAL, trial))
