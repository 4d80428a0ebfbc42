"""ε-greedy exploration."""

import torch
from torch import Tensor

from frl import check, random, tree
from frl.nn.exploration import ExplorationModule
from frl.nn.modules import title
from frl.specs import Categorical, Composite, OneHot, Spec
from frl.tensordict import Key, TensorDict


class EGreedyModule(ExplorationModule):
    """With probability ε, the action of a batch element is replaced by one drawn uniformly from the spec.

    ε falls from `eps_init` to `eps_end` over `annealing_num_steps` frames; see `ExplorationModule` for how they are
    counted, and for when it explores at all.

    Args: spec: of the action, or a Composite that has it; a batched one, such as `env.action_spec`, will do. eps_init,
        eps_end: in [0, 1]. action_mask_key: of booleans [*B, n], False where an action is not allowed; such an action
        is not drawn, as long as the row allows another.
    Raises: ValueError for a number out of range; TypeError for a mask of actions that are no OneHot or Categorical,
        and, when called, if it explores without `key=`.

    >>> from frl.nn import ExplorationType
    >>> explore = EGreedyModule(OneHot(2), annealing_num_steps=1000, eps_init=0.5)
    >>> td = TensorDict({"action": torch.tensor([[1, 0]]).expand(1000, 2)}, [1000])
    >>> changed = explore(td, key=random.key(0))["action"][:, 1].sum().item()
    >>> 200 < changed < 300  # half of them are drawn, and half of those differ
    True
    >>> bool((explore(td, exploration=ExplorationType.MODE)["action"] == td["action"]).all())
    True
    """

    def __init__(
        self,
        spec: Spec | Composite,
        annealing_num_steps: int = 1000,
        eps_init: float = 1.0,
        eps_end: float = 0.1,
        *,
        action_key: Key = "action",
        action_mask_key: Key | None = None,
    ):
        check.at_least(type(self).__name__, {"eps_init": eps_init, "eps_end": eps_end}, 0)
        check.at_most(type(self).__name__, {"eps_init": eps_init, "eps_end": eps_end}, 1)
        super().__init__(spec, action_key, annealing_num_steps, eps_init, eps_end)
        self.action_mask_key = action_mask_key
        if action_mask_key is not None:
            self.in_keys = [*self.in_keys, action_mask_key]
            if not isinstance(self.spec, (OneHot, Categorical)):
                raise TypeError(
                    f"{type(self).__name__}: action_mask_key is {action_mask_key!r} but the spec is "
                    f"{type(self.spec).__name__}; a mask is of OneHot or Categorical actions."
                )

    @property
    def eps(self) -> Tensor:
        """ε after the frames so far, a 0-d tensor."""
        return self.annealed()

    def explored(self, td: TensorDict, action: Tensor, key: Tensor) -> Tensor:
        """A uniform action with probability ε, else `action`."""
        k_whether, k_action = random.split(key)
        whether = random.bernoulli(self.eps.expand(td.batch_size), k_whether)
        drawn: Tensor = tree.where(whether, self._draw(td, action, k_action), action)
        return drawn

    def _draw(self, td: TensorDict, action: Tensor, key: Tensor) -> Tensor:
        """A uniform action for each row."""
        rows = action.shape[: action.ndim - len(self.spec.shape)]
        if self.action_mask_key is not None:
            return self._draw_allowed(td[self.action_mask_key], action, key)
        if len(rows) < key.ndim - 1:
            raise ValueError(
                f"{title(self)}: key= has batch axes {list(key.shape[:-1])}, but the spec's shape "
                f"{list(self.spec.shape)} includes them; pass one key, or the spec of a single action."
            )
        return self.spec.expand(*rows[key.ndim - 1 :]).sample(key)

    def _draw_allowed(self, mask: Tensor, action: Tensor, key: Tensor) -> Tensor:
        assert isinstance(self.spec, (OneHot, Categorical))
        rows = action.shape[:-1] if isinstance(self.spec, OneHot) else action.shape
        check.boolean(title(self), {"the action mask": mask})
        check.shape(title(self), {"the action mask": mask}, (*rows, self.spec.n), "pass one flag for each action")
        return self.spec.from_index(random.categorical(torch.where(mask, 0.0, -torch.inf), key))
