"""Exploration by Gaussian noise that is correlated in time, for systems with inertia."""

import math

import torch
from torch import Tensor

from frl import check, tree
from frl.distributions.base import noise
from frl.nn.exploration import ExplorationModule, require_continuous
from frl.nn.exploration_type import ExplorationType
from frl.nn.modules import require_key, require_keys, title
from frl.specs import Composite, Spec, Unbounded
from frl.tensordict import TensorDict, scalar


class OrnsteinUhlenbeckProcessModule(ExplorationModule):
    """Adds ε·x to "action" and projects the sum onto the spec, where x is an Ornstein-Uhlenbeck process.

        x ← x + θ·(μ − x)·dt + σ·√dt·w,    w standard normal

    The process of each row stands in "ou_noise", of the action's shape: it is read at the root, as zero where it is
    missing, begins at zero where "is_init" [*B, 1] is set, and is written under "next", from where a step of the
    environment takes it to the following root. `recurrent_state_spec` is its spec, for `spec` of a single environment.
    Where nothing is explored it stays as it is.

    ε falls from `eps_init` to `eps_end` over `annealing_num_steps` frames; see `ExplorationModule` for how they are
    counted, and for when it explores at all.

    Args: spec: of "action", Bounded or Unbounded, or a Composite that has it.
    Raises: ValueError for a number out of range; TypeError for a discrete spec, and, when called, if it explores
        without `key=`; KeyError, when called, without "is_init".
    Source: Lillicrap et al. (2016), "Continuous control with deep reinforcement learning", arXiv:1509.02971; the steps
        are those of Euler and Maruyama.

    >>> from frl import random
    >>> from frl.specs import Bounded
    >>> explore = OrnsteinUhlenbeckProcessModule(Bounded(-1.0, 1.0, 2), dt=1.0)
    >>> td = TensorDict({"action": torch.zeros(3, 2), "is_init": torch.ones(3, 1, dtype=torch.bool)}, [3])
    >>> td = explore(td, key=random.key(0))
    >>> torch.equal(td["action"], td["next", "ou_noise"])  # ε is 1, and nothing was cut
    True
    """

    def __init__(
        self,
        spec: Spec | Composite,
        annealing_num_steps: int = 1000,
        eps_init: float = 1.0,
        eps_end: float = 0.1,
        theta: float = 0.15,
        mu: float = 0.0,
        sigma: float = 0.2,
        dt: float = 0.01,
    ):
        name = type(self).__name__
        check.at_least(name, {"eps_init": eps_init, "eps_end": eps_end, "theta": theta, "sigma": sigma}, 0)
        check.above(name, {"dt": dt}, 0)
        super().__init__(spec, "action", annealing_num_steps, eps_init, eps_end)
        require_continuous(self)
        self.in_keys = ["action", "is_init", "ou_noise"]
        self.out_keys = ["action", ("next", "ou_noise")]
        self.theta, self.mu, self.sigma, self.dt = theta, mu, sigma, dt

    @property
    def eps(self) -> Tensor:
        """ε after the frames so far, a 0-d tensor."""
        return self.annealed()

    @property
    def recurrent_state_spec(self) -> Composite:
        """What is carried from step to step, {"ou_noise"}; an environment is to start it at zero."""
        return Composite({"ou_noise": Unbounded(self.spec.shape, self.spec.device, self.spec.dtype)})

    def forward(
        self, td: TensorDict, key: Tensor | None = None, exploration: ExplorationType | None = None
    ) -> TensorDict:
        """`td` with the action that is taken, and the process under "next". key: [2], or [*K, 2], one for each row."""
        require_keys(self, td, ["action", "is_init"])
        action = self.read_action(td)
        x = self._process(td, action)
        if self.explores(exploration):
            w = noise(type(self).__name__, action, require_key(self, key))
            x = x + self.theta * (self.mu - x) * self.dt + self.sigma * math.sqrt(self.dt) * w
            td = td.set("action", self.spec.project(action + self.eps.to(action.dtype) * x))
        return td.set(("next", "ou_noise"), x)

    def _process(self, td: TensorDict, action: Tensor) -> Tensor:
        """Where the process of each row stands."""
        zero = torch.zeros_like(action)
        if "ou_noise" not in td:
            return zero
        check.shape(title(self), {"ou_noise": td["ou_noise"]}, action.shape, "take it from the step before")
        return tree.where(scalar(td, "is_init"), zero, td["ou_noise"])
