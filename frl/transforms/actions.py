"""Transforms of actions, on the way from the policy to the environment."""

from dataclasses import dataclass

import torch
from torch import Tensor

from frl import check
from frl.specs import Bounded, Categorical, Composite, MultiCategorical, OneHot, Spec
from frl.tensordict import Key, TensorDict
from frl.transforms.base import Transform, entry
from frl.transforms.entries import entry_spec


@dataclass(frozen=True, eq=False, repr=False)
class ActionScaling(Transform):
    """The policy acts between `low` and `high` in every element; the environment gets its own bounds' share of it.

    Args: low, high: of the policy's actions, -1 and 1 by default.
    Raises: ValueError unless low is below high; TypeError for an environment whose actions have no finite bounds.

    >>> from frl import random
    >>> from frl.envs import make
    >>> from frl.transforms import TransformedEnv
    >>> env = TransformedEnv(make("Pendulum-v1"), ActionScaling())
    >>> env.action_spec.space.high
    tensor([1.])
    >>> ActionScaling().act(TensorDict({"action": torch.tensor([0.5])}), env.base_env.single_action_spec)["action"]
    tensor([1.])
    """

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"ActionScaling: low is {self.low} and high is {self.high}; the first must be below.")

    def act(self, td: TensorDict, spec: Spec) -> TensorDict:
        """[low, high] -> the bounds below."""
        share = (td["action"] - self.low) / (self.high - self.low)
        return td.set("action", _at(share, _finite("ActionScaling", spec)))

    def action_spec(self, spec: Spec) -> Spec:
        """Between low and high."""
        box = _finite("ActionScaling", spec)
        return Bounded(self.low, self.high, box.shape, box.device, box.dtype)

    def _shown(self) -> str:
        return f"low={self.low:.4f}, high={self.high:.4f}"


@dataclass(frozen=True, eq=False, repr=False)
class ActionDiscretizer(Transform):
    """The policy chooses one of `num_intervals` equal parts of each element's range; the environment gets its middle.

    A single element is a OneHot choice [*B, num_intervals] or, if `categorical`, an integer [*B]; several, [n], are
    integers side by side, [*B, n].

    Raises: ValueError for less than one part; TypeError for an environment whose actions have no finite bounds.

    >>> from frl.envs import make
    >>> from frl.transforms import TransformedEnv
    >>> env = TransformedEnv(make("Pendulum-v1"), ActionDiscretizer(4))
    >>> env.action_spec.n
    4
    >>> choice = TensorDict({"action": torch.tensor([0, 0, 0, 1])})
    >>> ActionDiscretizer(4).act(choice, env.base_env.single_action_spec)["action"]
    tensor([1.5000])
    """

    num_intervals: int
    categorical: bool = False

    def __post_init__(self) -> None:
        check.at_least("ActionDiscretizer", {"num_intervals": self.num_intervals}, 1)

    def act(self, td: TensorDict, spec: Spec) -> TensorDict:
        """The middle of each part chosen."""
        box, chosen, action = _finite("ActionDiscretizer", spec), self.action_spec(spec), td["action"]
        index = chosen.to_index(action) if isinstance(chosen, (OneHot, Categorical)) else action
        share = (index.reshape(*td.batch_size, *box.shape).to(box.dtype) + 0.5) / self.num_intervals
        return td.set("action", _at(share, box))

    def action_spec(self, spec: Spec) -> Spec:
        """Of the choice."""
        box = _finite("ActionDiscretizer", spec)
        if box.shape.numel() == 1:
            kind = Categorical if self.categorical else OneHot
            return kind(self.num_intervals, device=box.device)
        return MultiCategorical([self.num_intervals] * box.shape[-1], box.shape, box.device)

    def _shown(self) -> str:
        return f"num_intervals={self.num_intervals}, categorical={self.categorical}"


@dataclass(frozen=True, eq=False, repr=False)
class ActionMask(Transform):
    """Discrete actions, of which the environment says by a mask which may be taken now.

    Random actions are drawn among these. An action that may not be taken is refused where values can be read; in a
    compiled program it goes through: there the policy must not choose it, as with logits of -inf.

    Args: mask_key: the observation that is the mask, [*B, n] boolean.
    Raises: KeyError if there is no such observation; TypeError if actions are not discrete; ValueError, at a step, that
        names the row with an action that may not be taken.

    >>> from frl import random
    >>> mask = torch.tensor([[True, False], [False, True]])
    >>> ActionMask().allowed(TensorDict({"action_mask": mask}, [2])).tolist()
    [[True, False], [False, True]]
    """

    mask_key: Key = "action_mask"

    def allowed(self, td: TensorDict) -> Tensor | None:
        """The mask."""
        return entry(self, td, self.mask_key).to(torch.bool)

    def act(self, td: TensorDict, spec: Spec) -> TensorDict:
        """The action as it is."""
        if check.values_readable():
            mask = entry(self, td, self.mask_key).to(torch.bool)
            index = spec.to_index(td["action"])  # type: ignore[union-attr]
            wrong = ~mask.gather(-1, index.unsqueeze(-1)).squeeze(-1)
            if bool(wrong.any()):
                at = wrong.nonzero()[0].tolist()
                raise ValueError(
                    f"ActionMask: the action at {at} is {int(index[tuple(at)])}, but its mask {self.mask_key!r} is "
                    f"{mask[tuple(at)].tolist()}; choose among the actions that it allows."
                )
        return td

    def action_spec(self, spec: Spec) -> Spec:
        """As it is."""
        if not isinstance(spec, (OneHot, Categorical)):
            raise TypeError(
                f"ActionMask: the action spec is {type(spec).__name__} but must be OneHot or Categorical; put an "
                "ActionDiscretizer first."
            )
        return spec

    def observation_spec(self, spec: Composite) -> Composite:
        """As it is."""
        entry_spec(self, spec, self.mask_key)
        return spec

    def _shown(self) -> str:
        return f"keys={[self.mask_key]}"


def _at(share: Tensor, box: Bounded) -> Tensor:
    """The point at this share of the way from the lower bound to the upper one."""
    low, high = box.low.to(share.device), box.high.to(share.device)
    return low + share * (high - low)


def _finite(name: str, spec: Spec) -> Bounded:
    if not isinstance(spec, Bounded) or not spec.dtype.is_floating_point or not spec._finite:
        raise TypeError(
            f"{name}: the action spec is {type(spec).__name__} of {spec.dtype} but must be Bounded, floating point, "
            "with finite bounds; leave this transform out."
        )
    return spec
