"""A loop without environment or network: noisy gradient descent on a quadratic, one parameter vector."""

import torch

from frl import TensorDict, random
from frl.training import Loop


def init(key: torch.Tensor) -> TensorDict:
    return TensorDict({"train": {"w": torch.ones(3)}, "key": key, "step": torch.zeros((), dtype=torch.int64)})


def step(state: TensorDict) -> tuple[TensorDict, TensorDict]:
    key, noise = random.split(state["key"])
    w = 0.9 * state["train", "w"] + 0.01 * random.normal((3,), noise)
    after = TensorDict({"train": {"w": w}, "key": key, "step": state["step"] + 10})
    zero = torch.zeros(())
    return after, TensorDict({"loss": w.square().sum(), "episode_return": -w.abs().sum(), "episodes": zero + 1})


LOOP = Loop(init, step)
