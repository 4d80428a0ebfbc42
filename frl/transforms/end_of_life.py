"""Lives lost within an episode."""

from dataclasses import dataclass

import torch

from frl.specs import Binary, Composite
from frl.tensordict import Key, TensorDict
from frl.transforms.base import State, Transform, blank, entry, remembered
from frl.transforms.entries import entry_spec, set_spec


@dataclass(frozen=True, eq=False, repr=False)
class EndOfLifeTransform(Transform):
    """Whether a life was lost in this step, or the episode ended, in `eol_key` [*B, 1].

    No value is bootstrapped over it (Mnih et al. 2015), while the episode goes on: it is what a loss takes for the end.

    Args: lives_key: the observation [*B] or [*B, 1] that counts the lives.
    Raises: KeyError if there is no such observation.

    >>> lives = torch.tensor([[3], [3], [2]])
    >>> after = {"lives": torch.tensor([[3], [2], [2]]), "done": torch.tensor([[False], [False], [True]])}
    >>> td = EndOfLifeTransform()(TensorDict({"lives": lives, "next": after}, [3]))
    >>> td["next", "end-of-life"].flatten().tolist()
    [False, True, True]
    """

    eol_key: Key = "end-of-life"
    lives_key: Key = "lives"

    def reset(self, td: TensorDict, state: State) -> tuple[TensorDict, State]:
        """None is lost yet."""
        lives = _column(entry(self, td, self.lives_key), td)
        return td.set(self.eol_key, blank(td, torch.bool)), TensorDict({"lives": lives}, td.batch_size)

    def step(self, td: TensorDict, after: TensorDict, state: State) -> tuple[TensorDict, State]:
        """Whether there are fewer than before."""
        lives = _column(entry(self, after, self.lives_key), after)
        lost = (lives < remembered(self, state)["lives"]) | after["done"]
        return after.set(self.eol_key, lost), TensorDict({"lives": lives}, td.batch_size)

    def observation_spec(self, spec: Composite) -> Composite:
        """With the flag."""
        entry_spec(self, spec, self.lives_key)
        return set_spec(spec, self.eol_key, Binary(1, dtype=torch.bool))

    @property
    def bookkeeping(self) -> tuple[Key, ...]:
        """The flag."""
        return (self.eol_key,)

    def _shown(self) -> str:
        return f"eol_key={self.eol_key!r}, lives_key={self.lives_key!r}"


def _column(lives: torch.Tensor, td: TensorDict) -> torch.Tensor:
    return lives.reshape(*td.batch_size, 1)
