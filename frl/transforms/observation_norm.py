"""Observations shifted and scaled by constants, given or measured once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from frl import check, random
from frl.specs import Composite
from frl.tensordict import Key
from frl.transforms.base import Entrywise, affine, entry

if TYPE_CHECKING:
    from frl.transforms.transformed_env import TransformedEnv


@dataclass(frozen=True, eq=False, repr=False)
class ObservationNorm(Entrywise):
    """x · scale + loc or, with `standard_normal`, (x − loc) / scale.

    Without `loc` and `scale`, `init_stats` has to measure them first.

    Args: loc, scale: numbers or tensors that broadcast against the entry from the right. eps: the least standard
        deviation that `init_stats` finds.
    Raises: ValueError if one of loc and scale is given without the other; RuntimeError, when it is applied, without.

    >>> from frl import TensorDict
    >>> norm = ObservationNorm(in_keys=["pixels"], loc=2, scale=1)
    >>> norm, norm(TensorDict({"pixels": torch.tensor([1.0])}))["pixels"]
    (ObservationNorm(loc=2.0000, scale=1.0000, keys=['pixels']), tensor([3.]))
    """

    loc: float | Tensor | None = None
    scale: float | Tensor | None = None
    in_keys: Sequence[Key] = ("observation",)
    out_keys: Sequence[Key] | None = None
    standard_normal: bool = False
    eps: float = 1e-6

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.loc is None) != (self.scale is None):
            raise ValueError(
                f"ObservationNorm: loc is {self.loc} and scale is {self.scale}; give both, or neither and call "
                "init_stats."
            )

    def apply(self, x: Tensor) -> Tensor:
        """[*B, *event] -> [*B, *event]."""
        if self.loc is None or self.scale is None:
            raise RuntimeError(
                "ObservationNorm: there is no loc and no scale; measure them: env = env.transform[i].init_stats(1000)."
            )
        check.floating("ObservationNorm", {"the entry": x})
        return (x - self.loc) / self.scale if self.standard_normal else x * self.scale + self.loc

    def observation_spec(self, spec: Composite) -> Composite:
        """Bounds shifted and scaled; those of the input as long as there is nothing to scale by."""
        return spec if self.loc is None else super().observation_spec(spec)

    def init_stats(
        self,
        num_iter: int,
        reduce_dim: int | Sequence[int] = 0,
        cat_dim: int | None = None,
        keep_dims: Sequence[int] | None = None,
        key: Tensor | None = None,
    ) -> "TransformedEnv":
        """The environment with mean and standard deviation of its entry over random steps in this transform.

        Rollouts of random actions in the `parent` are concatenated along `cat_dim` until they have `num_iter` steps.
        Nothing is changed in place: go on with the environment that is returned.

        Args: num_iter: at least 2. reduce_dim: the axes to average over, of [*B, T, *event]. cat_dim: the time axis, by
            default `reduce_dim` where that is one. keep_dims: those of `reduce_dim` that stay, with size 1. key: [2],
            for a pure environment.
        Raises: ValueError if the transform belongs to no environment, has loc and scale, has several in_keys, or if the
            axes do not fit.

        >>> from frl.envs import make
        >>> from frl.transforms import TransformedEnv
        >>> env = TransformedEnv(make("Pendulum-v1"), ObservationNorm(standard_normal=True))
        >>> env = env.transform.init_stats(100, key=random.key(0))
        >>> env.transform.loc.shape
        torch.Size([3])
        """
        env, index = self._ready()
        check.at_least("init_stats", {"num_iter": num_iter}, 2)
        dims = [reduce_dim] if isinstance(reduce_dim, int) else list(reduce_dim)
        if cat_dim is None and len(dims) > 1:
            raise ValueError(f"init_stats: reduce_dim is {dims}; with several axes, cat_dim= must say which is time.")
        data = torch.cat(self._observed(num_iter, key), dims[0] if cat_dim is None else cat_dim)
        loc, scale = _statistics(data, dims, keep_dims or ())
        scale = scale.clamp(min=self.eps)
        if not self.standard_normal:
            scale = 1 / scale
            loc = -loc * scale
        return env.replace_transform(index, replace(self, loc=loc, scale=scale))

    def _ready(self) -> tuple[Any, int]:
        if self._place is None:
            raise ValueError("init_stats: this transform is in no environment; call it on one of env.transform.")
        if self.loc is not None:
            raise ValueError("init_stats: loc and scale are given already; build an ObservationNorm without them.")
        if len(self.in_keys) != 1:
            raise ValueError(
                f"init_stats: in_keys is {list(self.in_keys)} but must be one; use one transform for each."
            )
        return self._place

    def _observed(self, num_iter: int, key: Tensor | None) -> list[Tensor]:
        parent, found, count = self.parent, [], 0
        assert parent is not None
        for k in random.split(parent.split_key(key, 1)[0], num_iter):
            td = parent.rollout(num_iter, key=k)
            found.append(entry(self, td, self.in_keys[0]))
            count += td.numel()
            if count >= num_iter:
                break
        return found

    def _shown(self) -> str:
        return affine(self.loc, self.scale) + super()._shown()


def _statistics(data: Tensor, dims: Sequence[int], keep: Sequence[int]) -> tuple[Tensor, Tensor]:
    reduced, kept = ({dim % data.ndim for dim in axes} for axes in (dims, keep))
    if not kept <= reduced:
        raise ValueError(f"init_stats: keep_dims is {list(keep)} but must be among reduce_dim, which is {list(dims)}.")
    scale, loc = torch.std_mean(data, sorted(reduced), keepdim=True)
    gone = sorted(reduced - kept)
    return loc.squeeze(gone), scale.squeeze(gone)
