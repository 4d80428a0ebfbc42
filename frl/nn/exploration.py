"""What exploration modules share: they act while the exploration type is random, and fade over the frames collected."""

from typing import Any

import torch
from torch import Tensor, nn

from frl import check
from frl.nn.exploration_type import ExplorationType, exploration_type
from frl.nn.modules import keys, require_key, require_keys, title
from frl.nn.printing import describe
from frl.specs import Composite, Spec
from frl.tensordict import Key, TensorDict


class ExplorationModule(nn.Module):
    """Changes the action that a policy wrote; the last module of a `TensorDictSequential`.

    It does so where the exploration type is RANDOM or nothing is said of it, and then needs `key=`; MODE, MEAN and
    DETERMINISTIC leave the action as it is. How much it does falls linearly from `init` to `end` over
    `annealing_num_steps` frames. These three numbers and `num_frames`, the frames so far, are buffers, 0-d tensors:

    - a training step that is compiled or vmapped has them in its state, `state = buffers(policy)`, acts by
      `functional_call(policy, params.update(state), td, key=key)` and counts by `state = advance(policy, state, n)`;
    - a loop in eager mode writes `exploration.num_frames = exploration.step(data.numel())`.

    Nothing is annealed by frames that are not counted so.
    """

    in_keys: list[Key]
    out_keys: list[Key]
    draws = True
    num_frames: Tensor
    init: Tensor
    end: Tensor
    annealing_num_steps: Tensor

    def __init__(self, spec: Any, action_key: Key, annealing_num_steps: int, init: float, end: float):
        super().__init__()
        self.action_key = action_key
        self.in_keys = [action_key]
        self.out_keys = [action_key]
        self.spec: Spec = _of_action(self, spec)
        check.at_least(type(self).__name__, {"annealing_num_steps": annealing_num_steps}, 1)
        self.register_buffer("num_frames", torch.zeros((), dtype=torch.int64))
        self.register_buffer("annealing_num_steps", torch.tensor(float(annealing_num_steps)))
        self.register_buffer("init", torch.tensor(float(init)))
        self.register_buffer("end", torch.tensor(float(end)))

    def forward(
        self, td: TensorDict, key: Tensor | None = None, exploration: ExplorationType | None = None
    ) -> TensorDict:
        """`td` with the action that is taken. key: [2], or [*K, 2], one for each row."""
        require_keys(self, td, self.in_keys)
        action = self.read_action(td)
        if not self.explores(exploration):
            return td
        return td.set(self.action_key, self.explored(td, action, require_key(self, key)))

    def explored(self, td: TensorDict, action: Tensor, key: Tensor) -> Tensor:
        """The action that is taken in place of `action`."""
        raise NotImplementedError

    def annealed(self) -> Tensor:
        """The factor after `num_frames` frames, a 0-d tensor."""
        part = (self.num_frames / self.annealing_num_steps).clamp(max=1.0)
        return self.init + (self.end - self.init) * part

    def step(self, num: int | Tensor = 1) -> Tensor:
        """`num_frames` after `num` more frames, a new 0-d tensor; pure, so the module stays as it is."""
        return self.num_frames + num

    def explores(self, exploration: ExplorationType | None) -> bool:
        """Whether a call with this argument changes the action."""
        return (exploration or exploration_type() or ExplorationType.RANDOM).draws

    def read_action(self, td: TensorDict) -> Tensor:
        """The action of `td`; ValueError or TypeError if the spec does not allow its shape or dtype."""
        action = td[self.action_key]
        n = action.ndim - len(self.spec.shape)
        if n < 0 or action.shape[n:] != self.spec.shape:
            raise ValueError(
                f"{title(self)}: the action has shape {list(action.shape)}, which does not end with "
                f"{list(self.spec.shape)}, that of the spec; give the spec of the actions that the policy writes."
            )
        if action.dtype != self.spec.dtype:
            raise TypeError(
                f"{title(self)}: the action is {action.dtype} but the spec says {self.spec.dtype}; give the spec of "
                "the actions that the policy writes."
            )
        return action

    def __repr__(self) -> str:
        return describe(self, f"init={float(self.init):g}", f"end={float(self.end):g}")


def advance(module: nn.Module, state: TensorDict, num: int | Tensor) -> TensorDict:
    """`state` after `num` more frames: every `num_frames` of the exploration modules in `module` has grown by `num`.

    Args: module: a policy. state: `buffers(module)`, or any TensorDict that has these entries, such as `params.update(
        buffers(module))`.
    Raises: KeyError if `state` has no such entry.

    >>> from frl.nn import EGreedyModule, buffers
    >>> from frl.specs import OneHot
    >>> explore = EGreedyModule(OneHot(2), annealing_num_steps=100)
    >>> advance(explore, buffers(explore), 50)["num_frames"]
    tensor(50)
    """
    for path, part in module.named_modules():
        if isinstance(part, ExplorationModule):
            name = (*path.split("."), "num_frames") if path else ("num_frames",)
            if name not in state:
                raise KeyError(
                    f"advance: state has no entry {name!r}, only {list(state.keys(True, True))}; take it from "
                    "buffers(module)."
                )
            state = state.set(name, state[name] + num)
    return state


def require_continuous(module: ExplorationModule) -> None:
    """TypeError unless the module's spec is of floating-point numbers.

    >>> from frl.nn import AdditiveGaussianModule
    >>> from frl.specs import Bounded
    >>> require_continuous(AdditiveGaussianModule(Bounded(-1.0, 1.0, 2)))
    """
    if module.spec.domain != "continuous":
        raise TypeError(
            f"{title(module)}: the spec is {type(module.spec).__name__}, whose actions are discrete; noise is added to "
            "Bounded or Unbounded actions, use EGreedyModule for others."
        )


def _of_action(module: ExplorationModule, spec: Any) -> Spec:
    keys(module, "action_key", [module.action_key])
    found = spec[module.action_key] if isinstance(spec, Composite) else spec
    if not isinstance(found, Spec):
        raise TypeError(
            f"{type(module).__name__}: spec is a {type(found).__name__}; expected that of the action, such as "
            "env.action_spec."
        )
    return found
