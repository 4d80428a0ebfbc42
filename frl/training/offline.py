"""The loop of offline learning: learn from what was collected before, and from nothing else."""

import torch
from torch import Tensor

from frl import check, random, tree
from frl.algorithms import Algorithm
from frl.replay import Buffer
from frl.tensordict import TensorDict
from frl.training.loop import Loop
from frl.training.off_policy import learn


def offline(algorithm: Algorithm, buffer: Buffer, data: TensorDict, num_updates: int) -> Loop:
    """The loop of offline learning: each step makes `num_updates` updates, each from one sample of `data`.

    The state is {"train", "buffer", "key", "step"}; "step" counts updates, as no environment is stepped. The data are
    its "buffer", which is only read but for priorities; a compiled step copies it once, whatever `num_updates`.

    Args: data: [*B, T] or [M], what the buffer is filled with; no more than its capacity is kept.
    Raises: ValueError if `num_updates` is below 1, and what `buffer.add` raises.
    """
    check.at_least("offline", {"num_updates": num_updates}, 1)
    memory = buffer.add(buffer.init(data.reshape(-1)[0]), data)

    def init(key: Tensor) -> TensorDict:
        k_train, key = random.split(key)
        step = torch.zeros((), dtype=torch.int64)
        own = tree.map(torch.clone, memory)  # a donated state is written over, priorities and all
        return TensorDict({"train": algorithm.init(k_train), "buffer": own, "key": key, "step": step})

    def step(state: TensorDict) -> tuple[TensorDict, TensorDict]:
        key, k_update = random.split(state["key"])
        train, memory, metrics = learn(algorithm, buffer, state["train"], state["buffer"], k_update, num_updates)
        count = state["step"] + num_updates
        return TensorDict({"train": train, "buffer": memory, "key": key, "step": count}), metrics

    return Loop(init, step)
