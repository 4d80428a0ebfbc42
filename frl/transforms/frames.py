"""Transforms over the last frames: stacked, so that motion can be seen, or pooled."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from frl import check
from frl.specs import Bounded, Composite, Spec
from frl.tensordict import Key, TensorDict
from frl.transforms.base import Entrywise, State, entry, mapped, remembered
from frl.transforms.entries import entry_spec, set_spec


class _OverTime(Entrywise):
    """What is shown is a function of the last frames: the state, {"0": [*B, ...]}, one window for each of in_keys."""

    def reset(self, td: TensorDict, state: State) -> tuple[TensorDict, State]:
        """A window that the first frame fills."""
        windows: dict[str, Tensor] = {}
        for i, (source, target) in enumerate(self.pairs()):
            windows[str(i)] = self.first(entry(self, td, source))
            td = td.set(target, self.apply(windows[str(i)]))
        return td, TensorDict(windows, td.batch_size)

    def step(self, td: TensorDict, after: TensorDict, state: State) -> tuple[TensorDict, State]:
        """The window moved on by one frame."""
        windows: dict[str, Tensor] = {}
        for i, (source, target) in enumerate(self.pairs()):
            windows[str(i)] = self.moved(remembered(self, state)[str(i)], entry(self, after, source))
            after = after.set(target, self.apply(windows[str(i)]))
        return after, TensorDict(windows, td.batch_size)

    def observation_spec(self, spec: Composite) -> Composite:
        """Each entry's spec as that of the window's."""
        for source, target in self.pairs():
            spec = set_spec(spec, target, self.spec(entry_spec(self, spec, source)))
        return spec

    def spec(self, spec: Spec) -> Spec:
        """Of what a window shows."""
        return mapped(lambda x: self.apply(self.first(x)), spec)

    def first(self, x: Tensor) -> Tensor:
        """The window at a reset."""
        raise NotImplementedError

    def moved(self, window: Tensor, x: Tensor) -> Tensor:
        """The window after one more frame."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, repr=False)
class CatFrames(_OverTime):
    """The last `N` frames, the oldest first, concatenated along the event axis `dim`.

    At a reset all are the first frame (`padding="same"`), or all but the last are `padding_value`
    (`padding="constant"`); frames of two episodes never meet.

    Args: N: at least 1. dim: negative, so that it counts from the end of [*B, *event]; -3 stacks the channels of
        images [*B, C, H, W].
    Raises: ValueError if `N` is below 1, `dim` is not negative or `padding` is another word.

    >>> done = torch.tensor([[False], [True], [False]])
    >>> x = torch.tensor([[0.0], [1.0], [5.0]])
    >>> td = TensorDict({"x": x, "next": {"x": x + 1, "done": done}}, [3])
    >>> td = CatFrames(2, dim=-1, in_keys=["x"])(td)
    >>> td["x"].tolist(), td["next", "x"].tolist()
    ([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0]], [[0.0, 1.0], [1.0, 2.0], [5.0, 6.0]])
    """

    N: int
    dim: int = -3
    in_keys: Sequence[Key] = ("pixels",)
    out_keys: Sequence[Key] | None = None
    padding: str = "same"
    padding_value: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check.at_least("CatFrames", {"N": self.N}, 1)
        if self.dim >= 0:
            raise ValueError(f"CatFrames: dim is {self.dim} but must be negative: it counts from the end of the event.")
        if self.padding not in ("same", "constant"):
            raise ValueError(f'CatFrames: padding is {self.padding!r}; pass "same" or "constant".')

    def apply(self, x: Tensor) -> Tensor:
        """A window as it is shown."""
        return x

    def first(self, x: Tensor) -> Tensor:
        """The first frame N times, or once behind the padding."""
        before = x if self.padding == "same" else torch.full_like(x, self.padding_value)
        return torch.cat([before] * (self.N - 1) + [x], self.dim)

    def moved(self, window: Tensor, x: Tensor) -> Tensor:
        """Without its oldest frame, and with the new one."""
        size = x.shape[self.dim]
        return torch.cat([window.narrow(self.dim, size, size * (self.N - 1)), x], self.dim)

    def spec(self, spec: Spec) -> Spec:
        """That of N frames, widened by the padding value."""
        frames = mapped(lambda x: torch.cat([x] * self.N, self.dim), spec)
        if self.padding == "same" or not isinstance(frames, Bounded):
            return frames
        return Bounded(frames.low.clamp(max=self.padding_value), frames.high.clamp(min=self.padding_value))

    def _shown(self) -> str:
        return f"N={self.N}, dim={self.dim}, {super()._shown()}"


@dataclass(frozen=True, eq=False, repr=False)
class TimeMaxPool(_OverTime):
    """The greatest value of each element over the last `T` frames of this episode.

    TorchRL's begins with frames of zeros; here an episode begins with its first frame.

    Raises: ValueError if `T` is below 1.

    >>> x = torch.tensor([[3.0], [1.0], [2.0]])
    >>> td = TensorDict({"x": x, "next": {"x": x, "done": torch.zeros(3, 1, dtype=torch.bool)}}, [3])
    >>> TimeMaxPool(2, in_keys=["x"])(td)["next", "x"].flatten().tolist()
    [3.0, 3.0, 2.0]
    """

    T: int
    in_keys: Sequence[Key] = ("observation",)
    out_keys: Sequence[Key] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check.at_least("TimeMaxPool", {"T": self.T}, 1)

    def apply(self, x: Tensor) -> Tensor:
        """[*B, *event, T] -> [*B, *event]."""
        return x.amax(-1)

    def first(self, x: Tensor) -> Tensor:
        """The first frame T times."""
        return torch.stack([x] * self.T, -1)

    def moved(self, window: Tensor, x: Tensor) -> Tensor:
        """Without its oldest frame, and with the new one."""
        return torch.cat([window[..., 1:], x.unsqueeze(-1)], -1)

    def _shown(self) -> str:
        return f"T={self.T}, {super()._shown()}"
