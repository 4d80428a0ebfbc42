"""Exploration by independent Gaussian noise on continuous actions."""

from torch import Tensor

from frl import check
from frl.distributions.base import noise
from frl.nn.exploration import ExplorationModule, require_continuous
from frl.specs import Composite, Spec
from frl.tensordict import Key, TensorDict


class AdditiveGaussianModule(ExplorationModule):
    """Adds σ·x to the action, x from a normal distribution, and projects the sum onto the spec.

    σ falls from `sigma_init` to `sigma_end` over `annealing_num_steps` frames; see `ExplorationModule` for how they are
    counted, and for when it explores at all.

    Args: spec: of the action, Bounded or Unbounded, or a Composite that has it. mean, std: of x, for every element.
    Raises: ValueError for a negative σ or std; TypeError for a discrete spec, and, when called, if it explores without
        `key=`.

    >>> import torch
    >>> from frl import random
    >>> from frl.specs import Bounded
    >>> explore = AdditiveGaussianModule(Bounded(-1.0, 1.0, 2), sigma_init=0.5)
    >>> action = explore(TensorDict({"action": torch.zeros(1000, 2)}, [1000]), key=random.key(0))["action"]
    >>> bool(0.4 < action.std() < 0.5), bool(action.abs().max() <= 1)
    (True, True)
    """

    def __init__(
        self,
        spec: Spec | Composite,
        annealing_num_steps: int = 1000,
        sigma_init: float = 1.0,
        sigma_end: float = 0.1,
        mean: float = 0.0,
        std: float = 1.0,
        *,
        action_key: Key = "action",
    ):
        check.at_least(type(self).__name__, {"sigma_init": sigma_init, "sigma_end": sigma_end, "std": std}, 0)
        super().__init__(spec, action_key, annealing_num_steps, sigma_init, sigma_end)
        require_continuous(self)
        self.mean = mean
        self.std = std

    @property
    def sigma(self) -> Tensor:
        """σ after the frames so far, a 0-d tensor."""
        return self.annealed()

    def explored(self, td: TensorDict, action: Tensor, key: Tensor) -> Tensor:
        """The action with noise, projected onto the spec."""
        x = self.mean + self.std * noise(type(self).__name__, action, key)
        return self.spec.project(action + self.sigma.to(action.dtype) * x)
